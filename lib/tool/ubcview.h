/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_UBCVIEW_H
#define VZ_TOOL_UBCVIEW_H

/* A VE's beancounters as a table for eyes, 80 columns wide. */
#include <stdbool.h>

#include "res/ubc.h"
#include "tool/frame.h"

struct vz_ubcview {
	double near_held, near_max; /* from which share of the bound on it is near */
	bool near_only; /* what is near a bound, over it, or was refused */
	bool unbounded; /* also what has no bound */
	/*
	 * What was before, of the same VE, or NULL: failcnt is then the increase
	 * since `failures`, and a column says how held changed since `helds`.
	 */
	bool relative, changes;
	const struct vz_ubc *failures, *helds;
};

#define VZ_UBCVIEW_NEAR_HELD 0.5
#define VZ_UBCVIEW_NEAR_MAX 0.8

/*
 * What a value is measured by: the barrier, else the limit. 0: nothing of it is
 * allowed; VZ_UNLIMITED; VZ_UBC_UNKNOWN.
 */
int64_t vz_ubc_bound(const struct vz_ubc_value *v);

/* How often it was refused since then. Less than then: it has begun anew. */
int64_t vz_ubc_failed_since(int64_t now, int64_t then);
/* By how much it changed; VZ_UBC_UNKNOWN: one of both is not known. */
int64_t vz_ubc_change(int64_t now, int64_t then);

/* VZ_LOOK_PLAIN, _NEAR or _BAD, and whether it is to be shown. */
enum vz_look vz_ubcview_look(const struct vz_ubcview *view, const struct vz_ubc_value *v,
			     enum vz_ubc_id id);
bool vz_ubcview_shows(const struct vz_ubcview *view, const struct vz_ubc_value *v,
		      enum vz_ubc_id id);

/*
 * Add the table, headed by the VE's number and name (NULL: none), to the frame;
 * nothing when it has no row to show. Returns the number of rows.
 */
size_t vz_ubcview_add(const struct vz_ubcview *view, const struct vz_ubc *u,
		      const char *name, struct vz_frame *f);

#endif
