/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZCALC_H
#define VZCALC_H

#include "tool/main.h"
#include "vzcalc/ves.h"

enum {
	OPT_VERBOSE,
	OPT_JSON,
	OPT_NODE,
	OPT_RUNNING,
	OPT_CONFIG,
	OPT_NODES,
	OPT_HTML,
	OPT_UBC,
};

/* One VE, node.c: all of them. */
int calc_ve(struct vz_tool_run *run);
int calc_node(struct vz_tool_run *run);

#endif
