/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_CAPACITY_H
#define VZMIGRATE_CAPACITY_H

#include "base/ctx.h"
#include "res/plan.h"
#include "vzmigrate/wire.h"

/* What memory a node has, and has promised to the VEs that run on it, as vzcalc reckons. */
struct capacity {
	struct vz_plan_node node;
	struct vz_plan sum;
	size_t ves; /* that run */
};

int capacity_read(const struct vz_ctx *ctx, struct capacity *ret, struct vz_err *err);
/* Whether what `one` is promised can be promised beside all that is. */
bool capacity_fits(const struct capacity *c, const struct vz_plan *one);
/* The share of RAM and swap that is not promised, 0 to 1 (0 also: without any limit). */
double capacity_left(const struct capacity *c);
/* The VE runs there now, or will. */
void capacity_take(struct capacity *c, const struct vz_plan *one);

/* Into and out of a message. */
void capacity_pack(const struct capacity *c, json_t *ret);
int capacity_unpack(const json_t *msg, struct capacity *ret, struct vz_err *err);

#endif
