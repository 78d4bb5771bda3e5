/* SPDX-License-Identifier: GPL-2.0-or-later */
/* simfs: the private area is the VE's root, with the VE's ids on the disk. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "sys/mnt.h"
#include "ve/layout.h"
#include "ve/snap_priv.h"

/* The root gets its owner and mode with what is put into it. */
static int begin(const struct vz_ve *ve, const char *path, int fd,
		 const struct vz_layout_new *how, struct vz_err *err)
{
	uid_t uid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID);
	gid_t gid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID);

	return fchown(fd, uid, gid) ? vz_err_set(err, VZ_E_NEWPRIVATE, errno,
						 "can't give %s to uid %u", path, uid)
				    : 0;
}

static int check(const struct vz_ve *ve, const struct vz_area *a, struct vz_err *err)
{
	return vz_layout_check_owner(ve, a, a->fd, err);
}

static int mount_area(const struct vz_ve *ve, const struct vz_area *a,
		      const struct vz_layout_mount *how, int *ret_mnt, struct vz_err *err)
{
	vz_autofd int mnt = vz_mnt_clone(a->fd, "", false);
	int r = mnt;

	if (r >= 0 && how->read_only)
		r = vz_mnt_set_attr(mnt, MOUNT_ATTR_RDONLY, false);
	if (r < 0)
		return vz_err_set(err, VZ_E_MOUNT, -r, "can't mount %s", a->path);
	*ret_mnt = vz_take_fd(&mnt);
	return 0;
}

static int quota_dir(const struct vz_area *a)
{
	int fd = fcntl(a->fd, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? -errno : fd;
}

const struct vz_layout vz_layout_simfs = {
	.name = "simfs",
	.begin = begin,
	.check = check,
	.mount = mount_area,
	.quota_dir = quota_dir,
	.snap = &vz_snap_simfs,
};
