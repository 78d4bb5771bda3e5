/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_MOUNT_H
#define VZ_VE_MOUNT_H

#include "ve/layout.h"

/*
 * Mount VE_PRIVATE on VE_ROOT, as its layout says, with the premount and
 * mount action scripts; done already is 0. The inverse runs umount and
 * postumount; not mounted is VZ_E_NOTMOUNTED.
 */
int vz_ve_mount(struct vz_ve *ve, struct vz_err *err);
int vz_ve_umount(struct vz_ve *ve, struct vz_err *err);
/*
 * The mount alone, of an area that may not have its place yet: no scripts, no
 * checks. The inverse takes everything off VE_ROOT.
 */
int vz_ve_attach(const struct vz_ve *ve, const struct vz_layout *layout,
		 const struct vz_area *area, struct vz_err *err);
int vz_ve_detach(const struct vz_ve *ve, struct vz_err *err);
/* 1, 0 or -errno. */
int vz_ve_mounted(const struct vz_ve *ve);

#endif
