/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_POOLGROUP_H
#define VZ_VE_POOLGROUP_H

#include "res/vepool.h"
#include "sys/cgroup.h"

/*
 * The control groups of a pool of VEs, CGROUP/pool-NAME: there while VEs are
 * in it. One level and no more, so that a VE's cgroup2 group is always at the
 * level below CGROUP or the next.
 */
#define VZ_POOLGROUP "pool-"

/* top is CGROUP. CGROUP/VEID or CGROUP/pool-NAME/VEID. VZ_E_BADCONF: it is too long. */
int vz_poolgroup_name_ve(const char *top, const char *pool, uint32_t veid,
			 char ret[VZ_CG_NAME], struct vz_err *err);
/* CGROUP/pool-NAME. */
int vz_poolgroup_name(const char *top, const char *pool, char ret[VZ_CG_NAME],
		      struct vz_err *err);

/* Make it if it is not there, and set what its file says now. */
int vz_poolgroup_raise(const struct vz_ctx *ctx, const struct vz_cg_host *host,
		       const struct vz_cfg *cfg, const char *pool, struct vz_err *err);
/* Remove it unless there are VEs in it. */
int vz_poolgroup_drop(const struct vz_cg_host *host, const struct vz_cfg *cfg,
		      const char *pool, struct vz_err *err);

#endif
