/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzcalc: which share of the node a VE takes; or what all of them leave. */
#include "vzcalc/vzcalc.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tool/cols.h"
#include "tool/json.h"
#include "ve/ve.h"
#include "vzcalc/node.h"

static const struct vz_opt opts[] = {
	[OPT_VERBOSE] = { "verbose", 'v', NULL,
			  "each resource, not only the largest share" },
	[OPT_JSON] = { "json", 'j', NULL, "as JSON" },
	[OPT_NODE] = { "node", 0, NULL, "the whole node with all its VEs" },
	[OPT_RUNNING] = { "running", 'r', NULL, "of these, the ones that run" },
	[OPT_CONFIG] = { "config", 0, "SAMPLE", "how many more VEs of this sample fit" },
	[OPT_NODES] = { "nodes", 0, "NUM", "what happens when one of NUM nodes fails" },
	[OPT_HTML] = { "html", 0, "FILE", "write a page with pictures, too" },
	[OPT_UBC] = { "ubc", 0, "FILE", "counters from a saved user_beancounters" },
	{ 0 },
};

/* The rows of a VE's table, under OpenVZ's names. */
static const char *const labels[VZ_PLAN__COUNT] = {
	[VZ_PLAN_LOWMEM] = "Low Mem",	  [VZ_PLAN_RAM] = "Total RAM",
	[VZ_PLAN_MEMSWAP] = "Mem + Swap", [VZ_PLAN_ALLOC] = "Alloc. Mem",
	[VZ_PLAN_PROC] = "Num. Proc",
};

/* Shares of the node, as fractions. */
struct row {
	const char *label, *name;
	struct {
		bool there; /* the figure has a meaning here */
		double share; /* NAN: not known */
	} fig[VZ_PLAN__FIGS];
};

static struct row row_of(const struct ve *ve, const struct vz_plan_node *node,
			 enum vz_plan_res res)
{
	struct row row = { labels[res], node_kinds[res].name };

	for (int f = 0; f < VZ_PLAN__FIGS; f++) {
		row.fig[f].there = vz_plan_shown(res, f) && !isnan(node->v[res]) &&
				   (f != VZ_PLAN_CURRENT || ve->running);
		row.fig[f].share = ve->plan.v[res][f] / node->v[res];
	}
	return row;
}

static struct row summary(const struct ve *ve, const struct vz_plan_node *node)
{
	struct row row = { "Memory", "memory" };

	for (int f = 0; f < VZ_PLAN__FIGS; f++) {
		row.fig[f].there = f != VZ_PLAN_CURRENT || ve->running;
		row.fig[f].share = vz_plan_largest(&ve->plan, node, f);
	}
	return row;
}

static void print_row(const struct row *row)
{
	printf("%-10s", row->label);
	for (int f = 0; f < VZ_PLAN__FIGS; f++) {
		if (!row->fig[f].there)
			printf(" %12s", "n/a");
		else if (isnan(row->fig[f].share))
			printf(" %12s", "-");
		else if (isinf(row->fig[f].share))
			printf(" %12s", "unlimited");
		else
			printf(" %12.2f", row->fig[f].share * 100);
	}
	putchar('\n');
}

static void json_cell(const void *data, const struct vz_col *col, unsigned int part,
		      struct vz_cell *ret)
{
	const struct row *row = data;

	ret->set = true;
	if (!col->id) {
		ret->text = row->name;
		return;
	}
	ret->set = row->fig[col->id - 1].there && isfinite(row->fig[col->id - 1].share);
	if (ret->set)
		ret->num = row->fig[col->id - 1].share * 100 * 1000 + 0.5;
}

static int print_json(const struct row *rows, size_t n, struct vz_err *err)
{
	static const struct vz_col cols[] = {
		{ "resource", "", 0, VZ_COL_STR, .id = 0 },
		{ "current", "", 0, VZ_COL_MILLI, .id = 1 + VZ_PLAN_CURRENT },
		{ "promised", "", 0, VZ_COL_MILLI, .id = 1 + VZ_PLAN_PROMISED },
		{ "max", "", 0, VZ_COL_MILLI, .id = 1 + VZ_PLAN_MAX },
	};
	struct vz_cols t = { cols, VZ_ARRAY_SIZE(cols), json_cell };
	struct vz_pick picks[VZ_ARRAY_SIZE(cols)] = { { 0 } };
	const void *p[VZ_PLAN__COUNT + 1];
	int r;

	for (size_t i = 0; i < t.n; i++)
		picks[i].col = &cols[i];
	for (size_t i = 0; i < n; i++)
		p[i] = &rows[i];
	r = vz_cols_json(&t, picks, t.n, p, n, stdout);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write JSON") : 0;
}

static void note_unknown(const struct vz_tool_run *run, const struct ve *ve)
{
	vz_autostr struct vz_str names = { 0 };

	if (!ve->running)
		return;
	ves_unknown(&ve->ubc, &names);
	if (names.len)
		vz_warn(run->ctx, "VE %u: not known on this node: %s", ve->id, names.s);
}

int calc_ve(struct vz_tool_run *run)
{
	bool verbose = run->value[OPT_VERBOSE], json = run->value[OPT_JSON];
	struct row rows[VZ_PLAN__COUNT + 1];
	struct vz_plan_node node;
	struct vz_machine machine;
	size_t n = 0;
	uint32_t id;
	struct ve ve;
	int r = vz_machine_read(run->ctx, &machine, run->err);

	if (!r)
		r = vz_ve_lookup(run->ctx, run->words.v[0], &id, run->err);
	if (!r)
		r = ves_load_one(run->ctx, run->value[OPT_UBC], id, &ve, run->err);
	if (r)
		return r;
	vz_plan_node(&machine, &node);
	for (int i = 0; i < VZ_PLAN__COUNT; i++)
		if ((verbose || json) && labels[i])
			rows[n++] = row_of(&ve, &node, i);
	rows[n++] = summary(&ve, &node);
	if (json)
		return print_json(rows, n, run->err);
	if (verbose)
		note_unknown(run, &ve);
	printf("%-10s %12s %12s %12s\n", "Resource", "Current(%)", "Promised(%)",
	       "Max(%)");
	for (size_t i = 0; i < n; i++) {
		if (verbose && i == n - 1)
			puts("-------------------------------------------------");
		print_row(&rows[i]);
	}
	return 0;
}

static int calc(struct vz_tool_run *run)
{
	static const int node_only[] = { OPT_RUNNING, OPT_CONFIG, OPT_NODES, OPT_HTML };

	if (run->value[OPT_NODE] && run->words.n)
		return vz_err_set(run->err, VZ_E_SYNTAX, 0,
				  "--node is about all VEs: leave '%s' out",
				  run->words.v[0]);
	if (run->value[OPT_NODE])
		return calc_node(run);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(node_only); i++)
		if (run->value[node_only[i]])
			return vz_err_set(run->err, VZ_E_SYNTAX, 0,
					  "--%s goes with --node only",
					  opts[node_only[i]].name);
	if (!run->words.n)
		return vz_err_set(run->err, VZ_E_NOPARAM, 0,
				  "a VEID is missing, or --node: see vzcalc --help");
	return calc_ve(run);
}

int main(int argc, char **argv)
{
	static const struct vz_tool tool = {
		.name = "vzcalc",
		.args = "[-v | -j] [--ubc FILE] VEID|NAME\n"
			"       vzcalc --node [-r] [-j] [--config SAMPLE] [--nodes NUM]\n"
			"              [--html FILE] [--ubc FILE]",
		.about = "Show which share of the node a VE takes, or what all VEs "
			 "leave of it.",
		.opts = opts,
		.words_max = 1,
		.plans = true,
		.run = calc,
	};

	return vz_tool_main(&tool, argc, argv);
}
