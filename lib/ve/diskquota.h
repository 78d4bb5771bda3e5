/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DISKQUOTA_H
#define VZ_VE_DISKQUOTA_H

#include "sys/quota.h"
#include "ve/layout.h"

/*
 * First-level quota: DISKSPACE, DISKINODES and QUOTATIME of a VE, kept by the
 * file system of its private area as limits of a project whose number is the
 * VEID. Whatever the VE writes belongs to that project, since its directories
 * pass it on, and the VE can't change it.
 *
 * Where QUOTATIME is 0, or soft and hard limit are one, the kernel gets the soft
 * limit as its hard one; else both, and QUOTATIME as the grace time, of which a
 * file system has one for all its projects: the last one set counts.
 *
 * Where the file system keeps no such quotas, a VE whose own file says
 * DISK_QUOTA=yes is refused (VZ_E_DQ_ON); for any other that has limits a warning
 * says so: once a boot of the node, and when limits are set. DISK_QUOTA=no: no limits. An image (VE_LAYOUT=ploop) is as large as
 * DISKSPACE says, and none of this applies to it.
 */

/*
 * In create, when the layout has begun a new area and nothing is unpacked yet: give
 * it to its project and set the limits. VZ_E_DQ_INIT, VZ_E_DQ_SET, VZ_E_DQ_ON.
 */
int vz_diskquota_new(const struct vz_ve *ve, const struct vz_layout *layout,
		     const struct vz_area *area, struct vz_err *err);

/*
 * At mount, and for new values in a running VE: see that the area is the project's
 * (one that is not is walked, unless the VE runs), and set what the configuration
 * says. vz_diskquota_on() opens the area itself.
 */
int vz_diskquota_mount(const struct vz_ve *ve, const struct vz_layout *layout,
		       const struct vz_area *area, struct vz_err *err);
int vz_diskquota_on(const struct vz_ve *ve, struct vz_err *err);
/* Take the limits off, until the next mount. VZ_E_DQ_OFF. */
int vz_diskquota_off(const struct vz_ve *ve, struct vz_err *err);
/* Give each file of a VE that is not mounted to its project again. VZ_E_DQ_INIT. */
int vz_diskquota_init(const struct vz_ve *ve, struct vz_err *err);
/* The VE is no more: nothing of its limits stays. */
void vz_diskquota_forget(const struct vz_ve *ve);

/* The file system that keeps the VE's quota; VZ_E_DQ_USAGE: none does. */
int vz_diskquota_open(const struct vz_ve *ve, struct vz_quota_fs *ret,
		      struct vz_err *err);

/* For vz_apply(): limits in force become those of `new`. */
int vz_diskquota_apply(struct vz_ve *ve, const struct vz_cfg *old_cfg,
		       const struct vz_cfg *new_cfg, struct vz_err *err);

/*
 * What the VE has and may have, of the kernel. -ENOENT: its area is not (or not
 * yet) in a project that limits are kept for.
 */
int vz_diskquota_read(const struct vz_ctx *ctx, uint32_t veid, const char *private,
		      struct vz_quota *ret);

/* What a configuration makes of a struct vz_quota's limits. Pure. */
void vz_diskquota_limits(const struct vz_cfg *cfg, struct vz_quota *ret);

#endif
