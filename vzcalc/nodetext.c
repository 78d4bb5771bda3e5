/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzcalc --node for eyes, 80 columns wide. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "vzcalc/node.h"

#define BAR 14

static void print_amount(enum vz_plan_res res, double v)
{
	char buf[VZ_HUMAN_MAX + 1];

	printf(" %9s", node_amount(res, v, buf));
}

/* A character for each fourteenth of the node. */
static void print_bar(const struct node_row *row)
{
	double used = isnan(row->used) ? 0 : row->used / row->node;
	double promised = node_promised(row) / row->node;
	char bar[BAR + 1];

	for (int i = 0; i < BAR; i++) {
		double at = (i + 0.5) / BAR;

		bar[i] = used > at ? '#' : promised > at ? '=' : '.';
	}
	if (used > 1 || promised > 1)
		bar[BAR - 1] = '!';
	bar[BAR] = '\0';
	printf(" [%s]\n", bar);
}

static void print_table(const struct node_report *rep)
{
	printf("%-12s %9s %9s %9s %9s %9s\n", "Resource", "Node", "Used", "Promised",
	       "Max", "Free");
	for (size_t i = 0; i < rep->n; i++) {
		const struct node_row *row = &rep->rows[i];

		printf("%-12s", node_kinds[row->res].label);
		print_amount(row->res, row->node);
		print_amount(row->res, row->used);
		print_amount(row->res, node_promised(row));
		print_amount(row->res, row->max);
		print_amount(row->res, row->left);
		print_bar(row);
	}
	puts("#: used, =: promised, !: more than there is");
}

static void print_room(const struct node_report *rep)
{
	enum vz_plan_res end = 0;
	double n = vz_plan_fits(&rep->node, &rep->sum, &rep->one, &end);

	if (n < 0)
		printf("\nOf %s any number of VEs fit: it is promised nothing.\n",
		       rep->sample);
	else
		printf("\nOf %s %.0f more %s; what ends first: %s.\n", rep->sample, n,
		       n == 1 ? "VE fits" : "VEs fit", node_kinds[end].label);
}

static void print_share(double v, double node)
{
	char text[24] = "-";

	if (isinf(v))
		strcpy(text, "unlim");
	else if (!isnan(v))
		snprintf(text, sizeof(text), "%.0f%%", v / node * 100);
	printf(" %9s", text);
}

static void print_failure(const struct node_report *rep)
{
	bool all_known = true, all_fit = true;

	printf("\nWhen 1 of %" PRIu64 " such nodes fails, each of the others has\n"
	       "%-12s %9s %9s %9s\n",
	       rep->nodes, "Resource", "Used", "Promised", "Short");
	for (size_t i = 0; i < rep->n; i++) {
		const struct node_row *row = &rep->rows[i];

		printf("%-12s", node_kinds[row->res].label);
		print_share(row->after_used, row->node);
		print_share(row->after_reserved, row->node);
		print_amount(row->res, row->after_short);
		putchar('\n');
		all_known &= !isnan(row->after_short);
		all_fit &= !(row->after_short > 0);
	}
	puts(!all_fit	 ? "That is more than they have."
	     : all_known ? "They have enough."
			 : "Of what is known they have enough.");
}

void node_print_text(const struct node_report *rep)
{
	const double *keep = rep->node.keep;
	const struct vz_machine *m = &rep->machine;
	char ram[VZ_HUMAN_MAX], swap[VZ_HUMAN_MAX];

	printf("%u CPU%s, %s of RAM, %s of swap space; %zu VEs, %zu of them running\n",
	       m->cpus, m->cpus == 1 ? "" : "s", vz_human_bytes(m->ram, 1, ram),
	       vz_human_bytes(m->swap, 1, swap), rep->ves.n, rep->ves.running);
	printf("The node keeps %s of RAM and %.0f %% of a CPU for itself: no VE can "
	       "reserve these.\n\n",
	       vz_human_bytes(keep[VZ_PLAN_RAM], 1, ram), keep[VZ_PLAN_CPUTIME]);
	print_table(rep);
	if (rep->sample)
		print_room(rep);
	if (rep->nodes)
		print_failure(rep);
}
