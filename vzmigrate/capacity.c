/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/capacity.h"

#include <math.h>

#include "ve/ids.h"
#include "ve/ve.h"

/*
 * What is promised, and must be there; CPU units are shares, and numbers of processes
 * limits: nobody is promised these.
 */
static const struct {
	enum vz_plan_res res;
	const char *key;
} kinds[] = { { VZ_PLAN_LOWMEM, "lowmem" },
	      { VZ_PLAN_RAM, "ram" },
	      { VZ_PLAN_MEMSWAP, "memswap" },
	      { VZ_PLAN_ALLOC, "allocated" } };

int capacity_read(const struct vz_ctx *ctx, struct capacity *ret, struct vz_err *err)
{
	struct capacity c = { 0 };
	vz_autoids struct vz_ids ids = { 0 };
	struct vz_machine machine;
	int r = vz_machine_read(ctx, &machine, err);

	if (r)
		return mig_recast(err, MIG_E_SYSTEM, r);
	vz_plan_node(&machine, &c.node);
	vz_plan_init(&c.sum);
	r = vz_ids_active(ctx, &ids);
	if (r)
		return mig_fail(err, MIG_E_SYSTEM, -r, "can't list the VEs");
	for (size_t i = 0; i < ids.n; i++) {
		vz_autove struct vz_ve ve = { 0 };
		struct vz_err ignored;
		struct vz_plan one;

		if (vz_ve_open(ctx, ids.v[i], &ve, &ignored))
			continue;
		vz_plan_of_cfg(ve.cfg, &one);
		capacity_take(&c, &one);
	}
	*ret = c;
	return 0;
}

bool capacity_fits(const struct capacity *c, const struct vz_plan *one)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(kinds); i++)
		if (vz_plan_room(&c->node, &c->sum, one, kinds[i].res) < 1)
			return false;
	return true;
}

double capacity_left(const struct capacity *c)
{
	double all = c->node.v[VZ_PLAN_ALLOC] - c->node.keep[VZ_PLAN_ALLOC];
	double left = (all - vz_plan_reserved(&c->sum, VZ_PLAN_ALLOC)) / all;

	return isfinite(left) && left > 0 ? left : 0;
}

void capacity_take(struct capacity *c, const struct vz_plan *one)
{
	vz_plan_add(&c->sum, one);
	c->ves++;
}

/* What is not known, or has no end, is not in the message. */
static void pack(json_t *to, const char *key, double v)
{
	if (isfinite(v))
		json_object_set_new(to, key, json_real(v));
}

void capacity_pack(const struct capacity *c, json_t *ret)
{
	json_object_set_new(ret, "ves", json_integer(c->ves));
	for (size_t i = 0; i < VZ_ARRAY_SIZE(kinds); i++) {
		json_t *one = json_object();

		if (!one)
			continue;
		pack(one, "node", c->node.v[kinds[i].res]);
		pack(one, "keep", c->node.keep[kinds[i].res]);
		pack(one, "promised", vz_plan_reserved(&c->sum, kinds[i].res));
		json_object_set_new(ret, kinds[i].key, one);
	}
}

static double unpack(const json_t *from, const char *key, double none)
{
	const json_t *v = json_object_get(from, key);

	return json_is_number(v) ? json_number_value(v) : none;
}

int capacity_unpack(const json_t *msg, struct capacity *ret, struct vz_err *err)
{
	struct capacity c = { 0 };
	uint64_t ves;
	int r = wire_num(msg, "ves", UINT32_MAX, &ves, err);

	if (r)
		return r;
	c.ves = ves;
	vz_plan_init(&c.sum);
	for (int i = 0; i < VZ_PLAN__COUNT; i++)
		c.node.v[i] = NAN;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(kinds); i++) {
		const json_t *one = json_object_get(msg, kinds[i].key);
		enum vz_plan_res res = kinds[i].res;

		c.node.v[res] = unpack(one, "node", NAN);
		c.node.keep[res] = unpack(one, "keep", 0);
		c.sum.v[res][VZ_PLAN_PROMISED] = unpack(one, "promised", INFINITY);
	}
	*ret = c;
	return 0;
}
