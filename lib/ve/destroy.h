/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DESTROY_H
#define VZ_VE_DESTROY_H

#include "ve/ve.h"

/*
 * Take a VE away: private area, name, action scripts; its configuration stays
 * as conf/VEID.conf.destroyed. Refuses a running (VZ_E_RUNNING) or mounted
 * (VZ_E_MOUNTED) one. The number is free as soon as the area has moved aside
 * and the file has its new name; what a killed destroy left is removed by the
 * next destroy or create of the number. The caller holds the VE's lock.
 */
int vz_ve_destroy(const struct vz_ctx *ctx, uint32_t id, struct vz_err *err);

#endif
