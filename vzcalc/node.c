/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzcalc --node: what all VEs together take, and what is left. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "vzcalc/node.h"
#include "vzcalc/vzcalc.h"

#define NODES_MAX 10000

const struct node_kind node_kinds[VZ_PLAN__COUNT] = {
	[VZ_PLAN_LOWMEM] = { "Low memory", "lowmem", true, true },
	[VZ_PLAN_RAM] = { "RAM", "ram", true, true },
	[VZ_PLAN_MEMSWAP] = { "RAM + swap", "memswap", true, true },
	[VZ_PLAN_ALLOC] = { "Allocations", "allocated", true, true },
	[VZ_PLAN_PROC] = { "Processes", "processes", false, true },
	[VZ_PLAN_CPUUNITS] = { "CPU units", "cpuunits", false, false },
	[VZ_PLAN_CPUTIME] = { "CPU time (%)", "cputime", false, false },
};

double node_promised(const struct node_row *row)
{
	return row->res == VZ_PLAN_PROC ? NAN : row->reserved;
}

const char *node_amount(enum vz_plan_res res, double v, char buf[VZ_HUMAN_MAX + 1])
{
	bool negative = v < 0;
	int64_t n;

	if (isinf(v))
		return negative ? "none" : "unlim";
	n = isnan(v) ? VZ_UBC_UNKNOWN : (int64_t)fabs(v);
	buf[0] = '-';
	if (node_kinds[res].bytes)
		vz_human_bytes(n, 1, buf + negative);
	else
		vz_human_count(n, buf + negative);
	return buf;
}

/* Neither promised nor used. What is promised without a limit leaves nothing. */
static double left_of(const struct node_row *row)
{
	double promised = isfinite(row->reserved) ? row->reserved : 0, left;

	if (isinf(row->reserved) && row->res != VZ_PLAN_PROC)
		return -INFINITY;
	left = row->node - row->keep - promised;
	if (!node_kinds[row->res].counted)
		return left;
	if (isnan(row->used))
		return NAN;
	return row->node - row->used < left ? row->node - row->used : left;
}

/* The VEs of one node go to the others, to each as many. */
static void fail_over(struct node_row *row, uint64_t nodes)
{
	double more = (double)nodes / (nodes - 1), used, promised;

	row->after_used = row->used * more;
	row->after_reserved = row->reserved * more;
	used = node_kinds[row->res].counted ? row->after_used - row->node : 0;
	promised = row->after_reserved - (row->node - row->keep);
	if (row->res == VZ_PLAN_PROC && isinf(promised))
		promised = 0;
	if (used > 0 || promised > 0)
		row->after_short = used > promised ? used : promised;
	else if (isnan(used) || isnan(promised))
		row->after_short = NAN;
}

/* Reservations are added up as a start does: pools have theirs together. */
static int add_reserves(struct vz_tool_run *run, struct node_report *rep)
{
	static const enum vz_plan_res rows[VZ_RESERVE__COUNT] = {
		[VZ_RESERVE_CPU] = VZ_PLAN_CPUTIME,
		[VZ_RESERVE_MEM] = VZ_PLAN_RAM,
	};
	vz_autovepools struct vz_vepools pools = { 0 };
	vz_autoreserves struct vz_reserves all = { 0 };
	struct vz_capacity c;
	int r = vz_vepools_load(run->ctx, &pools, run->err);

	if (!r)
		r = vz_capacity_read(run->ctx, &c, run->err);
	if (r)
		return r;
	all.v = calloc(rep->ves.n + 1, sizeof(*all.v));
	if (!all.v)
		return vz_err_set(run->err, VZ_E_RESOURCES, ENOMEM, "can't add up VEs");
	for (size_t i = 0; i < rep->ves.n; i++)
		all.v[all.n++] = rep->ves.v[i].reserve;
	for (int k = 0; k < VZ_RESERVE__COUNT; k++) {
		double node = rep->node.v[rows[k]];

		/* A tenth of this node is a tenth of the one that is planned, too. */
		rep->node.keep[rows[k]] = (double)(c.all[k] - c.ves[k]) / c.all[k] * node;
		rep->sum.v[rows[k]][VZ_PLAN_PROMISED] = vz_reserves_sum(&all, &pools, k);
	}
	return 0;
}

static void add_ves(struct node_report *rep)
{
	vz_plan_init(&rep->sum);
	for (size_t i = 0; i < rep->ves.n; i++) {
		struct vz_plan p = rep->ves.v[i].plan;

		for (int k = 0; k < VZ_PLAN__COUNT && !rep->ves.v[i].running; k++)
			p.v[k][VZ_PLAN_CURRENT] = 0;
		vz_plan_add(&rep->sum, &p);
	}
}

static void add_rows(struct node_report *rep)
{
	for (int i = 0; i < VZ_PLAN__COUNT; i++) {
		struct node_row *row = &rep->rows[rep->n];

		if (isnan(rep->node.v[i]))
			continue;
		*row = (struct node_row){ .res = i,
					  .node = rep->node.v[i],
					  .keep = rep->node.keep[i] };
		row->used = node_kinds[i].counted ? rep->sum.v[i][VZ_PLAN_CURRENT] : NAN;
		row->reserved = vz_plan_reserved(&rep->sum, i);
		row->max = rep->sum.v[i][VZ_PLAN_MAX];
		row->left = left_of(row);
		if (rep->sample)
			row->room = vz_plan_room(&rep->node, &rep->sum, &rep->one, i);
		if (rep->nodes)
			fail_over(row, rep->nodes);
		rep->n++;
	}
}

static int load_sample(struct vz_tool_run *run, struct node_report *rep)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r;

	rep->sample = run->value[OPT_CONFIG];
	if (!rep->sample)
		return 0;
	r = vz_cfg_load_sample(run->ctx, rep->sample, 0, &cfg, run->err);
	if (!r)
		vz_plan_of_cfg(cfg, &rep->one);
	return r;
}

static int find_nodes(struct vz_tool_run *run, uint64_t *ret)
{
	const char *word = run->value[OPT_NODES];

	if (word && (vz_parse_u64(word, NODES_MAX, ret) || *ret < 2))
		return vz_err_set(run->err, VZ_E_VALUE, 0,
				  "--nodes %.40s: expected a number from 2 to %u", word,
				  NODES_MAX);
	return 0;
}

int calc_node(struct vz_tool_run *run)
{
	struct node_report rep = { 0 };
	int r = find_nodes(run, &rep.nodes);

	if (!r)
		r = vz_machine_read(run->ctx, &rep.machine, run->err);
	if (!r)
		r = load_sample(run, &rep);
	if (!r)
		r = ves_load(run->ctx, run->value[OPT_UBC],
			     run->value[OPT_RUNNING] ? VES_RUNNING : VES_ALL, &rep.ves,
			     run->err);
	if (r)
		return r;
	vz_plan_node(&rep.machine, &rep.node);
	add_ves(&rep);
	r = add_reserves(run, &rep);
	if (!r)
		add_rows(&rep);
	if (!r && run->value[OPT_JSON])
		r = node_print_json(&rep, run->err);
	else if (!r)
		node_print_text(&rep);
	if (!r && run->value[OPT_HTML])
		r = node_write_html(&rep, run->value[OPT_HTML], run->err);
	if (!r && rep.ves.partial)
		r = 1;
	ves_done(&rep.ves);
	return r;
}
