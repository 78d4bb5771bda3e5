/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of ploop: snapshots/UUID/root.img is a copy of the image, with shared
 * blocks where the node's file system has them. The VE's own image is whichever
 * file of root.hdd the marker names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "ve/image.h"
#include "ve/mount.h"
#include "ve/snap_priv.h"
#include "ve/still.h"

static char *kept_path(const struct vz_snaps *s, const char *uuid)
{
	return vz_strf("%s/%s/" VZ_IMAGE_FIRST, s->dir, uuid);
}

static uint64_t taken(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_blocks * UINT64_C(512);
}

/* A file system that is mounted is brought to the disk, and held there. */
static int hold_still(struct vz_snaps *s, const char *image, struct vz_still *still,
		      int *ret_fd, struct vz_err *err)
{
	static const struct vz_image_mount how = { 0 };
	vz_autofd int mnt = -1;
	int r = vz_image_busy(image);

	if (r <= 0)
		return r ? vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't look at %s",
				      image)
			 : 0;
	r = vz_image_mount(s->ve->ctx, image, &how, &mnt, err);
	if (r)
		return r;
	*ret_fd = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return vz_err_set(err, VZ_E_SNAP_CREATE, errno,
				  "can't open the VE's root");
	return vz_still_files(s->ve, *ret_fd, still, err);
}

static int take(struct vz_snaps *s, const char *uuid, int fd, struct vz_err *err)
{
	vz_autofree char *image = vz_image_path(&s->area, err), *to = kept_path(s, uuid);
	vz_autofd int root = -1;
	struct vz_still still = VZ_STILL_NONE;
	int r = image ? 0 : -EINVAL;

	if (!r && !to)
		r = vz_err_set(err, VZ_E_SNAP_CREATE, ENOMEM, "can't copy the image");
	if (!r)
		r = hold_still(s, image, &still, &root, err);
	if (r)
		return r;
	s->total = taken(image);
	r = vz_copy_file(&s->copy, image, to);
	vz_still_end(&still);
	return r ? vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't copy the image %s", image)
		 : 0;
}

/* The copy has a name of its own: the marker says which of the two counts. */
static int select_one(struct vz_snaps *s, const char *uuid, struct vz_err *err)
{
	uint64_t n = vz_area_get_u64(&s->area, "ploop", "next", 1);
	vz_autofree char *from = kept_path(s, uuid), *to = NULL;
	char name[40];
	int r;

	snprintf(name, sizeof(name), "root.%" PRIu64 ".img", n);
	to = vz_strf("%s/" VZ_IMAGE_DIR "/%s", s->area.path, name);
	if (!from || !to)
		return vz_err_set(err, VZ_E_SNAP_SWITCH, ENOMEM, "can't copy the image");
	s->total = taken(from);
	r = unlink(to) && errno != ENOENT ? -errno : vz_copy_file(&s->copy, from, to);
	if (!r)
		r = vz_area_set(&s->area, "ploop", "image", name);
	if (!r)
		r = vz_area_set_u64(&s->area, "ploop", "next", n + 1);
	if (!r)
		r = vz_snaptree_set_current(s->tree, uuid);
	return r ? vz_err_set(err, VZ_E_SNAP_SWITCH, -r, "can't copy the image %s", from)
		 : 0;
}

static int sweep(struct vz_snaps *s, bool idle, struct vz_err *err)
{
	const char *image = vz_area_get(&s->area, "ploop", "image");
	int fd = openat(s->area.fd, VZ_IMAGE_DIR,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	vz_autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	size_t n;

	while (d && image && (e = readdir(d))) {
		n = strlen(e->d_name);
		if (!strcmp(e->d_name, image) || n < 4 ||
		    (strcmp(e->d_name + n - 4, ".img") && !strstr(e->d_name, ".img.")))
			continue;
		if (unlinkat(fd, e->d_name, 0))
			return vz_err_set(err, VZ_E_SNAP_DELETE, errno,
					  "can't remove the image %s", e->d_name);
	}
	return 0;
}

static int mount_one(struct vz_snaps *s, const char *uuid, int *ret_mnt,
		     struct vz_err *err)
{
	static const struct vz_image_mount how = { .read_only = true };
	vz_autofree char *path = kept_path(s, uuid);
	int r = path ? vz_image_mount(s->ve->ctx, path, &how, ret_mnt, err)
		     : vz_err_set(err, VZ_E_SNAP_MOUNT, ENOMEM, "can't mount a snapshot");

	if (r && err)
		err->status = VZ_E_SNAP_MOUNT;
	return r;
}

const struct vz_snap_ops vz_snap_image = {
	.take = take,
	.select = select_one,
	.sweep = sweep,
	.mount = mount_one,
};
