/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_MACS_H
#define VZ_VE_MACS_H

#include "ve/ve.h"

/*
 * The names and MACs that nobody gave, for the interfaces of cfg: those that
 * `like` (may be NULL) has, else new ones that are in no VE's configuration.
 * *ret_filled (may be NULL): whether there were any.
 */
int vz_macs_fill(const struct vz_ctx *ctx, uint32_t veid, struct vz_cfg *cfg,
		 const struct vz_cfg *like, bool *ret_filled, struct vz_err *err);

#endif
