/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzmemcheck: how much of the node's memory its running VEs use and are promised. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "tool/cols.h"
#include "tool/json.h"
#include "tool/main.h"
#include "vzcalc/ves.h"

enum { VERBOSE, ABSOLUTE, JSON, UBC };

static const struct vz_opt opts[] = {
	[VERBOSE] = { "verbose", 'v', NULL, "each VE, not only the sum" },
	[ABSOLUTE] = { "absolute", 'A', NULL, "megabytes, and what the node has" },
	[JSON] = { "json", 'j', NULL, "as JSON" },
	[UBC] = { "ubc", 0, "FILE", "counters from a saved user_beancounters" },
	{ 0 },
};

#define MIB 1048576.0

static const struct {
	enum vz_plan_res res;
	enum vz_plan_fig fig;
	const char *head[2];
	const char *name; /* in JSON */
} columns[] = {
	{ VZ_PLAN_LOWMEM, VZ_PLAN_CURRENT, { "LowMem", "util" }, "lowmem_util" },
	{ VZ_PLAN_LOWMEM, VZ_PLAN_PROMISED, { "LowMem", "commit" }, "lowmem_commit" },
	{ VZ_PLAN_RAM, VZ_PLAN_CURRENT, { "RAM", "util" }, "ram_util" },
	{ VZ_PLAN_MEMSWAP, VZ_PLAN_CURRENT, { "MemSwap", "util" }, "memswap_util" },
	{ VZ_PLAN_MEMSWAP, VZ_PLAN_PROMISED, { "MemSwap", "commit" }, "memswap_commit" },
	{ VZ_PLAN_ALLOC, VZ_PLAN_CURRENT, { "Alloc", "util" }, "alloc_util" },
	{ VZ_PLAN_ALLOC, VZ_PLAN_PROMISED, { "Alloc", "commit" }, "alloc_commit" },
	{ VZ_PLAN_ALLOC, VZ_PLAN_MAX, { "Alloc", "limit" }, "alloc_limit" },
};
#define COLUMNS VZ_ARRAY_SIZE(columns)

struct row {
	const struct report *report;
	uint32_t id; /* 0: all of them */
	struct vz_plan plan;
};

struct report {
	bool absolute, verbose;
	struct vz_plan_node node;
	struct row *rows; /* the last is the sum */
	size_t n;
};

/* In per cent or megabytes; NAN: not known, or the node has no such thing. */
static double value(const struct row *row, size_t column)
{
	double node = row->report->node.v[columns[column].res];
	double v = row->plan.v[columns[column].res][columns[column].fig];

	if (isnan(node))
		return NAN;
	return row->report->absolute ? v / MIB : v / node * 100;
}

static void print_value(double v)
{
	if (isnan(v))
		printf(" %7s", "-");
	else if (isinf(v))
		printf(" %7s", "unlim");
	else
		printf(" %7.2f", v);
}

static void print_line(const struct row *row, const char *title)
{
	if (row->report->verbose)
		printf("%-10s", title);
	for (size_t i = 0; i < COLUMNS; i++)
		print_value(value(row, i));
	putchar('\n');
}

static void print_head(const struct report *rep)
{
	printf("Output values in %s\n", rep->absolute ? "Mbytes" : "%");
	for (int line = 0; line < 2; line++) {
		if (rep->verbose)
			printf("%-10s", line ? "" : "CTID");
		for (size_t i = 0; i < COLUMNS; i++)
			printf(" %7s", columns[i].head[line]);
		putchar('\n');
	}
}

static void print_text(const struct report *rep)
{
	char title[16];

	print_head(rep);
	for (size_t i = 0; rep->verbose && i + 1 < rep->n; i++) {
		snprintf(title, sizeof(title), "%u", rep->rows[i].id);
		print_line(&rep->rows[i], title);
	}
	if (rep->verbose)
		puts("-------------------------------------------------------------------"
		     "-------");
	print_line(&rep->rows[rep->n - 1], "Summary:");
	if (!rep->absolute)
		return;
	if (rep->verbose)
		printf("%-10s", "Node:");
	for (size_t i = 0; i < COLUMNS; i++)
		print_value(rep->node.v[columns[i].res] / MIB);
	putchar('\n');
}

static void json_cell(const void *data, const struct vz_col *col, unsigned int part,
		      struct vz_cell *ret)
{
	const struct row *row = data;
	double v = col->id < 0 ? row->id : value(row, col->id);

	ret->set = col->id < 0 ? row->id : isfinite(v);
	if (ret->set)
		ret->num = col->id < 0 ? v : v * 1000 + 0.5;
}

static int print_json(const struct report *rep, struct vz_err *err)
{
	struct vz_col cols[COLUMNS + 1] = {
		{ .name = "ctid", .type = VZ_COL_NUM, .id = -1 },
	};
	struct vz_cols t = { cols, COLUMNS + 1, json_cell };
	struct vz_pick picks[COLUMNS + 1] = { { 0 } };
	size_t from = rep->verbose ? 0 : rep->n - 1, n = rep->n - from;
	vz_autofree const void **rows = calloc(rep->n, sizeof(*rows));
	int r;

	for (size_t i = 0; i < COLUMNS; i++)
		cols[i + 1] = (struct vz_col){ .name = columns[i].name,
					       .type = VZ_COL_MILLI,
					       .id = i };
	for (size_t i = 0; i <= COLUMNS; i++)
		picks[i].col = &cols[i];
	for (size_t i = 0; rows && i < n; i++)
		rows[i] = &rep->rows[from + i];
	r = rows ? vz_cols_json(&t, picks, COLUMNS + 1, rows, n, stdout) : -ENOMEM;
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write JSON") : 0;
}

static int fill(struct report *rep, const struct ves *ves, struct vz_err *err)
{
	struct row *sum;

	rep->rows = calloc(ves->n + 1, sizeof(*rep->rows));
	if (!rep->rows)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't list VEs");
	sum = &rep->rows[ves->n];
	*sum = (struct row){ .report = rep };
	for (size_t i = 0; i < ves->n; i++) {
		struct row *row = &rep->rows[rep->n++];

		*row = (struct row){ rep, ves->v[i].id };
		vz_plan_of_ubc(&ves->v[i].ubc, &row->plan);
		vz_plan_add(&sum->plan, &row->plan);
	}
	rep->n++;
	return 0;
}

static int check(struct vz_tool_run *run)
{
	struct report rep = { .absolute = run->value[ABSOLUTE],
			      .verbose = run->value[VERBOSE] };
	vz_autoves struct ves ves = { 0 };
	struct vz_machine machine;
	int r = vz_machine_read(run->ctx, &machine, run->err);

	if (!r)
		r = ves_load(run->ctx, run->value[UBC], VES_RUNNING, &ves, run->err);
	if (!r)
		r = fill(&rep, &ves, run->err);
	if (r)
		return r;
	vz_plan_node(&machine, &rep.node);
	if (run->value[JSON])
		r = print_json(&rep, run->err);
	else
		print_text(&rep);
	free(rep.rows);
	return r ? r : ves.partial;
}

int main(int argc, char **argv)
{
	static const struct vz_tool tool = {
		.name = "vzmemcheck",
		.args = "[-v] [-A] [-j] [--ubc FILE]",
		.about = "Show how much of the node's memory running VEs use (util), are "
			 "promised\n(commit) and may get (limit).",
		.opts = opts,
		.plans = true,
		.run = check,
	};

	return vz_tool_main(&tool, argc, argv);
}
