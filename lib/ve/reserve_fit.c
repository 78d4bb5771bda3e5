/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the node has, and whether what VEs were promised fits. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "ve/reserve.h"

#define PAGE 4096u

static int read_ram(const struct vz_ctx *ctx, uint64_t *ret, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/meminfo", ctx->procdir), *text = NULL;
	unsigned long long kib;
	const char *at;
	int r = path ? vz_read_file(path, 1 << 20, &text, NULL) : -ENOMEM;

	at = r ? NULL : strstr(text, "MemTotal:");
	if (!at || sscanf(at, "MemTotal: %llu kB", &kib) != 1)
		return vz_err_set(err, VZ_E_SYSTEM, r ? -r : EINVAL,
				  "can't learn from %s how much RAM there is",
				  path ? path : "/proc/meminfo");
	*ret = kib << 10;
	return 0;
}

/* What VE 0 wants for itself; a node without conf/0.conf has said nothing. */
static int read_own(const struct vz_ctx *ctx, const uint64_t all[],
		    uint64_t ret[VZ_RESERVE__COUNT], struct vz_err *err)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	struct vz_err why = { 0 };
	int r = vz_cfg_load_ve(ctx, 0, &cfg, &why);

	if (r && r != -ENOENT) {
		if (err)
			*err = why;
		return r;
	}
	for (int k = 0; k < VZ_RESERVE__COUNT; k++)
		ret[k] = all[k] / 10;
	if (cfg && vz_cfg_own(cfg, VZ_P_CPURESERVE))
		ret[VZ_RESERVE_CPU] = vz_cfg_u64(cfg, VZ_P_CPURESERVE);
	if (cfg && vz_cfg_own(cfg, VZ_P_MEMRESERVE))
		ret[VZ_RESERVE_MEM] = vz_cfg_u64(cfg, VZ_P_MEMRESERVE) * PAGE;
	return 0;
}

int vz_capacity_read(const struct vz_ctx *ctx, struct vz_capacity *ret,
		     struct vz_err *err)
{
	uint64_t own[VZ_RESERVE__COUNT];
	struct vz_capacity c = { 0 };
	int r = read_ram(ctx, &c.all[VZ_RESERVE_MEM], err);

	c.all[VZ_RESERVE_CPU] = 100ull * sysconf(_SC_NPROCESSORS_ONLN);
	if (!r)
		r = read_own(ctx, c.all, own, err);
	if (r)
		return r;
	for (int k = 0; k < VZ_RESERVE__COUNT; k++)
		c.ves[k] = own[k] < c.all[k] ? c.all[k] - own[k] : 0;
	*ret = c;
	return 0;
}

/* -- whether it fits -- */

uint64_t vz_reserve_pool_own(const struct vz_vepool *p, enum vz_reserve_kind kind)
{
	return kind == VZ_RESERVE_CPU ? vz_cfg_u64(p->cfg, VZ_P_CPURESERVE)
				      : vz_cfg_u64(p->cfg, VZ_P_MEMRESERVE) * PAGE;
}

uint64_t vz_reserve_pool_limit(const struct vz_vepool *p, enum vz_reserve_kind kind)
{
	uint64_t pages = vz_cfg_limit(p->cfg, VZ_P_PHYSPAGES).limit;
	uint64_t cpu = vz_cfg_u64(p->cfg, VZ_P_CPULIMIT);

	if (kind == VZ_RESERVE_CPU)
		return cpu ? cpu : UINT64_MAX;
	return pages >= VZ_UNLIMITED / PAGE ? UINT64_MAX : pages * PAGE;
}

/* Of one pool, "" being none; also how many VEs that is. */
static uint64_t sum_in(const struct vz_reserves *l, const char *pool,
		       enum vz_reserve_kind kind, size_t *ret_ves)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].pool, pool))
			continue;
		sum += l->v[i].want[kind];
		if (ret_ves)
			*ret_ves += !!l->v[i].want[kind];
	}
	return sum;
}

/* Of pools that are gone while VEs are in them. */
static uint64_t sum_homeless(const struct vz_reserves *l, const struct vz_vepools *pools,
			     enum vz_reserve_kind kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		if (*l->v[i].pool && !vz_vepools_find(pools, l->v[i].pool))
			sum += l->v[i].want[kind];
	return sum;
}

uint64_t vz_reserves_sum(const struct vz_reserves *l, const struct vz_vepools *pools,
			 enum vz_reserve_kind kind)
{
	uint64_t sum = sum_in(l, "", kind, NULL) + sum_homeless(l, pools, kind);

	for (size_t i = 0; i < pools->n; i++) {
		uint64_t own = vz_reserve_pool_own(&pools->v[i], kind);
		uint64_t ves = sum_in(l, pools->v[i].name, kind, NULL);

		sum += own > ves ? own : ves;
	}
	return sum;
}

static const char *amount(enum vz_reserve_kind kind, uint64_t v, char buf[32])
{
	if (kind == VZ_RESERVE_CPU)
		snprintf(buf, 32, "%" PRIu64 "%%", v);
	else
		snprintf(buf, 32, "%" PRIu64 " MiB", v >> 20);
	return buf;
}

static const char *const kind_names[] = {
	[VZ_RESERVE_CPU] = "of a CPU",
	[VZ_RESERVE_MEM] = "of memory",
};

/* `where` has `size`, of which others have `taken`. */
static int refuse(enum vz_reserve_kind kind, uint64_t want, const char *where,
		  uint64_t size, uint64_t taken, size_t others, struct vz_err *err)
{
	char w[32], s[32], t[32], f[32];

	return vz_err_set(
		err, VZ_E_OVERCOMMIT, 0,
		"can't reserve %s %s: %s has %s, reserved are %s (%zu other VE%s "
		"and what pools keep), free are %s",
		amount(kind, want, w), kind_names[kind], where, amount(kind, size, s),
		amount(kind, taken, t), others, others == 1 ? "" : "s",
		amount(kind, taken < size ? size - taken : 0, f));
}

/* How much VEs may reserve in it. */
static uint64_t pool_size(const struct vz_vepool *p, enum vz_reserve_kind kind)
{
	uint64_t own = vz_reserve_pool_own(p, kind),
		 limit = vz_reserve_pool_limit(p, kind);

	return own && !p->expandable && own < limit ? own : limit;
}

static int check_pool(const struct vz_reserves *l, const struct vz_reserve *me,
		      enum vz_reserve_kind kind, const struct vz_vepool *pool,
		      struct vz_err *err)
{
	uint64_t size = pool_size(pool, kind), sum;
	size_t ves = 0;
	char where[64];

	sum = sum_in(l, pool->name, kind, &ves);
	if (sum <= size)
		return 0;
	snprintf(where, sizeof(where), "pool %s", pool->name);
	return refuse(kind, me->want[kind], where, size, sum - me->want[kind], ves - 1,
		      err);
}

int vz_reserves_check(const struct vz_reserves *l, uint32_t veid,
		      enum vz_reserve_kind kind, const struct vz_vepools *pools,
		      const struct vz_capacity *node, struct vz_err *err)
{
	const struct vz_reserve *me = vz_reserves_find(l, veid);
	const struct vz_vepool *pool;
	uint64_t sum;
	size_t others = 0;
	int r = 0;

	if (!me || !me->want[kind])
		return 0;
	pool = *me->pool ? vz_vepools_find(pools, me->pool) : NULL;
	if (pool)
		r = check_pool(l, me, kind, pool, err);
	sum = vz_reserves_sum(l, pools, kind);
	if (r || sum <= node->ves[kind])
		return r;
	for (size_t i = 0; i < l->n; i++)
		others += &l->v[i] != me && l->v[i].want[kind];
	return refuse(kind, me->want[kind], "the node", node->ves[kind],
		      sum - me->want[kind], others, err);
}

/* What a pool reserves, and what its VEs have in it, all fits. */
int vz_reserves_check_pool(const struct vz_reserves *l, const char *name,
			   const struct vz_vepool *old, const struct vz_vepools *pools,
			   const struct vz_capacity *node, struct vz_err *err)
{
	const struct vz_vepool *p = vz_vepools_find(pools, name);
	char v[32], w[32];

	for (int k = 0; k < VZ_RESERVE__COUNT; k++) {
		uint64_t sum = sum_in(l, name, k, NULL), size = pool_size(p, k);
		uint64_t own = vz_reserve_pool_own(p, k),
			 was = old ? vz_reserve_pool_own(old, k) : 0;
		uint64_t all = vz_reserves_sum(l, pools, k);

		if (sum > size)
			return vz_err_set(err, VZ_E_OVERCOMMIT, 0,
					  "pool %s can't have %s %s: VEs that run in it "
					  "have reserved %s",
					  name, amount(k, size, v), kind_names[k],
					  amount(k, sum, w));
		if (own > was && all > node->ves[k])
			return refuse(k, own, "the node", node->ves[k],
				      all - (own > sum ? own : sum), l->n, err);
	}
	return 0;
}
