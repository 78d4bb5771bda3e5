/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_RESERVE_H
#define VZ_VE_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "res/vepool.h"

/*
 * What the VEs that run were promised: a list in RUNDIR/reserved, changed under
 * a lock, by which a start knows whether its VE's promises can be kept. A VE
 * that is in no pool and has no guarantee is not in it.
 */
enum vz_reserve_kind {
	VZ_RESERVE_CPU, /* per cent of one CPU */
	VZ_RESERVE_MEM, /* bytes */
	VZ_RESERVE__COUNT,
};

struct vz_reserve {
	uint32_t veid;
	char pool[VZ_POOLNAME_MAX + 1]; /* "": none */
	uint64_t want[VZ_RESERVE__COUNT];
	uint64_t units; /* CPUUNITS */
	uint64_t min, low; /* bytes, see vz_limits_guarantee() */
};

struct vz_reserves {
	struct vz_reserve *v;
	size_t n;
};

/* The list as it is, ascending by VEID. */
int vz_reserves_read(const struct vz_ctx *ctx, struct vz_reserves *ret,
		     struct vz_err *err);
void vz_reserves_done(struct vz_reserves *l);
#define vz_autoreserves VZ_CLEANUP(vz_reserves_done)
const struct vz_reserve *vz_reserves_find(const struct vz_reserves *l, uint32_t veid);

/*
 * What the node has for VEs: all its CPUs and RAM but what VE 0 reserves in
 * conf/0.conf, or else a tenth.
 */
struct vz_capacity {
	uint64_t all[VZ_RESERVE__COUNT];
	uint64_t ves[VZ_RESERVE__COUNT];
};
/* Of a pool's own: what it reserves, and the limit (UINT64_MAX: none). */
uint64_t vz_reserve_pool_own(const struct vz_vepool *p, enum vz_reserve_kind kind);
uint64_t vz_reserve_pool_limit(const struct vz_vepool *p, enum vz_reserve_kind kind);
int vz_capacity_read(const struct vz_ctx *ctx, struct vz_capacity *ret,
		     struct vz_err *err);

/*
 * What of the node is set aside: for each pool its own reservation or its VEs',
 * whichever is more, and for each VE in none its own.
 */
uint64_t vz_reserves_sum(const struct vz_reserves *l, const struct vz_vepools *pools,
			 enum vz_reserve_kind kind);

/*
 * Whether the promise to one VE of the list can be kept beside all others': in
 * its pool, and by the node. VZ_E_OVERCOMMIT with how much there is. Pure.
 */
int vz_reserves_check(const struct vz_reserves *l, uint32_t veid,
		      enum vz_reserve_kind kind, const struct vz_vepools *pools,
		      const struct vz_capacity *node, struct vz_err *err);

/* The same for a pool of `pools` that was `old` (NULL: it is new). */
int vz_reserves_check_pool(const struct vz_reserves *l, const char *name,
			   const struct vz_vepool *old, const struct vz_vepools *pools,
			   const struct vz_capacity *node, struct vz_err *err);

/* What a configuration wants. */
void vz_reserve_of(uint32_t veid, const struct vz_cfg *cfg, struct vz_reserve *ret);

enum vz_reserve_flags {
	VZ_RESERVE_FORCE = 1 << 0, /* what can't be kept is a warning */
	VZ_RESERVE_POOL = 1 << 1, /* only be in the pool, promise nothing */
	VZ_RESERVE_LIVE = 1 << 2, /* the VE runs: it stays in the pool that it is in */
};

/*
 * Put a VE into the list, or change what it has there. More than before must
 * fit (VZ_E_OVERCOMMIT); then nothing has changed.
 */
int vz_reserve_claim(const struct vz_ctx *ctx, uint32_t veid, const struct vz_cfg *cfg,
		     unsigned int flags, struct vz_err *err);
/* What it has there; nothing of all when it is not in. */
int vz_reserve_get(const struct vz_ctx *ctx, uint32_t veid, struct vz_reserve *ret,
		   struct vz_err *err);
/* Take it out. *ret_was is what it had; -ENOENT: it was not in. */
int vz_reserve_release(const struct vz_ctx *ctx, uint32_t veid,
		       struct vz_reserve *ret_was, struct vz_err *err);

/* Keep the list as it is until *ret_fd is closed. 0 or -errno. */
int vz_reserve_lock(const struct vz_ctx *ctx, int *ret_fd);

#endif
