/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_UBCGROUPS_H
#define VZ_VE_UBCGROUPS_H

#include "base/ctx.h"
#include "base/err.h"
#include "res/ubc.h"
#include "sys/cgroup.h"

/*
 * What the kernel's control groups count of a VE, for a node or a VE without
 * programs of ours: numproc and memory. All else is VZ_UBC_UNKNOWN.
 */
void vz_ubc_of_group(const struct vz_cg *cg, uint32_t veid, struct vz_ubc *ret);

/*
 * The same of all VEs that run, ascending by number; veid not 0: of this one,
 * if it runs. *ret is freed by free(). 0 or -errno.
 */
int vz_ubc_of_groups(const struct vz_ctx *ctx, uint32_t veid, struct vz_ubc **ret,
		     size_t *ret_n);

#endif
