/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_LIMITS_H
#define VZ_RES_LIMITS_H

#include "base/ctx.h"
#include "base/err.h"
#include "res/cfg.h"
#include "sys/cgroup.h"

/*
 * A configuration's resource limits, put into a VE's groups. Each sets all
 * that its live group (enum vz_live) covers: before a VE's first process runs,
 * and for `set` while it runs. `old` is what is in force (NULL: nothing yet):
 * what is the same in both may be skipped. On failure the groups may be half
 * way; the caller puts `old` back.
 */
int vz_limits_cpu(const struct vz_ctx *ctx, const struct vz_cg *cg,
		  const struct vz_cfg *old, const struct vz_cfg *cfg, struct vz_err *err);
int vz_limits_cpuset(const struct vz_ctx *ctx, const struct vz_cg *cg,
		     const struct vz_cfg *old, const struct vz_cfg *cfg,
		     struct vz_err *err);
int vz_limits_memory(const struct vz_ctx *ctx, const struct vz_cg *cg,
		     const struct vz_cfg *old, const struct vz_cfg *cfg,
		     struct vz_err *err);
int vz_limits_numproc(const struct vz_ctx *ctx, const struct vz_cg *cg,
		      const struct vz_cfg *old, const struct vz_cfg *cfg,
		      struct vz_err *err);
int vz_limits_io(const struct vz_ctx *ctx, const struct vz_cg *cg,
		 const struct vz_cfg *old, const struct vz_cfg *cfg, struct vz_err *err);

/* All of them, in that order: what a start does. */
int vz_limits_all(const struct vz_ctx *ctx, const struct vz_cg *cg,
		  const struct vz_cfg *cfg, struct vz_err *err);

#endif
