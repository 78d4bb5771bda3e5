/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/balance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "res/limits.h"
#include "ve/poolgroup.h"

#define WHOLE 1000000u /* see struct vz_balance_entry */
#define MOST 990000u /* all others together keep a hundredth */

/* What one run works on. */
struct balance {
	const struct vz_ctx *ctx;
	const struct vz_cg_host *host;
	const char *top; /* CGROUP */
	struct vz_reserves list;
	struct vz_vepools pools; /* those that VEs are in need be there, at least */
	struct vz_capacity node;
};

static void balance_done(struct balance *b)
{
	vz_reserves_done(&b->list);
	vz_vepools_done(&b->pools);
}

/* -- CPU: weights -- */

void vz_balance_weights(struct vz_balance_entry *v, size_t n, uint64_t others,
			uint64_t max)
{
	double total = 0, scale, whole = 0;
	bool more = true;

	for (size_t i = 0; i < n; i++) {
		total += v[i].need;
		v[i].weight = 0;
	}
	scale = (total > MOST ? MOST / total : 1) / WHOLE;
	/* Who has enough by his base is one of the others; who has not adds to the whole. */
	while (more) {
		double rest = others, part = 0;

		more = false;
		for (size_t i = 0; i < n; i++)
			if (v[i].weight)
				part += v[i].need * scale;
			else
				rest += v[i].base;
		whole = rest / (1 - part);
		for (size_t i = 0; i < n; i++)
			if (!v[i].weight && v[i].base < v[i].need * scale * whole) {
				v[i].weight = 1;
				more = true;
			}
	}
	for (size_t i = 0; i < n; i++) {
		double w = v[i].need * scale * whole;

		v[i].weight = v[i].weight ? (uint64_t)w + (w > (uint64_t)w) : v[i].base;
		if (v[i].weight > max)
			v[i].weight = max;
	}
}

static const char *weight_file(bool v2)
{
	return v2 ? "cpu.weight" : "cpu.shares";
}

static int read_weight(int dir, const char *name, bool v2, uint64_t *ret)
{
	char path[300], text[24];
	int r;

	snprintf(path, sizeof(path), "%s/%s", name, weight_file(v2));
	r = vz_read_small(dir, path, text, sizeof(text));
	return r ? r : vz_parse_u64(text, UINT64_MAX, ret);
}

static bool is_entry(const struct vz_balance_entry *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			return true;
	return false;
}

static uint64_t sum_others(DIR *d, const struct vz_balance_entry *v, size_t n, bool v2)
{
	struct dirent *e;
	uint64_t sum = 0, w;

	while ((e = readdir(d)))
		if (e->d_type == DT_DIR && *e->d_name != '.' &&
		    !is_entry(v, n, e->d_name) &&
		    !read_weight(dirfd(d), e->d_name, v2, &w))
			sum += w;
	return sum;
}

static void write_weight(struct balance *b, int dir, const struct vz_balance_entry *v,
			 bool v2)
{
	char path[300], text[24];
	uint64_t now;
	int r;

	/* A group that is just being made, or removed. */
	if (read_weight(dir, v->name, v2, &now) || now == v->weight)
		return;
	snprintf(path, sizeof(path), "%s/%s", v->name, weight_file(v2));
	snprintf(text, sizeof(text), "%" PRIu64, v->weight);
	r = vz_write_small(dir, path, text);
	if (r && r != -ENOENT && r != -ENODEV)
		vz_warn(b->ctx, "can't write '%s' to %s of %s: %s", text, path, b->top,
			strerror(-r));
	if (v->need && v->weight == VZ_WEIGHT_MAX(v2))
		vz_warn(b->ctx,
			"the kernel has no greater weight than %s's: when all others "
			"want "
			"the CPUs it may get less than it reserves",
			v->name);
}

/* Give the groups of one directory what they need. Returns what all weigh. */
static uint64_t balance_dir(struct balance *b, const char *group,
			    struct vz_balance_entry *v, size_t n)
{
	bool v2 = vz_cg_is_v2(b->host, VZ_CG_CPU);
	const char *mount = vz_cg_mount(b->host, VZ_CG_CPU);
	vz_autofree char *path = vz_strf("%s/%s", mount, group);
	vz_autodir DIR *d = path ? opendir(path) : NULL;
	uint64_t sum;

	if (!d)
		return 0;
	sum = sum_others(d, v, n, v2);
	vz_balance_weights(v, n, sum, VZ_WEIGHT_MAX(v2));
	for (size_t i = 0; i < n; i++) {
		write_weight(b, dirfd(d), &v[i], v2);
		sum += v[i].weight;
	}
	return sum;
}

/* What a pool must have: its own, or its VEs'. */
static uint64_t pool_need(const struct balance *b, const char *name,
			  enum vz_reserve_kind kind)
{
	const struct vz_vepool *p = vz_vepools_find(&b->pools, name);
	uint64_t own = 0, sum = 0;

	if (p && kind == VZ_RESERVE_CPU)
		own = vz_cfg_u64(p->cfg, VZ_P_CPURESERVE);
	for (size_t i = 0; i < b->list.n; i++)
		if (!strcmp(b->list.v[i].pool, name))
			sum += b->list.v[i].want[kind];
	return own > sum ? own : sum;
}

static uint64_t part_of(uint64_t need, uint64_t whole)
{
	return !whole || need >= whole ? WHOLE : need * WHOLE / whole;
}

/* The VEs of one pool ("": none) that reserve CPU time. */
static size_t add_ves(const struct balance *b, const char *pool, uint64_t whole,
		      struct vz_balance_entry *v, size_t n)
{
	bool v2 = vz_cg_is_v2(b->host, VZ_CG_CPU);

	for (size_t i = 0; i < b->list.n; i++) {
		const struct vz_reserve *r = &b->list.v[i];

		if (strcmp(r->pool, pool) || !r->want[VZ_RESERVE_CPU])
			continue;
		v[n] = (struct vz_balance_entry){
			.base = vz_limits_weight(v2, r->units),
			.need = part_of(r->want[VZ_RESERVE_CPU], whole),
		};
		snprintf(v[n++].name, sizeof(v->name), "%" PRIu32, r->veid);
	}
	return n;
}

/* The pools that VEs are in, each once. */
static size_t add_pools(const struct balance *b, struct vz_balance_entry *v, size_t n)
{
	bool v2 = vz_cg_is_v2(b->host, VZ_CG_CPU);

	for (size_t i = 0; i < b->pools.n; i++) {
		const struct vz_vepool *p = &b->pools.v[i];
		bool used = false;

		for (size_t k = 0; k < b->list.n; k++)
			used |= !strcmp(b->list.v[k].pool, p->name);
		if (!used)
			continue;
		v[n] = (struct vz_balance_entry){
			.base = vz_limits_weight(v2, vz_cfg_u64(p->cfg, VZ_P_CPUUNITS)),
			.need = part_of(pool_need(b, p->name, VZ_RESERVE_CPU),
					b->node.ves[VZ_RESERVE_CPU]),
		};
		snprintf(v[n++].name, sizeof(v->name), VZ_POOLGROUP "%s", p->name);
	}
	return n;
}

/* The group of all VEs, among the node's: all but what VE 0 keeps. */
static void balance_top(struct balance *b, bool reserved)
{
	bool v2 = vz_cg_is_v2(b->host, VZ_CG_CPU);
	vz_autofree char *parent = strdup(b->top);
	char *slash = parent ? strrchr(parent, '/') : NULL;
	struct vz_balance_entry v = { .base = vz_limits_weight(v2, 1000) };

	if (!parent)
		return;
	snprintf(v.name, sizeof(v.name), "%s", slash ? slash + 1 : parent);
	*(slash ? slash : parent) = 0;
	if (reserved)
		v.need =
			part_of(b->node.ves[VZ_RESERVE_CPU], b->node.all[VZ_RESERVE_CPU]);
	balance_dir(b, parent, &v, 1);
}

/* Whether the group of all VEs may have another weight than it came with. */
static bool gave_back(const struct balance *b, const struct vz_reserve *gone)
{
	const struct vz_vepool *p = gone ? vz_vepools_find(&b->pools, gone->pool) : NULL;

	return gone &&
	       (gone->want[VZ_RESERVE_CPU] || (p && vz_cfg_u64(p->cfg, VZ_P_CPURESERVE)));
}

static int balance_cpu(struct balance *b, const struct vz_reserve *gone)
{
	size_t room = b->list.n + b->pools.n + 1, pools, n;
	vz_autofree struct vz_balance_entry *v = calloc(room, sizeof(*v));
	vz_autofree struct vz_balance_entry *in = calloc(room, sizeof(*in));
	uint64_t whole = b->node.ves[VZ_RESERVE_CPU], sum;
	bool reserved = false;

	if (!v || !in)
		return -ENOMEM;
	pools = add_pools(b, v, 0);
	n = add_ves(b, "", whole, v, pools);
	for (size_t i = 0; i < n; i++)
		reserved |= v[i].need;
	if (reserved || gave_back(b, gone))
		balance_top(b, reserved);
	sum = balance_dir(b, b->top, v, n);
	for (size_t i = 0; i < pools && sum; i++) {
		const char *pool = v[i].name + strlen(VZ_POOLGROUP);
		vz_autofree char *group = vz_strf("%s/%s", b->top, v[i].name);
		/* What the pool gets when all others want all. */
		size_t in_pool = add_ves(b, pool, whole * v[i].weight / sum, in, 0);

		if (group && in_pool)
			balance_dir(b, group, in, in_pool);
	}
	return 0;
}

/* -- memory on v2: what the groups above protect -- */

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a >= VZ_UNLIMITED || b >= VZ_UNLIMITED - a ? VZ_UNLIMITED : a + b;
}

static uint64_t more_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void protect(struct balance *b, const char *group, uint64_t min, uint64_t low)
{
	const struct {
		const char *file;
		uint64_t bytes;
	} set[] = { { "memory.min", min }, { "memory.low", more_of(min, low) } };
	struct vz_cg cg = { .host = b->host };
	char text[24];

	snprintf(cg.name, sizeof(cg.name), "%s", group);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(set); i++) {
		struct vz_err err = { 0 };
		int r;

		snprintf(text, sizeof(text), "%" PRIu64, set[i].bytes);
		r = vz_cg_write(&cg, VZ_CG_MEMORY, set[i].file,
				set[i].bytes >= VZ_UNLIMITED ? "max" : text, &err);
		if (r && r != -ENOENT)
			vz_warn(b->ctx, "%s", err.text);
	}
}

static void sum_memory(const struct balance *b, const char *pool, uint64_t *min,
		       uint64_t *low)
{
	*min = *low = 0;
	for (size_t i = 0; i < b->list.n; i++) {
		if (strcmp(b->list.v[i].pool, pool))
			continue;
		*min = plus(*min, b->list.v[i].min);
		*low = plus(*low, b->list.v[i].low);
	}
}

static void protect_pools(struct balance *b, uint64_t *ret_min, uint64_t *ret_low)
{
	for (size_t i = 0; i < b->pools.n; i++) {
		const struct vz_vepool *p = &b->pools.v[i];
		uint64_t min, low, own_min, own_low;
		char group[VZ_CG_NAME];

		sum_memory(b, p->name, &min, &low);
		vz_limits_guarantee(p->cfg, &own_min, &own_low);
		min = more_of(min, own_min);
		low = more_of(low, own_low);
		snprintf(group, sizeof(group), "%.80s/" VZ_POOLGROUP "%s", b->top,
			 p->name);
		protect(b, group, min, low);
		*ret_min = plus(*ret_min, min);
		*ret_low = plus(*ret_low, low);
	}
}

/* Nothing below a group is protected better than the group is. */
static void balance_v2_memory(struct balance *b)
{
	const uint64_t most = b->node.ves[VZ_RESERVE_MEM];
	uint64_t min, low;
	char group[VZ_CG_NAME], *slash;

	sum_memory(b, "", &min, &low);
	protect_pools(b, &min, &low);
	/* Never what VE 0 keeps: the kernel would have nothing left to take. */
	min = min < most ? min : most;
	low = low < most ? low : most;
	snprintf(group, sizeof(group), "%s", b->top);
	do {
		protect(b, group, min, low);
		slash = strrchr(group, '/');
		if (slash)
			*slash = 0;
	} while (slash);
}

/* -- memory on v1: soft limits -- */

static void soften_dir(struct balance *b, const char *group, bool reserved)
{
	struct vz_cg cg = { .host = b->host };
	vz_autofree char *path =
		vz_strf("%s/%s", vz_cg_mount(b->host, VZ_CG_MEMORY), group);
	vz_autodir DIR *d = path ? opendir(path) : NULL;
	struct dirent *e;
	char text[24];
	uint32_t veid;

	while (d && (e = readdir(d))) {
		const struct vz_reserve *v;

		if (e->d_type != DT_DIR || vz_parse_veid(e->d_name, &veid))
			continue;
		v = vz_reserves_find(&b->list, veid);
		snprintf(text, sizeof(text), "%" PRIu64, v ? v->low : 0);
		snprintf(cg.name, sizeof(cg.name), "%.100s/%.12s", group, e->d_name);
		/* Of a VE that just ends there is nothing to say. */
		vz_cg_write(&cg, VZ_CG_MEMORY, "memory.soft_limit_in_bytes",
			    reserved && (!v || v->low < VZ_UNLIMITED) ? text : "-1",
			    NULL);
	}
}

static void balance_v1_memory(struct balance *b)
{
	bool reserved = false;
	char group[VZ_CG_NAME];

	for (size_t i = 0; i < b->list.n; i++)
		reserved |= b->list.v[i].want[VZ_RESERVE_MEM];
	soften_dir(b, b->top, reserved);
	for (size_t i = 0; i < b->pools.n; i++) {
		snprintf(group, sizeof(group), "%.80s/" VZ_POOLGROUP "%s", b->top,
			 b->pools.v[i].name);
		soften_dir(b, group, reserved);
	}
}

/* -- all -- */

/* What there is to do for what one VE has or had: bits of enum vz_reserve_kind. */
static unsigned int concerns(const struct vz_reserve *v, bool v2_memory)
{
	bool mem = v->want[VZ_RESERVE_MEM] || (v2_memory && (v->min || v->low));

	/* A pool may have reservations of its own. */
	if (*v->pool)
		return 1u << VZ_RESERVE_CPU | 1u << VZ_RESERVE_MEM;
	return (v->want[VZ_RESERVE_CPU] ? 1u << VZ_RESERVE_CPU : 0) |
	       (mem ? 1u << VZ_RESERVE_MEM : 0);
}

static unsigned int what_to_do(const struct vz_cg_host *host, const struct vz_reserves *l,
			       const struct vz_reserve *gone)
{
	bool v2 = vz_cg_is_v2(host, VZ_CG_MEMORY);
	unsigned int todo = gone ? concerns(gone, v2) : 0;

	for (size_t i = 0; i < l->n; i++)
		todo |= concerns(&l->v[i], v2);
	return todo;
}

static int load(struct balance *b, struct vz_err *err)
{
	int r = vz_reserves_read(b->ctx, &b->list, err);

	if (!r)
		r = vz_vepools_load(b->ctx, &b->pools, err);
	return r ? r : vz_capacity_read(b->ctx, &b->node, err);
}

int vz_balance(const struct vz_ctx *ctx, const struct vz_cg_host *host,
	       const struct vz_cfg *cfg, const struct vz_reserve *gone,
	       struct vz_err *err)
{
	VZ_CLEANUP(balance_done) struct balance b = { .ctx = ctx, .host = host };
	vz_autoreserves struct vz_reserves l = { 0 };
	unsigned int todo;
	vz_autofd int fd = -1;
	int r = vz_reserves_read(ctx, &l, err);

	if (r)
		return r;
	todo = what_to_do(host, &l, gone);
	if (!todo)
		return 0;
	b.top = vz_cfg_str(cfg, VZ_P_CGROUP);
	r = vz_reserve_lock(ctx, &fd);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't lock %s/reserved",
				  ctx->rundir);
	r = load(&b, err);
	if (!r && todo & 1u << VZ_RESERVE_CPU && vz_cg_mount(host, VZ_CG_CPU) &&
	    balance_cpu(&b, gone))
		r = vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't share the CPUs");
	if (r || !(todo & 1u << VZ_RESERVE_MEM) || !vz_cg_mount(host, VZ_CG_MEMORY))
		return r;
	if (vz_cg_is_v2(host, VZ_CG_MEMORY))
		balance_v2_memory(&b);
	else
		balance_v1_memory(&b);
	return 0;
}
