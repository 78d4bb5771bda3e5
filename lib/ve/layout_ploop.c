/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ploop: an ext4 file system in a sparse file, on a loop device. See ve/image.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "sys/extfs.h"
#include "sys/mnt.h"
#include "ve/image.h"
#include "ve/layout.h"
#include "ve/snap_priv.h"

#define LAYOUT_VERSION 1

static int cant(struct vz_err *err, int errnum, const char *what, const char *path)
{
	enum vz_exit status =
		errnum == ENOSPC || errnum == EDQUOT ? VZ_E_NOSPACE : VZ_E_IMAGE_CREATE;

	return vz_err_set(err, status, errnum, "can't %s %s", what, path);
}

static int make_file(int fd, uint64_t size)
{
	vz_autofd int dir = -1, file = -1;

	if (mkdirat(fd, VZ_IMAGE_DIR, 0700))
		return -errno;
	dir = openat(fd, VZ_IMAGE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	file = openat(dir, VZ_IMAGE_FIRST, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return file < 0 || ftruncate(file, size) ? -errno : vz_take_fd(&file);
}

/* e2fsck wants that directory; in the VE it is its root's, as on any machine. */
static int give_lost_found(const struct vz_ve *ve, const char *path, struct vz_err *err)
{
	const struct vz_image_mount how = { 0 };
	vz_autofd int mnt = -1;
	int r = vz_image_mount(ve->ctx, path, &how, &mnt, err);

	if (!r && fchownat(mnt, "lost+found", vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID),
			   vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID), AT_SYMLINK_NOFOLLOW))
		r = cant(err, errno, "give away lost+found in", path);
	return r;
}

static int make_image(const struct vz_ve *ve, const char *image, int fd,
		      struct vz_err *err)
{
	uint64_t inodes = vz_cfg_limit(ve->cfg, VZ_P_DISKINODES).limit, size;
	vz_autofd int file = -1;
	int r = vz_image_wanted(ve->cfg, fd, &size, err);

	if (r)
		return r;
	file = make_file(fd, size);
	if (file < 0)
		return cant(err, -file, "make the image", image);
	/* More than one a block could never be used, but takes room. */
	if (inodes > size / VZ_EXTFS_BLOCK && inodes < VZ_UNLIMITED)
		inodes = size / VZ_EXTFS_BLOCK;
	r = vz_extfs_make(file, image, inodes < VZ_UNLIMITED ? inodes : 0,
			  vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID),
			  vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID), err);
	if (r && err)
		err->status = r == -ENOSPC ? VZ_E_NOSPACE : VZ_E_IMAGE_CREATE;
	return r ? r : give_lost_found(ve, image, err);
}

static int begin(const struct vz_ve *ve, const char *path, int fd,
		 const struct vz_layout_new *how, struct vz_err *err)
{
	vz_autofree char *image = vz_strf("%s/" VZ_IMAGE_DIR "/" VZ_IMAGE_FIRST, path);
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	int r = image ? make_image(ve, image, fd, err) : -ENOMEM;

	if (!r)
		r = vz_area_new(path, fd, "ploop", LAYOUT_VERSION, ve->id, &a, err);
	if (!r && vz_area_set(&a, "ploop", "image", VZ_IMAGE_FIRST))
		r = cant(err, ENOMEM, "make", path);
	return r ? r : vz_area_save(&a, true, err);
}

/* A file system that goes on after its file's end was cut by something. */
static int check(const struct vz_ve *ve, const struct vz_area *a, struct vz_err *err)
{
	vz_autofree char *image = vz_image_path(a, err);
	struct stat st;
	uint64_t size;
	int r;

	if (!image)
		return -EINVAL;
	if (lstat(image, &st))
		return vz_err_set(err, VZ_E_NOPRIVATE, errno,
				  "the image %s can't be used", image);
	if (!S_ISREG(st.st_mode) || st.st_uid)
		return vz_err_set(err, VZ_E_NOPRIVATE, 0,
				  "the image %s is no file of the node's root", image);
	r = vz_extfs_size(image, &size);
	if (r)
		return vz_err_set(err, VZ_E_NOPRIVATE, -r,
				  "there is no file system in the image %s", image);
	if (size > (uint64_t)st.st_size)
		return vz_err_set(err, VZ_E_NOPRIVATE, 0,
				  "the image %s is cut off: it has %jd bytes, its file "
				  "system needs %" PRIu64,
				  image, (intmax_t)st.st_size, size);
	return 0;
}

static int mount_area(const struct vz_ve *ve, const struct vz_area *a,
		      const struct vz_layout_mount *how, int *ret_mnt, struct vz_err *err)
{
	vz_autofree char *image = vz_image_path(a, err);
	vz_autofree char *copy = image ? vz_strf("%s.resized", image) : NULL;
	struct vz_image_mount m = {
		.options = vz_cfg_str(ve->cfg, VZ_P_MOUNT_OPTS),
		.quotas = vz_cfg_u64(ve->cfg, VZ_P_QUOTAUGIDLIMIT) > 0,
	};
	int r = image ? vz_image_mount(ve->ctx, image, &m, ret_mnt, err) : -EINVAL;

	/* Of a resize that was killed. */
	if (copy)
		unlink(copy);
	/* The mount only: the file system is the VE's, and may be in use. */
	if (!r && how->read_only) {
		r = vz_mnt_set_attr(*ret_mnt, MOUNT_ATTR_RDONLY, false);
		if (r)
			close(vz_take_fd(ret_mnt));
	}
	return r;
}

const struct vz_layout vz_layout_ploop = {
	.name = "ploop",
	.version = LAYOUT_VERSION,
	.begin = begin,
	.check = check,
	.mount = mount_area,
	.snap = &vz_snap_image,
};
