/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/plan.h"

#include <math.h>

#include "base/num.h"

#define PAGE 4096.0
/* The part of low memory that VEs may use. */
#define LOW_SHARE 0.4

void vz_plan_node(const struct vz_machine *m, struct vz_plan_node *ret)
{
	double all = (double)m->ram + m->swap;

	*ret = (struct vz_plan_node){ .v = {
					      [VZ_PLAN_LOWMEM] =
						      m->lowmem ? m->lowmem * LOW_SHARE
								: NAN,
					      [VZ_PLAN_RAM] = m->ram,
					      [VZ_PLAN_MEMSWAP] = all,
					      [VZ_PLAN_ALLOC] = all,
					      [VZ_PLAN_PROC] = m->threads_max,
					      [VZ_PLAN_CPUUNITS] =
						      m->cpu_power ? m->cpu_power : NAN,
					      [VZ_PLAN_CPUTIME] =
						      m->cpus ? m->cpus * 100.0 : NAN,
				      } };
}

void vz_plan_init(struct vz_plan *plan)
{
	*plan = (struct vz_plan){ 0 };
}

/* -- promised and allowed, from barriers and limits -- */

static double amount(int64_t v)
{
	return v == VZ_UNLIMITED ? INFINITY : v == VZ_UBC_UNKNOWN ? NAN : (double)v;
}

static const enum vz_ubc_id kernel_side[] = {
	VZ_UBC_KMEMSIZE,     VZ_UBC_TCPSNDBUF,	 VZ_UBC_TCPRCVBUF,
	VZ_UBC_OTHERSOCKBUF, VZ_UBC_DGRAMRCVBUF,
};

/*
 * Kernel memory and buffers. With a limit of RAM they are in that, and those
 * without a limit of their own add nothing to it.
 */
static double kernel_limit(const struct vz_ubc *u, bool vswap)
{
	double sum = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(kernel_side); i++) {
		double v = amount(u->v[kernel_side[i]].limit);

		if (!(vswap && isinf(v)))
			sum += v;
	}
	return sum;
}

static double allocatable(const struct vz_ubc *u, bool vswap, double kernel)
{
	double v = amount(u->v[VZ_UBC_PRIVVMPAGES].limit) * PAGE + kernel;

	if (vswap && isinf(v))
		return (amount(u->v[VZ_UBC_PHYSPAGES].limit) +
			amount(u->v[VZ_UBC_SWAPPAGES].limit)) *
		       PAGE;
	return v;
}

static void promise(const struct vz_ubc *u, struct vz_plan *p)
{
	double ram = amount(u->v[VZ_UBC_PHYSPAGES].limit);
	double k = kernel_limit(u, isfinite(ram));

	for (int i = 0; i < VZ_PLAN__COUNT; i++)
		for (int f = 0; f < VZ_PLAN__FIGS; f++)
			p->v[i][f] = NAN;
	p->v[VZ_PLAN_LOWMEM][VZ_PLAN_PROMISED] = k;
	p->v[VZ_PLAN_LOWMEM][VZ_PLAN_MAX] = k;
	p->v[VZ_PLAN_RAM][VZ_PLAN_MAX] = ram * PAGE;
	p->v[VZ_PLAN_MEMSWAP][VZ_PLAN_PROMISED] =
		amount(u->v[VZ_UBC_OOMGUARPAGES].barrier) * PAGE + k;
	p->v[VZ_PLAN_ALLOC][VZ_PLAN_PROMISED] =
		amount(u->v[VZ_UBC_VMGUARPAGES].barrier) * PAGE + k;
	p->v[VZ_PLAN_ALLOC][VZ_PLAN_MAX] = allocatable(u, isfinite(ram), k);
	p->v[VZ_PLAN_PROC][VZ_PLAN_MAX] = amount(u->v[VZ_UBC_NUMPROC].barrier);
}

/* The lower of what cpulimit and cpus allow; 0 is no limit, in either. */
static double cpu_limit(const struct vz_cfg *cfg)
{
	double limit = vz_cfg_u64(cfg, VZ_P_CPULIMIT);
	double cpus = vz_cfg_u64(cfg, VZ_P_CPUS) * 100.0;

	if (!limit || !cpus)
		return limit + cpus > 0 ? limit + cpus : INFINITY;
	return limit < cpus ? limit : cpus;
}

void vz_plan_limits(const struct vz_cfg *cfg, struct vz_ubc *ret)
{
	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		struct vz_limit v = vz_cfg_limit(cfg, vz_ubc_descs[i].param);

		ret->v[i] = (struct vz_ubc_value){
			.held = VZ_UBC_UNKNOWN,
			.maxheld = VZ_UBC_UNKNOWN,
			.barrier = v.barrier < VZ_UNLIMITED ? v.barrier : VZ_UNLIMITED,
			.limit = v.limit < VZ_UNLIMITED ? v.limit : VZ_UNLIMITED,
			.failcnt = VZ_UBC_UNKNOWN,
		};
	}
}

void vz_plan_of_cfg(const struct vz_cfg *cfg, struct vz_plan *ret)
{
	struct vz_ubc limits = { 0 };

	vz_plan_limits(cfg, &limits);
	promise(&limits, ret);
	ret->v[VZ_PLAN_RAM][VZ_PLAN_PROMISED] = vz_cfg_u64(cfg, VZ_P_MEMRESERVE) * PAGE;
	ret->v[VZ_PLAN_CPUUNITS][VZ_PLAN_PROMISED] = vz_cfg_u64(cfg, VZ_P_CPUUNITS);
	ret->v[VZ_PLAN_CPUTIME][VZ_PLAN_PROMISED] = vz_cfg_u64(cfg, VZ_P_CPURESERVE);
	ret->v[VZ_PLAN_CPUTIME][VZ_PLAN_MAX] = cpu_limit(cfg);
}

/* -- current, from what is held -- */

void vz_plan_current(const struct vz_ubc *ubc, struct vz_plan *plan)
{
	double held[VZ_UBC__COUNT], k = 0;

	for (int i = 0; i < VZ_UBC__COUNT; i++)
		held[i] = amount(ubc->v[i].held);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(kernel_side); i++)
		k += held[kernel_side[i]];
	plan->v[VZ_PLAN_LOWMEM][VZ_PLAN_CURRENT] = k;
	plan->v[VZ_PLAN_RAM][VZ_PLAN_CURRENT] = held[VZ_UBC_PHYSPAGES] * PAGE + k;
	plan->v[VZ_PLAN_MEMSWAP][VZ_PLAN_CURRENT] = held[VZ_UBC_OOMGUARPAGES] * PAGE + k;
	plan->v[VZ_PLAN_ALLOC][VZ_PLAN_CURRENT] = held[VZ_UBC_PRIVVMPAGES] * PAGE + k;
	plan->v[VZ_PLAN_PROC][VZ_PLAN_CURRENT] = held[VZ_UBC_NUMPROC];
}

void vz_plan_of_ubc(const struct vz_ubc *ubc, struct vz_plan *ret)
{
	promise(ubc, ret);
	vz_plan_current(ubc, ret);
}

/* -- all VEs together -- */

void vz_plan_add(struct vz_plan *sum, const struct vz_plan *plan)
{
	for (int i = 0; i < VZ_PLAN__COUNT; i++)
		for (int f = 0; f < VZ_PLAN__FIGS; f++)
			sum->v[i][f] += plan->v[i][f];
}

bool vz_plan_shown(enum vz_plan_res res, enum vz_plan_fig fig)
{
	static const bool shown[VZ_PLAN__COUNT][VZ_PLAN__FIGS] = {
		[VZ_PLAN_LOWMEM] = { true, true, true },
		[VZ_PLAN_RAM] = { true, false, false },
		[VZ_PLAN_MEMSWAP] = { true, true, false },
		[VZ_PLAN_ALLOC] = { true, true, true },
		[VZ_PLAN_PROC] = { true, false, true },
	};

	return shown[res][fig];
}

double vz_plan_largest(const struct vz_plan *plan, const struct vz_plan_node *node,
		       enum vz_plan_fig fig)
{
	double largest = 0;

	for (int i = 0; i < VZ_PLAN__COUNT; i++) {
		double share = plan->v[i][fig] / node->v[i];

		if (isnan(node->v[i]) || !vz_plan_shown(i, fig))
			continue;
		/* That processes have no limit says nothing about memory. */
		if (i == VZ_PLAN_PROC && isinf(share))
			continue;
		if (isnan(share))
			return NAN;
		if (share > largest)
			largest = share;
	}
	return largest;
}

double vz_plan_reserved(const struct vz_plan *plan, enum vz_plan_res res)
{
	return plan->v[res][res == VZ_PLAN_PROC ? VZ_PLAN_MAX : VZ_PLAN_PROMISED];
}

double vz_plan_room(const struct vz_plan_node *node, const struct vz_plan *sum,
		    const struct vz_plan *one, enum vz_plan_res res)
{
	double each = vz_plan_reserved(one, res), taken = vz_plan_reserved(sum, res);

	/* What has no limit is promised to nobody. */
	if (isnan(node->v[res]) || !isfinite(each) || each <= 0 || isnan(taken) ||
	    (res == VZ_PLAN_PROC && isinf(taken)))
		return NAN;
	taken += node->keep[res];
	return taken < node->v[res] ? (double)(uint64_t)((node->v[res] - taken) / each)
				    : 0;
}

double vz_plan_fits(const struct vz_plan_node *node, const struct vz_plan *sum,
		    const struct vz_plan *one, enum vz_plan_res *ret_end)
{
	double fewest = -1;

	for (int i = 0; i < VZ_PLAN__COUNT; i++) {
		double n = vz_plan_room(node, sum, one, i);

		if (!isnan(n) && (fewest < 0 || n < fewest)) {
			fewest = n;
			*ret_end = i;
		}
	}
	return fewest;
}
