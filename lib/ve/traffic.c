/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "ve/ids.h"

#define FILE_MAX (64 << 20)

static char *file_path(const struct vz_ctx *ctx)
{
	return vz_strf("%s/traffic", ctx->statedir);
}

static int cant(struct vz_err *err, int r, const char *what, const char *path)
{
	return vz_err_set(err, VZ_E_SYSTEM, -r, "can't %s %s", what,
			  path ? path : "the traffic counters");
}

static int next_number(char **at, uint64_t max, uint64_t *ret)
{
	char *word = strtok_r(NULL, " ", at);

	return word ? vz_parse_u64(word, max, ret) : -EINVAL;
}

int vz_traffic_parse(char *line, uint32_t *ret_veid, struct vz_guard_traffic *t)
{
	char *at, *id = strtok_r(line, " ", &at), *way = strtok_r(NULL, " ", &at);
	struct vz_guard_count c, *to;
	uint64_t veid, class, n;

	if (!way || vz_parse_u64(id, UINT32_MAX, &veid) ||
	    next_number(&at, VZ_TRAFFIC_CLASSES - 1, &class) ||
	    next_number(&at, UINT64_MAX, &n))
		return -EINVAL;
	c.packets = n;
	if (next_number(&at, UINT64_MAX, &n) || strtok_r(NULL, " ", &at))
		return -EINVAL;
	c.bytes = n;
	if (!strcmp(way, "in"))
		to = &t->in[class];
	else if (!strcmp(way, "out"))
		to = &t->out[class];
	else if (!strcmp(way, "dropped"))
		to = &t->dropped;
	else
		return -EINVAL;
	*to = c;
	*ret_veid = veid;
	return 0;
}

/* Whose line it is: parsed only when it is wanted. */
static bool is_of(const char *line, uint32_t veid)
{
	char *end;

	return strtoul(line, &end, 10) == veid && end != line && *end == ' ';
}

static int load(const struct vz_ctx *ctx, char **ret_text, struct vz_err *err)
{
	vz_autofree char *path = file_path(ctx);
	int r = path ? vz_read_file(path, FILE_MAX, ret_text, NULL) : -ENOMEM;

	return r && r != -ENOENT ? cant(err, r, "read", path) : r;
}

/* -ENOENT: the text has no line of it. */
static int find(const char *text, uint32_t veid, struct vz_guard_traffic *ret)
{
	struct vz_guard_traffic t = { 0 };
	int r = -ENOENT;

	for (const char *s = text, *next; s && *s; s = next) {
		const char *end = strchrnul(s, '\n');
		char line[128];
		uint32_t id;

		next = *end ? end + 1 : end;
		if (!is_of(s, veid) || (size_t)(end - s) >= sizeof(line))
			continue;
		memcpy(line, s, end - s);
		line[end - s] = 0;
		if (!vz_traffic_parse(line, &id, &t))
			r = 0;
	}
	if (!r)
		*ret = t;
	return r;
}

int vz_traffic_saved(const struct vz_ctx *ctx, uint32_t veid,
		     struct vz_guard_traffic *ret, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	int r = load(ctx, &text, err);

	memset(ret, 0, sizeof(*ret));
	if (r)
		return r == -ENOENT ? 0 : r;
	find(text, veid, ret);
	return 0;
}

int vz_traffic_open(const struct vz_ctx *ctx, struct vz_traffic *ret, struct vz_err *err)
{
	struct vz_traffic t = { .guard = VZ_NETGUARD_NONE };
	int r = load(ctx, &t.text, err);

	if (r && r != -ENOENT)
		return r;
	t.live = !vz_netguard_find(ctx, &t.guard);
	*ret = t;
	return 0;
}

void vz_traffic_close(struct vz_traffic *t)
{
	if (t->live)
		vz_netguard_close(&t->guard);
	free(t->text);
	*t = (struct vz_traffic){ 0 };
}

int vz_traffic_read(const struct vz_traffic *t, uint32_t veid,
		    struct vz_guard_traffic *ret)
{
	if (t->live && !vz_netguard_traffic(&t->guard, veid, ret))
		return 0;
	return find(t->text, veid, ret);
}

static char *started_path(const struct vz_ctx *ctx, uint32_t veid)
{
	return vz_strf("%s/%u/dropped", ctx->rundir, veid);
}

void vz_traffic_started(const struct vz_ctx *ctx, uint32_t veid,
			const struct vz_netguard *guard)
{
	vz_autofree char *path = started_path(ctx, veid);
	struct vz_guard_traffic t;
	char text[24];

	if (!path || !access(path, F_OK) || vz_netguard_traffic(guard, veid, &t))
		return;
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)t.dropped.packets);
	vz_replace_volatile(path, text, strlen(text));
}

int vz_traffic_dropped(const struct vz_ctx *ctx, uint32_t veid, uint64_t *ret)
{
	vz_autofree char *path = started_path(ctx, veid);
	vz_autonetguard struct vz_netguard guard = VZ_NETGUARD_NONE;
	struct vz_guard_traffic t;
	char text[24];
	uint64_t was;

	if (!path || vz_read_small(AT_FDCWD, path, text, sizeof(text)) ||
	    vz_parse_u64(text, UINT64_MAX, &was) || vz_netguard_find(ctx, &guard) ||
	    vz_netguard_traffic(&guard, veid, &t) || t.dropped.packets < was)
		return -ENOENT;
	*ret = t.dropped.packets - was;
	return 0;
}

struct vz_guard_count vz_traffic_sum(const struct vz_guard_count c[VZ_TRAFFIC_CLASSES])
{
	struct vz_guard_count sum = { 0 };

	for (size_t i = 0; i < VZ_TRAFFIC_CLASSES; i++) {
		sum.packets += c[i].packets;
		sum.bytes += c[i].bytes;
	}
	return sum;
}

static void put_count(struct vz_str *out, uint32_t veid, const char *way, size_t class,
		      const struct vz_guard_count *c)
{
	if (c->packets)
		vz_str_addf(out, "%u %s %zu %llu %llu\n", veid, way, class,
			    (unsigned long long)c->packets, (unsigned long long)c->bytes);
}

static void put(struct vz_str *out, uint32_t veid, const struct vz_guard_traffic *t)
{
	for (size_t i = 0; i < VZ_TRAFFIC_CLASSES; i++) {
		put_count(out, veid, "in", i, &t->in[i]);
		put_count(out, veid, "out", i, &t->out[i]);
	}
	put_count(out, veid, "dropped", 0, &t->dropped);
}

static int collect(const struct vz_ctx *ctx, struct vz_str *out, struct vz_err *err)
{
	vz_autotraffic struct vz_traffic now = { 0 };
	vz_autoids struct vz_ids ids = { 0 };
	struct vz_guard_traffic t;
	int r = vz_traffic_open(ctx, &now, err);

	if (r)
		return r;
	r = vz_ids_defined(ctx, &ids);
	for (size_t i = 0; i < ids.n && !r; i++)
		if (!vz_traffic_read(&now, ids.v[i], &t))
			put(out, ids.v[i], &t);
	if (!r && out->failed)
		r = -ENOMEM;
	return r ? cant(err, r, "list", NULL) : 0;
}

/* Two at once: the later one has the greater counts. */
static int lock(const struct vz_ctx *ctx, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/traffic.lock", ctx->statedir);
	vz_autofd int fd = -1;
	int r = path ? vz_mkdir_p(ctx->statedir, 0755) : -ENOMEM;

	if (!r)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (!r && (fd < 0 || flock(fd, LOCK_EX)))
		r = -errno;
	return r ? cant(err, r, "lock", path) : vz_take_fd(&fd);
}

int vz_traffic_save(const struct vz_ctx *ctx, struct vz_err *err)
{
	vz_autofree char *path = file_path(ctx);
	vz_autostr struct vz_str text = { 0 };
	vz_autofd int locked = lock(ctx, err);
	int r = locked < 0 ? locked : collect(ctx, &text, err);

	if (r)
		return r;
	if (!path)
		r = -ENOMEM;
	else if (text.len)
		r = vz_replace_file(path, text.s, text.len, 0600);
	else if (unlink(path) && errno != ENOENT)
		r = -errno;
	return r ? cant(err, r, "write", path) : 0;
}

void vz_traffic_forget(const struct vz_ctx *ctx, uint32_t veid)
{
	vz_autonetguard struct vz_netguard guard = VZ_NETGUARD_NONE;
	vz_autofree char *path = file_path(ctx);

	if (!vz_netguard_find(ctx, &guard))
		vz_netguard_reset(&guard, veid);
	/* Its configuration is gone: so are its lines, with the next writing. */
	if (path && !access(path, F_OK))
		vz_traffic_save(ctx, NULL);
}
