/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read what a list needs and nothing more: the directories of configurations
 * and of running VEs once each, and of each file the keys that are shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "conf/peek.h"
#include "ve/diskquota.h"
#include "ve/ids.h"
#include "ve/name.h"
#include "ve/state.h"
#include "ve/ubc.h"
#include "ve/ve.h"
#include "vzlist/vzlist.h"

/* The values' memory: given back all at once. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	char data[];
};

static char *keep(struct list *list, const char *s)
{
	size_t n = strlen(s) + 1;
	struct chunk *c = list->chunks;

	if (!c || c->size - c->used < n) {
		size_t size = n > 65536 ? n : 65536;

		c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		*c = (struct chunk){ list->chunks, 0, size };
		list->chunks = c;
	}
	c->used += n;
	return memcpy(c->data + c->used - n, s, n);
}

static int named_ids(const struct vz_ctx *ctx, const struct which *which,
		     struct vz_ids *ret, bool *ret_missing)
{
	for (size_t i = 0; i < which->n_words; i++) {
		uint32_t id;

		if (vz_ve_lookup(ctx, which->words[i], &id, NULL) || !id)
			*ret_missing = true;
		else if (vz_ids_add(ret, id))
			return -ENOMEM;
	}
	vz_ids_sort(ret);
	return 0;
}

/*
 * The directory of most VEs' roots or private areas, asked once: cheaper than
 * a question a VE. A path that is not just below it is asked for by itself.
 */
struct parent {
	char path[PATH_MAX]; /* "" until the first VE says */
	size_t len;
	bool unfit;
	struct vz_ids ids; /* of the directories, or of those that are mounted on */
};

/* The VEs on whose directory in the parent something is mounted. */
static int find_mounted(struct parent *parent)
{
	vz_autofree char *real = realpath(parent->path, NULL);
	vz_autofile FILE *f = real ? fopen("/proc/self/mountinfo", "re") : NULL;
	vz_autofree char *line = NULL;
	size_t size = 0, len = real ? strlen(real) : 0;
	char *save, *point;
	uint32_t id;

	while (f && getline(&line, &size, f) > 0) {
		point = strtok_r(line, " ", &save);
		for (int i = 0; point && i < 4; i++)
			point = strtok_r(NULL, " ", &save);
		if (point && !strncmp(point, real, len) && point[len] == '/' &&
		    vz_ids_plain(point + len + 1, &id) && vz_ids_add(&parent->ids, id))
			return -ENOMEM;
	}
	vz_ids_sort(&parent->ids);
	return 0;
}

/* PATH/$VEID and PATH/101 are below PATH; 0: this is neither. */
static size_t parent_of(const char *value, uint32_t id)
{
	const char *slash = strrchr(value, '/');
	uint32_t last;

	if (!slash || slash == value || slash - value >= PATH_MAX)
		return 0;
	if (strcmp(slash + 1, "$VEID") && !(vz_ids_plain(slash + 1, &last) && last == id))
		return 0;
	return slash - value;
}

/* Whether the parent has the answer for a path; the first one chooses it. */
static bool in_parent(struct parent *parent, const char *value, uint32_t id,
		      int (*fill)(struct parent *parent))
{
	size_t len = parent_of(value, id);

	if (!len || parent->unfit)
		return false;
	if (!parent->len) {
		parent->len = len;
		memcpy(parent->path, value, len);
		parent->unfit = strchr(parent->path, '$') || fill(parent);
	}
	return !parent->unfit && parent->len == len && !memcmp(parent->path, value, len);
}

static int find_present(struct parent *parent)
{
	return vz_ids_read(&parent->ids, parent->path, vz_ids_plain);
}

static bool stat_path(const char *value, uint32_t id, struct statx *ret)
{
	char path[PATH_MAX];

	return expand_veid(value, id, path, sizeof(path)) &&
	       !statx(AT_FDCWD, path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, ret);
}

/* parent NULL: for a few VEs it is not worth it. */
static bool has_private(struct parent *parent, const struct ve *ve)
{
	const char *value = ve_value(ve, VZ_P_VE_PRIVATE);
	struct statx stx;

	if (!value)
		return false;
	if (parent && in_parent(parent, value, ve->id, find_present))
		return vz_ids_has(&parent->ids, ve->id);
	return stat_path(value, ve->id, &stx);
}

static bool is_mounted(struct parent *parent, const struct ve *ve)
{
	const char *value = ve_value(ve, VZ_P_VE_ROOT);
	struct statx stx;

	if (!value)
		return false;
	if (parent && in_parent(parent, value, ve->id, find_mounted))
		return vz_ids_has(&parent->ids, ve->id);
	return stat_path(value, ve->id, &stx) &&
	       stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* A name counts when its link in names/ leads to this VE. */
static const char *checked_name(const struct ve *ve)
{
	const char *name = ve_value(ve, VZ_P_NAME);
	uint32_t id;

	if (!name || vz_name_link(ve->list->ctx, name, &id) || id != ve->id)
		return NULL;
	return name;
}

struct reader {
	struct list *list;
	struct vz_peek peek;
	bool running_only, named;
	int confdir;
	struct vz_ids ids; /* to look at */
	struct vz_ids states; /* VEs with a state: those that may run */
	struct vz_ids dumps; /* VEs with a dump */
	struct parent privates, roots;
	int64_t now;
};

static int read_values(struct reader *rd, struct ve *ve)
{
	struct list *list = rd->list;
	char name[32];
	int r;

	snprintf(name, sizeof(name), "%u.conf", ve->id);
	r = vz_peek_read(&rd->peek, rd->confdir, name, list->keys, list->n_keys,
			 ve->values);
	if (r)
		return r;
	for (size_t i = 0; i < list->n_keys; i++)
		if (ve->values[i] && !(ve->values[i] = keep(list, ve->values[i])))
			return -ENOMEM;
	return 0;
}

/* What was set in a VE that runs and not saved counts before its file. */
static int read_unsaved(struct reader *rd, struct ve *ve)
{
	struct list *list = rd->list;
	vz_autofree const char **set = calloc(list->n_keys + 1, sizeof(*set));
	char path[PATH_MAX];
	int r;

	if (!set)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/%u/unsaved", list->ctx->rundir, ve->id);
	r = vz_peek_read(&rd->peek, AT_FDCWD, path, list->keys, list->n_keys, set);
	for (size_t i = 0; !r && i < list->n_keys; i++)
		if (set[i] && !(ve->values[i] = keep(list, set[i])))
			return -ENOMEM;
	return 0;
}

static void find_uptime(struct reader *rd, struct ve *ve)
{
	struct vz_state st;

	ve->uptime = -1;
	if (!vz_state_load(rd->list->ctx, ve->id, &st, NULL))
		ve->uptime = rd->now - st.started;
}

/* What a VE that does not run is. False: no VE, without a private area. */
static bool find_status(struct reader *rd, struct ve *ve)
{
	bool many = rd->ids.n > 8;

	if (!has_private(many ? &rd->privates : NULL, ve))
		return false;
	if (!rd->list->need_status)
		return true;
	if (is_mounted(many ? &rd->roots : NULL, ve))
		ve->status = STATUS_MOUNTED;
	else if (vz_ids_has(&rd->dumps, ve->id))
		ve->status = STATUS_SUSPENDED;
	return true;
}

static void read_quota(struct ve *ve)
{
	const char *value = ve_value(ve, VZ_P_VE_PRIVATE);
	char path[PATH_MAX];

	if (value && expand_veid(value, ve->id, path, sizeof(path)))
		ve->has_quota =
			!vz_diskquota_read(ve->list->ctx, ve->id, path, &ve->quota);
}

/* False: there is no VE of this number, or none that is wanted. */
static int read_ve(struct reader *rd, struct ve *ve, bool *ret_listed)
{
	struct list *list = rd->list;
	bool running = (rd->named || vz_ids_has(&rd->states, ve->id)) &&
		       vz_state_running(list->ctx, ve->id) == 1;
	int r;

	*ret_listed = false;
	if (rd->running_only && !running)
		return 0;
	r = read_values(rd, ve);
	if (r == -ENOMEM)
		return r;
	if (r && r != -ENOENT)
		vz_warn(list->ctx, "can't read %s/conf/%u.conf: %s", list->ctx->confdir,
			ve->id, strerror(-r));
	if (running && read_unsaved(rd, ve))
		return -ENOMEM;
	if (running)
		ve->status = STATUS_RUNNING;
	else if (r == -ENOENT || !find_status(rd, ve))
		return 0;
	if (list->need_uptime && running)
		find_uptime(rd, ve);
	if (list->need_name)
		ve->name = checked_name(ve);
	if (list->need_quota)
		read_quota(ve);
	*ret_listed = true;
	return 0;
}

static int open_confdir(struct reader *rd, struct vz_err *err)
{
	const struct vz_ctx *ctx = rd->list->ctx;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/conf", ctx->confdir);
	rd->confdir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rd->confdir < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't open %s", path);
	return 0;
}

/* vz.conf's values of the given keys, to be kept. */
static int peek_global(struct reader *rd, const char *const *keys, size_t n,
		       const char **ret, struct vz_err *err)
{
	struct list *list = rd->list;
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/vz.conf", list->ctx->confdir);
	r = vz_peek_read(&rd->peek, AT_FDCWD, path, keys, n, ret);
	for (size_t i = 0; !r && i < n; i++)
		if (ret[i] && !(ret[i] = keep(list, ret[i])))
			r = -ENOMEM;
	return r ? vz_err_set(err, VZ_E_NOGLOBAL, -r, "can't read %s", path) : 0;
}

static int read_global(struct reader *rd, struct vz_err *err)
{
	const char *const key = vz_params[VZ_P_DUMPDIR].key;
	const char *value = NULL;
	struct list *list = rd->list;
	int r;

	list->global = calloc(list->n_keys, sizeof(*list->global));
	if (!list->global)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't list the VEs");
	r = peek_global(rd, list->keys, list->n_keys, list->global, err);
	if (!r)
		r = peek_global(rd, &key, 1, &value, err);
	list->dumpdir = value ?: vz_params[VZ_P_DUMPDIR].def;
	return r;
}

static int find_ids(struct reader *rd, const struct which *which, bool *ret_missing)
{
	const struct vz_ctx *ctx = rd->list->ctx;
	int r = 0;

	if (!r && rd->named)
		r = named_ids(ctx, which, &rd->ids, ret_missing);
	else if (!r)
		r = vz_ids_active(ctx, &rd->states);
	if (!r && !rd->named && !rd->running_only)
		r = vz_ids_defined(ctx, &rd->ids);
	for (size_t i = 0; !r && i < rd->states.n; i++)
		r = vz_ids_add(&rd->ids, rd->states.v[i]);
	if (!r && rd->list->need_status && !rd->running_only && rd->list->dumpdir)
		r = vz_ids_read(&rd->dumps, rd->list->dumpdir, vz_ids_dump);
	vz_ids_sort(&rd->ids);
	return r;
}

static int read_all(struct reader *rd, bool *ret_missing)
{
	struct list *list = rd->list;
	const struct vz_ids *ids = &rd->ids;
	const char **values = calloc(ids->n * list->n_keys + 1, sizeof(*values));

	list->values = values;
	list->ves = calloc(ids->n + 1, sizeof(*list->ves));
	if (!values || !list->ves)
		return -ENOMEM;
	for (size_t i = 0; i < ids->n; i++, values += list->n_keys) {
		struct ve *ve = &list->ves[list->n];
		bool listed;
		int r;

		*ve = (struct ve){ .id = ids->v[i], .list = list, .values = values };
		r = read_ve(rd, ve, &listed);
		if (r)
			return r;
		list->n += listed;
		*ret_missing |= rd->named && !listed;
	}
	return 0;
}

/* Keys that are needed to tell what there is, beside those that are shown. */
static void implied_needs(struct list *list)
{
	list_need(list, VZ_P_VE_PRIVATE);
	if (list->need_status)
		list_need(list, VZ_P_VE_ROOT);
	if (list->need_name)
		list_need(list, VZ_P_NAME);
}

static void reader_done(struct reader *rd)
{
	vz_peek_done(&rd->peek);
	vz_ids_done(&rd->ids);
	vz_ids_done(&rd->states);
	vz_ids_done(&rd->dumps);
	vz_ids_done(&rd->privates.ids);
	vz_ids_done(&rd->roots.ids);
	if (rd->confdir >= 0)
		close(rd->confdir);
}

/*
 * The counters of all VEs at once; of one that is named, by itself. A list without
 * them is still a list: why there are none is told beside it.
 */
static void read_counters(struct list *list, bool named)
{
	struct vz_err err = { 0 };
	struct ve *first = NULL;
	size_t running = 0, n = 0, at = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list->ves[i].status == STATUS_RUNNING && !running++)
			first = &list->ves[i];
	if (!running)
		return;
	if (vz_ubc_read(list->ctx, running == 1 ? first->id : 0, named, &list->ubc, &n,
			&err)) {
		if (err.text[0])
			fprintf(stderr, "vzlist: %s\n", err.text);
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		struct ve *ve = &list->ves[i];

		while (at < n && list->ubc[at].veid < ve->id)
			at++;
		if (ve->status == STATUS_RUNNING && at < n &&
		    list->ubc[at].veid == ve->id)
			ve->ubc = &list->ubc[at];
	}
}

int collect(struct list *list, const struct which *which, bool *ret_missing,
	    struct vz_err *err)
{
	struct reader rd = { .list = list,
			     .confdir = -1,
			     .named = which->n_words,
			     .running_only = which->running_only };
	struct timespec now;
	int r;

	clock_gettime(CLOCK_BOOTTIME, &now);
	rd.now = now.tv_sec;
	implied_needs(list);
	r = read_global(&rd, err);
	if (!r)
		r = open_confdir(&rd, err);
	if (!r) {
		r = find_ids(&rd, which, ret_missing);
		if (!r)
			r = read_all(&rd, ret_missing);
		if (r)
			vz_err_set(err, VZ_E_SYSTEM, -r, "can't list the VEs");
	}
	if (!r && list->need_ubc)
		read_counters(list, rd.named);
	if (!r && list->need_traffic)
		r = vz_traffic_open(list->ctx, &list->traffic, err);
	reader_done(&rd);
	return r;
}

void list_done(struct list *list)
{
	for (struct chunk *c = list->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	vz_traffic_close(&list->traffic);
	free(list->ubc);
	free(list->values);
	free(list->global);
	free(list->ves);
}
