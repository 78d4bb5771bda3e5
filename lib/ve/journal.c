/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/str.h"
#include "conf/conf.h"

/*
 * Ours: the VE is this node's, as if there were no migration. Before it is handed
 * over whoever migrates it holds its lock; when that one died, any command may go
 * on with the VE, and the journal only remembers what to tell the other node.
 */
static const struct {
	const char *name;
	bool ours;
} states[VZ_MIG__COUNT] = {
	[VZ_MIG_NONE] = { "none", true },
	[VZ_MIG_COPYING] = { "copying", true },
	[VZ_MIG_STOPPING] = { "stopping", true },
	[VZ_MIG_HANDED] = { "handed", false },
	[VZ_MIG_CLEARING] = { "clearing", false },
	[VZ_MIG_UNDONE] = { "undone", true },
	[VZ_MIG_RECEIVING] = { "receiving", false },
	[VZ_MIG_PREPARED] = { "prepared", false },
	[VZ_MIG_TAKING] = { "taking", false },
	[VZ_MIG_DONE] = { "done", true },
	[VZ_MIG_REFUSED] = { "refused", false },
};

const char *vz_mig_state_name(enum vz_mig_state state)
{
	return states[state].name;
}

enum vz_mig_state vz_mig_state_find(const char *name)
{
	for (int i = 0; i < VZ_MIG__COUNT; i++)
		if (!strcmp(states[i].name, name))
			return i;
	return VZ_MIG_NONE;
}

/* The file's keys, a row each, so that save and load agree. */
static const struct {
	const char *key;
	enum { STATE, TEXT, BOOL, NUM32, NUM64 } type;
	size_t offset, size;
} fields[] = {
#define FIELD(key, type, member)                                                         \
	{                                                                                \
		key, type, offsetof(struct vz_journal, member),                          \
			sizeof(((struct vz_journal *)0)->member)                         \
	}
	FIELD("STATE", STATE, state),
	FIELD("MIGRATION", TEXT, id),
	FIELD("PEER", TEXT, peer),
	FIELD("SSH", TEXT, ssh),
	FIELD("LIVE", BOOL, live),
	FIELD("START", BOOL, start),
	FIELD("KEEP", BOOL, keep),
	FIELD("PID", NUM32, pid),
	FIELD("PID_START", NUM64, pid_start),
	FIELD("PRIVATE", TEXT, private),
	FIELD("UID", NUM32, uid),
	FIELD("GID", NUM32, gid),
	FIELD("OLD_UID", NUM32, old_uid),
	FIELD("OLD_GID", NUM32, old_gid),
#undef FIELD
};

static const char *const suffix[] = { [VZ_MIG_SOURCE] = "out", [VZ_MIG_DEST] = "in" };

static void path_of(const struct vz_ctx *ctx, uint32_t veid, enum vz_mig_role role,
		    char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/migrate/%u.%s", ctx->statedir, veid, suffix[role]);
}

static int read_field(const struct vz_conf *conf, size_t i, struct vz_journal *j)
{
	const char *s = vz_conf_get(conf, fields[i].key);
	void *at = (char *)j + fields[i].offset;
	uint64_t v = 0;

	if (!s)
		return -EINVAL;
	switch (fields[i].type) {
	case TEXT:
		snprintf(at, fields[i].size, "%s", s);
		return strlen(s) < fields[i].size ? 0 : -EINVAL;
	case STATE:
		*(enum vz_mig_state *)at = vz_mig_state_find(s);
		return *(enum vz_mig_state *)at == VZ_MIG_NONE ? -EINVAL : 0;
	case BOOL:
		*(bool *)at = !strcmp(s, "yes");
		return *(bool *)at || !strcmp(s, "no") ? 0 : -EINVAL;
	case NUM32:
		if (vz_parse_u64(s, UINT32_MAX, &v))
			return -EINVAL;
		*(uint32_t *)at = v;
		return 0;
	case NUM64:
		return vz_parse_u64(s, UINT64_MAX, at);
	}
	return -EINVAL;
}

/* STATE is of this role, and not of the other. */
static bool state_fits(enum vz_mig_state state, enum vz_mig_role role)
{
	return (state >= VZ_MIG_RECEIVING) == (role == VZ_MIG_DEST);
}

int vz_journal_load(const struct vz_ctx *ctx, uint32_t veid, enum vz_mig_role role,
		    struct vz_journal *ret, struct vz_err *err)
{
	vz_autoconf struct vz_conf *conf = NULL;
	struct vz_journal j = { 0 };
	char path[PATH_MAX];
	int r = 0;

	path_of(ctx, veid, role, path);
	if (access(path, F_OK) && errno == ENOENT)
		return -ENOENT;
	r = vz_conf_load(ctx, path, &conf, err);
	if (r)
		return r;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(fields) && !r; i++) {
		r = read_field(conf, i, &j);
		if (r)
			vz_err_set(err, VZ_E_SYSTEM, 0,
				   "%s has no valid %s: it is of another version, or "
				   "damaged",
				   path, fields[i].key);
	}
	if (!r && !state_fits(j.state, role))
		r = vz_err_set(err, VZ_E_SYSTEM, 0, "%s is damaged: STATE is %s", path,
			       vz_mig_state_name(j.state));
	if (!r)
		*ret = j;
	return r;
}

static int write_field(struct vz_conf *conf, size_t i, const struct vz_journal *j)
{
	const void *at = (const char *)j + fields[i].offset;
	char num[24];

	switch (fields[i].type) {
	case TEXT:
		return vz_conf_set(conf, fields[i].key, at);
	case STATE:
		return vz_conf_set(conf, fields[i].key,
				   vz_mig_state_name(*(const enum vz_mig_state *)at));
	case BOOL:
		return vz_conf_set(conf, fields[i].key, *(const bool *)at ? "yes" : "no");
	case NUM32:
		snprintf(num, sizeof(num), "%u", *(const uint32_t *)at);
		return vz_conf_set(conf, fields[i].key, num);
	case NUM64:
		snprintf(num, sizeof(num), "%ju", (uintmax_t) * (const uint64_t *)at);
		return vz_conf_set(conf, fields[i].key, num);
	}
	return -EINVAL;
}

int vz_journal_save(const struct vz_ctx *ctx, uint32_t veid, enum vz_mig_role role,
		    const struct vz_journal *j, struct vz_err *err)
{
	vz_autofree char *dir = vz_strf("%s/migrate", ctx->statedir), *text = NULL;
	vz_autoconf struct vz_conf *conf = NULL;
	char path[PATH_MAX];
	int r;

	path_of(ctx, veid, role, path);
	r = dir ? vz_mkdir_p(dir, 0755) : -ENOMEM;
	if (!r)
		r = vz_conf_new(path, &conf);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(fields) && !r; i++)
		r = write_field(conf, i, j);
	text = r ? NULL : vz_conf_text(conf);
	if (!r)
		r = text ? vz_replace_file(path, text, strlen(text), 0600) : -ENOMEM;
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write the journal %s", path)
		 : 0;
}

int vz_journal_remove(const struct vz_ctx *ctx, uint32_t veid, enum vz_mig_role role,
		      struct vz_err *err)
{
	vz_autofree char *dir = vz_strf("%s/migrate", ctx->statedir);
	vz_autofd int fd = -1;
	char path[PATH_MAX];

	path_of(ctx, veid, role, path);
	if (unlink(path))
		return errno == ENOENT ? 0
				       : vz_err_set(err, VZ_E_SYSTEM, errno,
						    "can't remove %s", path);
	fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return fd < 0 || fsync(fd) ? vz_err_set(err, VZ_E_SYSTEM, errno,
						"can't sync %s/migrate", ctx->statedir)
				   : 0;
}

static bool has_suffix(const char *name, const char *end, uint32_t *ret_id)
{
	const char *dot = strchr(name, '.');
	char num[16] = "";

	if (!dot || strcmp(dot + 1, end) || (size_t)(dot - name) >= sizeof(num))
		return false;
	memcpy(num, name, dot - name);
	return vz_ids_plain(num, ret_id);
}

static bool is_out(const char *name, uint32_t *ret_id)
{
	return has_suffix(name, suffix[VZ_MIG_SOURCE], ret_id);
}

static bool is_in(const char *name, uint32_t *ret_id)
{
	return has_suffix(name, suffix[VZ_MIG_DEST], ret_id);
}

int vz_journal_list(const struct vz_ctx *ctx, enum vz_mig_role role, struct vz_ids *ids)
{
	vz_autofree char *dir = vz_strf("%s/migrate", ctx->statedir);

	return dir ? vz_ids_read(ids, dir, role == VZ_MIG_SOURCE ? is_out : is_in)
		   : -ENOMEM;
}

int vz_journal_check(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err)
{
	for (int role = VZ_MIG_SOURCE; role <= VZ_MIG_DEST; role++) {
		struct vz_journal j;
		int r = vz_journal_load(ctx, veid, role, &j, err);

		if (r == -ENOENT || (!r && states[j.state].ours))
			continue;
		if (r)
			return r;
		return vz_err_set(err, VZ_E_LOCKED, EBUSY,
				  "VE %u is locked: a migration %s %s was left half-way "
				  "(%s); `vzmigrate --recover %u` finishes or undoes it",
				  veid, role == VZ_MIG_SOURCE ? "to" : "from", j.peer,
				  vz_mig_state_name(j.state), veid);
	}
	return 0;
}

void vz_journal_stands_back(const struct vz_ctx *ctx, uint32_t veid)
{
	struct vz_err ignored = { 0 };
	struct vz_journal j;

	if (vz_journal_load(ctx, veid, VZ_MIG_SOURCE, &j, &ignored) ||
	    j.state != VZ_MIG_STOPPING || j.live)
		return;
	j.state = VZ_MIG_COPYING;
	vz_journal_save(ctx, veid, VZ_MIG_SOURCE, &j, &ignored);
}
