/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_APPLY_H
#define VZ_VE_APPLY_H

#include "ve/ve.h"

/* New values in a running VE, by the live groups of res/param.h. */
#define VZ_LIVE_BIT(live) (1u << (live))

/* The groups in which old and new differ. */
uint32_t vz_apply_groups(const struct vz_cfg *old, const struct vz_cfg *new);

/*
 * NULL when a group takes effect in a running VE, else what becomes of it, to
 * stand after a parameter's name: "counts from the next start".
 */
const char *vz_apply_note(enum vz_live live);

/*
 * The configuration that a running VE has: its file's, with what was set
 * since it started and not saved. Freed by vz_cfg_free().
 */
int vz_apply_in_force(const struct vz_ve *ve, struct vz_cfg **ret, struct vz_err *err);

/*
 * Make `new` be in force instead of `old`, in these groups, in the order of
 * enum vz_live. When one fails, it and those before it are given `old` again,
 * backwards.
 */
int vz_apply(struct vz_ve *ve, uint32_t groups, const struct vz_cfg *old,
	     const struct vz_cfg *new, struct vz_err *err);

/* Remember what of `in_force` the VE's file (`saved`) does not say. */
int vz_apply_remember(const struct vz_ve *ve, const struct vz_cfg *saved,
		      const struct vz_cfg *in_force, struct vz_err *err);

#endif
