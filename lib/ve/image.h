/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_IMAGE_H
#define VZ_VE_IMAGE_H

#include "ve/area.h"
#include "ve/ve.h"

/*
 * The image of a VE of layout ploop: an ext4 file system in a sparse file, named by
 * the area's marker ([ploop] image), below PRIVATE/root.hdd. Its size is the limit
 * of DISKSPACE; without one it is that of the node's file system on which it lies.
 */
#define VZ_IMAGE_DIR "root.hdd"
#define VZ_IMAGE_FIRST "root.img"

/* The size for a new one that will lie in the directory `fd`. VZ_E_VALUE. */
int vz_image_wanted(const struct vz_cfg *cfg, int fd, uint64_t *ret, struct vz_err *err);

/* The path of the image in use; to be freed by the caller. NULL, with the error set. */
char *vz_image_path(const struct vz_area *a, struct vz_err *err);

/*
 * Mount an image, checked when it was not unmounted: a mount that is attached
 * nowhere, with which its loop device goes. One that is in use already is the same
 * file system again. VZ_E_IMAGE_MOUNT.
 */
struct vz_image_mount {
	const char *options; /* more mount options, or NULL */
	bool read_only; /* not a byte of the image is written */
	bool quotas; /* it keeps quotas of users and groups, where the kernel has them */
};
int vz_image_mount(const struct vz_ctx *ctx, const char *path,
		   const struct vz_image_mount *how, int *ret_mnt, struct vz_err *err);

/* Whether a loop device has it, mounted in whatever mount namespace: 1, 0 or -errno. */
int vz_image_busy(const char *path);

/*
 * Make the VE's image as large as `cfg` says: larger at any time, smaller only
 * when it is not mounted (`offline`: neither when it is). A kill leaves the old size
 * or the new one. A VE of another layout has no image: 0. VZ_E_IMAGE_RESIZE, and
 * then nothing has changed.
 */
int vz_image_resize(const struct vz_ve *ve, const struct vz_cfg *cfg, bool offline,
		    struct vz_err *err);

/*
 * Give back to the node what the VE's deleted files took, also while it runs.
 * VZ_E_COMPACT. *ret_bytes: by how much less the image takes now.
 */
int vz_image_compact(const struct vz_ve *ve, uint64_t *ret_bytes, struct vz_err *err);

#endif
