/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DIST_H
#define VZ_VE_DIST_H

#include "ve/ve.h"

/* The distribution's scripts: dists/NAME.conf names one for each of these. */
enum vz_dist_action {
	VZ_DIST_ADD_IP,
	VZ_DIST_DEL_IP,
	VZ_DIST_SET_HOSTNAME,
	VZ_DIST_SET_DNS,
	VZ_DIST_SET_USERPASS,
	VZ_DIST_SET_UGID_QUOTA,
	VZ_DIST_POST_CREATE,
	VZ_DIST_PRE_START,
	VZ_DIST_SET_CONSOLE,
	VZ_DIST__COUNT,
};

/*
 * Run one inside the VE (which runs, starts, or is a VZ_LAUNCH_TOOL) with
 * VE_STATE and the given NAME=value words as its environment. An action that
 * the distribution does not name is 0. VZ_E_DISTCONF, VZ_E_DISTSCRIPT.
 */
int vz_dist_run(const struct vz_ve *ve, enum vz_dist_action action, const char *ve_state,
		const char *const *vars, struct vz_err *err);

/* What start does in the VE before init begins: hostname, DNS, console … */
int vz_dist_configure(struct vz_ve *ve, struct vz_err *err);

#endif
