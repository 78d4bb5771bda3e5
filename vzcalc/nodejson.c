/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdio.h>

#include "tool/cols.h"
#include "tool/json.h"
#include "vzcalc/node.h"

enum {
	RESOURCE,
	NODE,
	KEPT,
	USED,
	PROMISED,
	MAX,
	LEFT,
	ROOM,
	AFTER_USED,
	AFTER_PROMISED,
	AFTER_SHORT
};

static double figure(const struct node_row *row, int id)
{
	const double v[] = {
		[NODE] = row->node,
		[KEPT] = row->keep,
		[USED] = row->used,
		[PROMISED] = node_promised(row),
		[MAX] = row->max,
		[LEFT] = row->left < 0 ? 0 : row->left,
		[ROOM] = row->room,
		[AFTER_USED] = row->after_used,
		[AFTER_PROMISED] = row->res == VZ_PLAN_PROC ? NAN : row->after_reserved,
		[AFTER_SHORT] = row->after_short,
	};

	return v[id];
}

static void json_cell(const void *data, const struct vz_col *col, unsigned int part,
		      struct vz_cell *ret)
{
	const struct node_row *row = data;
	double v;

	ret->set = true;
	if (col->id == RESOURCE) {
		ret->text = node_kinds[row->res].name;
		return;
	}
	v = figure(row, col->id);
	ret->set = isfinite(v);
	if (ret->set)
		ret->num = v;
}

int node_print_json(const struct node_report *rep, struct vz_err *err)
{
	static const struct vz_col cols[] = {
		{ "resource", "", 0, VZ_COL_STR, .id = RESOURCE },
		{ "node", "", 0, VZ_COL_NUM, .id = NODE },
		{ "kept", "", 0, VZ_COL_NUM, .id = KEPT },
		{ "used", "", 0, VZ_COL_NUM, .id = USED },
		{ "promised", "", 0, VZ_COL_NUM, .id = PROMISED },
		{ "max", "", 0, VZ_COL_NUM, .id = MAX },
		{ "free", "", 0, VZ_COL_NUM, .id = LEFT },
		{ "fits", "", 0, VZ_COL_NUM, .id = ROOM },
		{ "after_used", "", 0, VZ_COL_NUM, .id = AFTER_USED },
		{ "after_promised", "", 0, VZ_COL_NUM, .id = AFTER_PROMISED },
		{ "after_short", "", 0, VZ_COL_NUM, .id = AFTER_SHORT },
	};
	struct vz_cols t = { cols, VZ_ARRAY_SIZE(cols), json_cell };
	struct vz_pick picks[VZ_ARRAY_SIZE(cols)] = { { 0 } };
	const void *rows[VZ_PLAN__COUNT];
	size_t n = 0;
	int r;

	for (size_t i = 0; i < t.n; i++)
		if ((cols[i].id != ROOM || rep->sample) &&
		    (cols[i].id < AFTER_USED || rep->nodes))
			picks[n++].col = &cols[i];
	for (size_t i = 0; i < rep->n; i++)
		rows[i] = &rep->rows[i];
	r = vz_cols_json(&t, picks, n, rows, rep->n, stdout);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write JSON") : 0;
}
