/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZCALC_NODE_H
#define VZCALC_NODE_H

/* What vzcalc --node found out, and the ways to say it. */
#include "tool/human.h"
#include "vzcalc/ves.h"

struct node_kind {
	const char *label;
	const char *name; /* in JSON */
	bool bytes;
	bool counted; /* there is a figure of what is used */
};
extern const struct node_kind node_kinds[VZ_PLAN__COUNT];

/* A resource of the node. NAN: not known, or there is no such figure. */
struct node_row {
	enum vz_plan_res res;
	double node, keep, used, reserved, max, left;
	double room; /* VEs of the sample; NAN: any number */
	double after_used, after_reserved, after_short; /* when a node has failed */
};

struct node_report {
	struct vz_machine machine;
	struct ves ves;
	struct vz_plan_node node;
	struct vz_plan sum, one;
	const char *sample; /* NULL: not asked for */
	uint64_t nodes; /* 0: not asked for */
	struct node_row rows[VZ_PLAN__COUNT];
	size_t n;
};

/* What is promised where that is said apart from the most that there can be. */
double node_promised(const struct node_row *row);

/* An amount for eyes, into buf, which may be returned. */
const char *node_amount(enum vz_plan_res res, double v, char buf[VZ_HUMAN_MAX + 1]);

void node_print_text(const struct node_report *rep);
int node_print_json(const struct node_report *rep, struct vz_err *err);
/* A page that stands alone, with pictures. */
int node_write_html(const struct node_report *rep, const char *path, struct vz_err *err);

#endif
