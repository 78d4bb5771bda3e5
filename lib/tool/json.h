/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_JSON_H
#define VZ_TOOL_JSON_H

#include <stdio.h>

#include "tool/cols.h"

/*
 * The rows as an array of objects, a member a column, in the columns' order.
 * A column with parts is an object of them all. 0 or -errno.
 */
int vz_cols_json(const struct vz_cols *t, const struct vz_pick *picks, size_t n,
		 const void *const *rows, size_t n_rows, FILE *out);

#endif
