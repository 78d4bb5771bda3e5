/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_PLAN_H
#define VZ_RES_PLAN_H

#include <stdbool.h>

#include "res/cfg.h"
#include "res/ubc.h"
#include "sys/machine.h"

/*
 * What VEs take of a node: the formulas of the contract's section
 * "Beancounters". Pure. An amount is in bytes, threads, CPU units; NAN is
 * one that nobody knows, or that there is not, and INFINITY has no limit. A sum
 * of what is known and what is not is not known.
 */
enum vz_plan_res {
	VZ_PLAN_LOWMEM,
	VZ_PLAN_RAM,
	VZ_PLAN_MEMSWAP,
	VZ_PLAN_ALLOC,
	VZ_PLAN_PROC,
	VZ_PLAN_CPUUNITS,
	VZ_PLAN_CPUTIME, /* per cent of one CPU */
	VZ_PLAN__COUNT,
};

enum vz_plan_fig {
	VZ_PLAN_CURRENT, /* held now */
	VZ_PLAN_PROMISED, /* the VE can count on it */
	VZ_PLAN_MAX, /* it gets no more */
	VZ_PLAN__FIGS,
};

struct vz_plan {
	double v[VZ_PLAN__COUNT][VZ_PLAN__FIGS];
};

/* What the node has of each; NAN: there is no such thing here. */
struct vz_plan_node {
	double v[VZ_PLAN__COUNT];
	double keep[VZ_PLAN__COUNT]; /* of it that no VE is promised */
};
void vz_plan_node(const struct vz_machine *m, struct vz_plan_node *ret);

/* Nothing of anything, to add to. */
void vz_plan_init(struct vz_plan *plan);

/* The barriers and limits of a configuration; what is held is not known. */
void vz_plan_limits(const struct vz_cfg *cfg, struct vz_ubc *ret);

/* What a configuration promises and allows; nothing is current. */
void vz_plan_of_cfg(const struct vz_cfg *cfg, struct vz_plan *ret);
/* The same from the counters of a running VE, and what is current. */
void vz_plan_of_ubc(const struct vz_ubc *ubc, struct vz_plan *ret);
/* Into plan, which a configuration gave, what is current. */
void vz_plan_current(const struct vz_ubc *ubc, struct vz_plan *plan);

void vz_plan_add(struct vz_plan *sum, const struct vz_plan *plan);

/* Whether vzcalc's table of one VE has the figure. */
bool vz_plan_shown(enum vz_plan_res res, enum vz_plan_fig fig);
/*
 * The largest share of the node of those, as a fraction; NAN when one that the
 * node has is not known.
 */
double vz_plan_largest(const struct vz_plan *plan, const struct vz_plan_node *node,
		       enum vz_plan_fig fig);

/* What a VE takes from others for sure: promised, else (threads) its maximum. */
double vz_plan_reserved(const struct vz_plan *plan, enum vz_plan_res res);

/*
 * How many more VEs like `one` a resource can be promised to; NAN: any number,
 * since one takes nothing of it that could end.
 */
double vz_plan_room(const struct vz_plan_node *node, const struct vz_plan *sum,
		    const struct vz_plan *one, enum vz_plan_res res);
/*
 * The same for all resources together, and which ends first. -1: any number.
 */
double vz_plan_fits(const struct vz_plan_node *node, const struct vz_plan *sum,
		    const struct vz_plan *one, enum vz_plan_res *ret_end);

#endif
