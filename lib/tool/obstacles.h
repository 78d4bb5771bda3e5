/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_OBSTACLES_H
#define VZ_TOOL_OBSTACLES_H

#include <jansson.h>
#include <stdio.h>

#include "ve/oracle.h"

/* What the oracle has found (ve/oracle.h), for a user and for a program. */

/* {"kind", "pid", "comm", "what", "why", "remedy", "passing"}. NULL: no memory. */
json_t *vz_obstacle_json(const struct vz_obstacle *o);

/* A line for each, or a JSON array of them all. 0 or -ENOMEM. */
int vz_obstacles_print(const struct vz_obstacles *l, bool json, FILE *out);

#endif
