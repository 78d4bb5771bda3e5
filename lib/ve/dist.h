/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DIST_H
#define VZ_VE_DIST_H

#include "sys/resolv.h"
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
 * VE_STATE and the given NAME=value words as its environment; vars may be
 * NULL. An action that the distribution does not name is 0. VZ_E_DISTCONF,
 * VZ_E_DISTSCRIPT.
 */
int vz_dist_run(const struct vz_ve *ve, enum vz_dist_action action, const char *ve_state,
		const char *const *vars, struct vz_err *err);

/* What start does in the VE before init begins: hostname, DNS, console … */
int vz_dist_configure(struct vz_ve *ve, struct vz_err *err);

/*
 * Live: HOSTNAME, and NAMESERVER with SEARCHDOMAIN, of a running VE. What the
 * new configuration leaves unset stays as it is in the VE.
 */
int vz_dist_apply_hostname(struct vz_ve *ve, const struct vz_cfg *old_cfg,
			   const struct vz_cfg *new_cfg, struct vz_err *err);
int vz_dist_apply_dns(struct vz_ve *ve, const struct vz_cfg *old_cfg,
		      const struct vz_cfg *new_cfg, struct vz_err *err);

/*
 * IP_ADDRESS in the running VE's own files, for what it restarts by itself; the
 * addresses in force are no matter of these scripts.
 */
int vz_dist_apply_addresses(const struct vz_ve *ve, const struct vz_cfg *old_cfg,
			    const struct vz_cfg *new_cfg, struct vz_err *err);

/*
 * Set "user:password" in a VE that runs or is a VZ_LAUNCH_TOOL; the user is
 * made when there is none. VZ_E_VALUE, VZ_E_PASSWORD.
 */
int vz_dist_userpasswd(struct vz_ve *ve, const char *ve_state, const char *userpw,
		       struct vz_err *err);

/* The steps of these, exported for the unit tests. */

/* The path of the distribution's file: NAME less trailing "-words". */
int vz_dist_find(const struct vz_ctx *ctx, const char *ostemplate, char **ret_path,
		 struct vz_err *err);
/* The file's value of an action's key and the scripts' text; NULL: not named. */
int vz_dist_script(const struct vz_ctx *ctx, const char *ostemplate,
		   enum vz_dist_action action, char **ret_text, struct vz_err *err);
/* NAMESERVER and SEARCHDOMAIN with `inherit` replaced; checked. */
int vz_dist_dns(const struct vz_strv *servers, const struct vz_strv *domains,
		const char *const *host_files, struct vz_resolv *ret, struct vz_err *err);
int vz_dist_check_userpasswd(const char *userpw, struct vz_err *err);

#endif
