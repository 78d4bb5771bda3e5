/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SAVE_H
#define VZ_VE_SAVE_H

#include "ve/ve.h"

/*
 * Write what differs between old and new into conf/VEID.conf (VZ_E_SAVE) and
 * move the VE's name (VZ_E_NAME). The caller holds the VE's lock. ret_changed,
 * how many keys: 0 leaves the file alone; may be NULL.
 */
int vz_ve_save(const struct vz_ctx *ctx, uint32_t id, const struct vz_cfg *old,
	       const struct vz_cfg *new, unsigned int *ret_changed, struct vz_err *err);

#endif
