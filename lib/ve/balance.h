/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_BALANCE_H
#define VZ_VE_BALANCE_H

#include "sys/cgroup.h"
#include "ve/reserve.h"

/*
 * What it takes that promises are kept, beyond a VE's own group. The kernel
 * knows shares of CPU time, which are worth what the others' leave of them,
 * and protects memory no better than the groups above protect theirs. So with
 * each VE that comes, goes or changes:
 *
 *  - a VE, or pool, that reserves CPU time gets a weight with which it has at
 *    least that, should all others want all that they can get; the group of all
 *    VEs gets one with which it has all but what VE 0 keeps;
 *  - on v2 the groups above VEs protect as much memory as their VEs together;
 *  - on v1 each VE's soft limit is what it is guaranteed, so that others give
 *    memory back first.
 *
 * Nothing is touched on a node where nothing is reserved. cfg: of vz.conf or
 * any VE. `gone`: somebody has just given back what he had (NULL: no).
 */
int vz_balance(const struct vz_ctx *ctx, const struct vz_cg_host *host,
	       const struct vz_cfg *cfg, const struct vz_reserve *gone,
	       struct vz_err *err);

/*
 * The weights of groups that share one: `others` is the sum of those that are
 * as they are; each entry has its least weight and the part of the whole (in
 * millionths) that it must have. On return `weight` is what each needs, never
 * more than `max`. Pure.
 */
struct vz_balance_entry {
	char name[40]; /* of the group in its directory */
	uint64_t base;
	uint64_t need; /* 1000000: all of it */
	uint64_t weight;
};
void vz_balance_weights(struct vz_balance_entry *v, size_t n, uint64_t others,
			uint64_t max);

#endif
