/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/obstacles.h"

#include <errno.h>

json_t *vz_obstacle_json(const struct vz_obstacle *o)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:b}", "kind", o->kind, "pid",
			 o->pid ? json_integer(o->pid) : json_null(), "comm",
			 o->pid ? json_string(o->comm) : json_null(), "what", o->what,
			 "why", o->why, "remedy", o->remedy, "passing", o->passing);
}

static int print_json(const struct vz_obstacles *l, FILE *out)
{
	json_t *list = json_array();
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; i < l->n && !r; i++)
		if (json_array_append_new(list, vz_obstacle_json(&l->v[i])))
			r = -ENOMEM;
	if (!r && (json_dumpf(list, out, JSON_INDENT(2)) || fputc('\n', out) < 0))
		r = -ENOMEM;
	json_decref(list);
	return r;
}

int vz_obstacles_print(const struct vz_obstacles *l, bool json, FILE *out)
{
	char line[VZ_OBSTACLE_LINE];

	if (json)
		return print_json(l, out);
	for (size_t i = 0; i < l->n; i++) {
		vz_obstacle_line(&l->v[i], line);
		fprintf(out, "%s\n", line);
	}
	if (l->more)
		fputs("and more of them\n", out);
	return 0;
}
