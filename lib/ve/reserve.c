/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "res/limits.h"
#include "ve/state.h"

#define LIST_MAX (16u << 20)
#define PAGE 4096u

int vz_reserve_lock(const struct vz_ctx *ctx, int *ret_fd)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/reserved", ctx->rundir);
	r = access(path, F_OK) ? vz_mkdir_p(path, 0755) : 0;
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/reserved.lock", ctx->rundir);
	r = vz_lock_wait(path);
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

static void list_path(const struct vz_ctx *ctx, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/reserved/list", ctx->rundir);
}

static bool next_number(const char **at, char end, uint64_t *ret)
{
	char *stop;

	*ret = strtoull(*at, &stop, 10);
	if (stop == *at || *stop != end)
		return false;
	*at = stop + 1;
	return true;
}

/*
 * "101 web 50 1000 0 1048576 2097152": a VE a line; "-" is no pool. By hand:
 * sscanf would make a start with a thousand VEs twice as long.
 */
static bool parse_line(const char *at, struct vz_reserve *ret)
{
	uint64_t veid;
	size_t n;

	if (!next_number(&at, ' ', &veid) || veid > VZ_VEID_MAX)
		return false;
	ret->veid = veid;
	n = strcspn(at, " ");
	if (n >= sizeof(ret->pool) || at[n] != ' ')
		return false;
	if (n != 1 || *at != '-')
		memcpy(ret->pool, at, n);
	at += n + 1;
	return next_number(&at, ' ', &ret->want[VZ_RESERVE_CPU]) &&
	       next_number(&at, ' ', &ret->units) &&
	       next_number(&at, ' ', &ret->want[VZ_RESERVE_MEM]) &&
	       next_number(&at, ' ', &ret->min) && next_number(&at, 0, &ret->low);
}

static void add_line(struct vz_str *b, const struct vz_reserve *v)
{
	vz_str_addf(b,
		    "%" PRIu32 " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		    " %" PRIu64 "\n",
		    v->veid, *v->pool ? v->pool : "-", v->want[VZ_RESERVE_CPU], v->units,
		    v->want[VZ_RESERVE_MEM], v->min, v->low);
}

/* One VE's line alone; -ENOENT: it has none. */
static int read_one(const struct vz_ctx *ctx, uint32_t veid, struct vz_reserve *ret)
{
	vz_autofree char *text = NULL;
	char path[PATH_MAX], head[16], *at, *end;
	size_t n = snprintf(head, sizeof(head), "%" PRIu32 " ", veid);
	int r;

	list_path(ctx, path);
	r = vz_read_file(path, LIST_MAX, &text, NULL);
	if (r)
		return r;
	for (at = text; strncmp(at, head, n); at = end + 1) {
		end = strchr(at, '\n');
		if (!end)
			return -ENOENT;
	}
	at[strcspn(at, "\n")] = 0;
	*ret = (struct vz_reserve){ 0 };
	return parse_line(at, ret) ? 0 : -EINVAL;
}

int vz_reserve_get(const struct vz_ctx *ctx, uint32_t veid, struct vz_reserve *ret,
		   struct vz_err *err)
{
	int r = read_one(ctx, veid, ret);

	if (r && r != -ENOENT)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s/reserved/list",
				  ctx->rundir);
	if (r)
		*ret = (struct vz_reserve){ .veid = veid };
	return 0;
}

static int parse_list(char *text, struct vz_reserves *l)
{
	size_t room = 1;
	char *save;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		room++;
	l->v = calloc(room, sizeof(*l->v));
	if (!l->v)
		return -ENOMEM;
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!parse_line(line, &l->v[l->n++]))
			return -EINVAL;
	return 0;
}

int vz_reserves_read(const struct vz_ctx *ctx, struct vz_reserves *ret,
		     struct vz_err *err)
{
	vz_autoreserves struct vz_reserves l = { 0 };
	vz_autofree char *text = NULL;
	char path[PATH_MAX];
	int r;

	list_path(ctx, path);
	r = vz_read_file(path, LIST_MAX, &text, NULL);
	if (!r)
		r = parse_list(text, &l);
	if (r && r != -ENOENT)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path);
	*ret = l;
	l = (struct vz_reserves){ 0 };
	return 0;
}

void vz_reserves_done(struct vz_reserves *l)
{
	free(l->v);
	*l = (struct vz_reserves){ 0 };
}

static int write_list(const struct vz_ctx *ctx, const struct vz_reserves *l,
		      struct vz_err *err)
{
	vz_autostr struct vz_str b = { 0 };
	char path[PATH_MAX];
	int r;

	list_path(ctx, path);
	vz_str_add(&b, "");
	for (size_t i = 0; i < l->n; i++)
		add_line(&b, &l->v[i]);
	r = b.failed ? -ENOMEM : vz_replace_volatile(path, b.s, b.len);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write %s", path) : 0;
}

static int by_veid(const void *a, const void *b)
{
	uint32_t x = ((const struct vz_reserve *)a)->veid;
	uint32_t y = ((const struct vz_reserve *)b)->veid;

	return x < y ? -1 : x > y;
}

const struct vz_reserve *vz_reserves_find(const struct vz_reserves *l, uint32_t veid)
{
	const struct vz_reserve key = { .veid = veid };

	return l->n ? bsearch(&key, l->v, l->n, sizeof(key), by_veid) : NULL;
}

void vz_reserve_of(uint32_t veid, const struct vz_cfg *cfg, struct vz_reserve *ret)
{
	const char *pool = vz_cfg_str(cfg, VZ_P_POOL);

	*ret = (struct vz_reserve){
		.veid = veid,
		.want = { [VZ_RESERVE_CPU] = vz_cfg_u64(cfg, VZ_P_CPURESERVE),
			  [VZ_RESERVE_MEM] = vz_cfg_u64(cfg, VZ_P_MEMRESERVE) * PAGE },
		.units = vz_cfg_u64(cfg, VZ_P_CPUUNITS),
	};
	snprintf(ret->pool, sizeof(ret->pool), "%s", pool ? pool : "");
	vz_limits_guarantee(cfg, &ret->min, &ret->low);
}

static bool is_empty(const struct vz_reserve *v)
{
	return !*v->pool && !v->want[VZ_RESERVE_CPU] && !v->want[VZ_RESERVE_MEM] &&
	       !v->min && !v->low;
}

/* Take `veid` out and put `new` (NULL: nothing) in. */
static int change(struct vz_reserves *l, uint32_t veid, const struct vz_reserve *new)
{
	struct vz_reserve *v;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].veid != veid)
			l->v[n++] = l->v[i];
	l->n = n;
	if (!new || is_empty(new))
		return 0;
	v = reallocarray(l->v, n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->v = v;
	for (n = l->n++; n && v[n - 1].veid > veid; n--)
		v[n] = v[n - 1];
	v[n] = *new;
	return 0;
}

/* What dead VEs have that nobody has cleaned up after is free. */
static void forget_dead(const struct vz_ctx *ctx, struct vz_reserves *l, uint32_t but)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].veid == but || vz_state_alive(ctx, l->v[i].veid))
			l->v[n++] = l->v[i];
	l->n = n;
}

static int copy(const struct vz_reserves *l, struct vz_reserves *ret)
{
	ret->v = calloc(l->n + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	if (l->n)
		memcpy(ret->v, l->v, l->n * sizeof(*ret->v));
	ret->n = l->n;
	return 0;
}

static int check_kind(const struct vz_ctx *ctx, const struct vz_reserves *l,
		      uint32_t veid, enum vz_reserve_kind kind, struct vz_err *err)
{
	vz_autoreserves struct vz_reserves alive = { 0 };
	vz_autovepools struct vz_vepools pools = { 0 };
	struct vz_capacity node;
	int r = vz_capacity_read(ctx, &node, err);

	if (!r)
		r = vz_vepools_load(ctx, &pools, err);
	if (r)
		return r;
	if (!vz_reserves_check(l, veid, kind, &pools, &node, NULL))
		return 0;
	if (copy(l, &alive))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't check");
	forget_dead(ctx, &alive, veid);
	return vz_reserves_check(&alive, veid, kind, &pools, &node, err);
}

/* More than it `had` must fit. */
static int check(const struct vz_ctx *ctx, const struct vz_reserves *l,
		 const struct vz_reserve *had, const struct vz_reserve *want,
		 unsigned int flags, struct vz_err *err)
{
	struct vz_err why = { 0 };
	int r = 0;

	for (int k = 0; k < VZ_RESERVE__COUNT && !r; k++) {
		if (want->want[k] <= had->want[k])
			continue;
		r = check_kind(ctx, l, want->veid, k, &why);
		if (r && why.status == VZ_E_OVERCOMMIT && flags & VZ_RESERVE_FORCE) {
			vz_warn(ctx, "VE %u: %s", want->veid, why.text);
			r = 0;
		}
	}
	if (r && err)
		*err = why;
	return r;
}

/* A VE that is in a pool which is not there has limits that nobody knows. */
static int check_there(const struct vz_ctx *ctx, const struct vz_reserve *v,
		       struct vz_err *err)
{
	vz_autovepool struct vz_vepool pool = { 0 };

	return *v->pool ? vz_vepool_load(ctx, v->pool, &pool, err) : 0;
}

static int lock(const struct vz_ctx *ctx, int *ret_fd, struct vz_err *err)
{
	int r = vz_reserve_lock(ctx, ret_fd);

	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't lock %s/reserved", ctx->rundir)
		 : 0;
}

int vz_reserve_claim(const struct vz_ctx *ctx, uint32_t veid, const struct vz_cfg *cfg,
		     unsigned int flags, struct vz_err *err)
{
	vz_autoreserves struct vz_reserves l = { 0 };
	struct vz_reserve want, had = { 0 };
	const struct vz_reserve *found;
	vz_autofd int fd = -1;
	int r;

	vz_reserve_of(veid, cfg, &want);
	if (flags & VZ_RESERVE_POOL) {
		memset(want.want, 0, sizeof(want.want));
		want.min = want.low = 0;
	}
	if (flags & VZ_RESERVE_LIVE)
		*want.pool = 0;
	r = check_there(ctx, &want, err);
	if (!r && is_empty(&want) && read_one(ctx, veid, &had) == -ENOENT)
		return 0;
	if (!r)
		r = lock(ctx, &fd, err);
	if (!r)
		r = vz_reserves_read(ctx, &l, err);
	if (r)
		return r;
	found = vz_reserves_find(&l, veid);
	if (found)
		had = *found;
	if (flags & VZ_RESERVE_LIVE)
		memcpy(want.pool, had.pool, sizeof(want.pool));
	if (change(&l, veid, &want))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't reserve");
	r = check(ctx, &l, &had, &want, flags, err);
	return r ? r : write_list(ctx, &l, err);
}

int vz_reserve_release(const struct vz_ctx *ctx, uint32_t veid,
		       struct vz_reserve *ret_was, struct vz_err *err)
{
	vz_autoreserves struct vz_reserves l = { 0 };
	const struct vz_reserve *found;
	vz_autofd int fd = -1;
	int r;

	if (read_one(ctx, veid, ret_was) == -ENOENT)
		return -ENOENT;
	r = lock(ctx, &fd, err);
	if (!r)
		r = vz_reserves_read(ctx, &l, err);
	if (r)
		return r;
	found = vz_reserves_find(&l, veid);
	if (!found)
		return -ENOENT;
	*ret_was = *found;
	change(&l, veid, NULL);
	return write_list(ctx, &l, err);
}
