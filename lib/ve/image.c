/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/fs.h"
#include "sys/copy.h"
#include "sys/extfs.h"
#include "sys/loop.h"
#include "sys/mnt.h"
#include "ve/layout.h"
#include "ve/mount.h"

#define SIZE_MIN (8ULL << 20)
#define SIZE_MAX_EXT4 (16ULL << 40) /* with blocks of 4 KiB and any e2fsprogs */
enum { LOCK_WAIT_MS = 30000, LOCK_NAP_MS = 5, UMOUNT_WAIT_MS = 5000 };
#define SIZE_UNIT ((uint64_t)VZ_EXTFS_BLOCK)

int vz_image_wanted(const struct vz_cfg *cfg, int fd, uint64_t *ret, struct vz_err *err)
{
	struct vz_limit space = vz_cfg_limit(cfg, VZ_P_DISKSPACE);
	struct statvfs fs;
	uint64_t size;

	if (space.limit < UINT64_MAX / 1024) {
		size = space.limit * 1024;
		if (size < SIZE_MIN || size > SIZE_MAX_EXT4)
			return vz_err_set(
				err, VZ_E_VALUE, 0,
				"DISKSPACE of a VE of layout ploop must be from "
				"8M to 16T");
	} else {
		if (fstatvfs(fd, &fs))
			return vz_err_set(err, VZ_E_SYSTEM, errno,
					  "can't tell the size of the file system");
		size = (uint64_t)fs.f_blocks * fs.f_frsize;
		if (size > SIZE_MAX_EXT4)
			size = SIZE_MAX_EXT4;
	}
	*ret = size / SIZE_UNIT * SIZE_UNIT;
	return 0;
}

char *vz_image_path(const struct vz_area *a, struct vz_err *err)
{
	const char *name = vz_area_get(a, "ploop", "image");
	char *path;

	if (!name || strchr(name, '/') || *name == '.') {
		vz_err_set(err, VZ_E_NOPRIVATE, 0,
			   "the private area %s is damaged: its " VZ_AREA_MARKER
			   " names no image",
			   a->path);
		return NULL;
	}
	path = vz_strf("%s/" VZ_IMAGE_DIR "/%s", a->path, name);
	if (!path)
		vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't find the image");
	return path;
}

/* --- mounting --- */

/* Options that are the mount's, not the file system's. */
static const struct {
	const char *word;
	uint64_t attr;
} attrs[] = {
	{ "noatime", MOUNT_ATTR_NOATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME },
	{ "relatime", 0 },
	{ "strictatime", MOUNT_ATTR_STRICTATIME },
	{ "nosuid", MOUNT_ATTR_NOSUID },
	{ "noexec", MOUNT_ATTR_NOEXEC },
	{ "nodev", MOUNT_ATTR_NODEV },
	{ "ro", MOUNT_ATTR_RDONLY },
};

static int take_options(const char *options, struct vz_str *fs, uint64_t *attr)
{
	vz_autostrv struct vz_strv words = { 0 };
	size_t k;

	if (options && vz_strv_split(&words, options, ", \t"))
		return -ENOMEM;
	for (size_t i = 0; i < words.n; i++) {
		for (k = 0; k < VZ_ARRAY_SIZE(attrs); k++)
			if (!strcmp(words.v[i], attrs[k].word))
				break;
		if (k < VZ_ARRAY_SIZE(attrs))
			*attr |= attrs[k].attr;
		else
			vz_str_addf(fs, ",%s", words.v[i]);
	}
	return fs->failed ? -ENOMEM : 0;
}

/*
 * What a killed command began with an image ends a moment later, and till then has
 * it locked.
 */
static int lock_image(int fd)
{
	const struct timespec nap = { .tv_nsec = LOCK_NAP_MS * 1000000L };

	for (int ms = 0; flock(fd, LOCK_EX | LOCK_NB); ms += LOCK_NAP_MS) {
		if (errno != EWOULDBLOCK || ms > LOCK_WAIT_MS)
			return -errno;
		nanosleep(&nap, NULL);
	}
	return 0;
}

static int open_locked(const char *path, int flags, struct stat *st, struct vz_err *err)
{
	vz_autofd int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 || fstat(fd, st) ? -errno : lock_image(fd);

	return r ? vz_err_set(err, VZ_E_IMAGE_MOUNT, -r, "can't open the image %s", path)
		 : vz_take_fd(&fd);
}

/* A kernel without quotas mounts no file system that keeps them. */
static int fit_quotas(int locked, const char *path, bool wanted, struct vz_err *err)
{
	int has = vz_extfs_has_quota(path);
	bool can = vz_extfs_kernel_quota();

	if (has < 0 || (has ? can : !can || !wanted))
		return 0;
	return vz_extfs_set_quota(locked, path, !has, err);
}

/* The file system in it is known to be good, or made so. */
static int check_image(int locked, const char *path, const struct vz_image_mount *how,
		       struct vz_err *err)
{
	int r = vz_extfs_is_clean(path);

	if (r < 0)
		return vz_err_set(err, VZ_E_IMAGE_MOUNT, -r,
				  "there is no file system in the image %s", path);
	r = r || how->read_only ? 0 : vz_extfs_check(locked, path, false, err);
	if (!r && !how->read_only)
		r = fit_quotas(locked, path, how->quotas, err);
	if (r && err)
		err->status = VZ_E_IMAGE_MOUNT;
	return r;
}

/*
 * The device for an image: the one that has it, since two would each have a cache
 * of their own; else a new one. That keeps its file open, and so gets another one
 * than that which is locked here.
 */
static int open_device(const char *path, const struct vz_image_mount *how,
		       char dev[VZ_LOOP_PATH], struct vz_err *err)
{
	int flags = how->read_only ? O_RDONLY : O_RDWR, r;
	vz_autofd int locked = -1, file = -1;
	struct stat st, same;

	locked = open_locked(path, flags, &st, err);
	if (locked < 0)
		return locked;
	r = vz_loop_find(&st, dev);
	if (r != -ENODEV)
		return r >= 0 ? r
			      : vz_err_set(err, VZ_E_IMAGE_MOUNT, -r,
					   "can't look at the loop devices");
	r = check_image(locked, path, how, err);
	if (r)
		return r;
	file = open(path, flags | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 || fstat(file, &same) || same.st_ino != st.st_ino)
		return vz_err_set(err, VZ_E_IMAGE_MOUNT, file < 0 ? errno : ESTALE,
				  "can't open the image %s", path);
	r = vz_loop_attach(file, how->read_only, dev, err);
	if (r < 0 && err)
		err->status = VZ_E_IMAGE_MOUNT;
	return r;
}

static int mount_once(const char *path, const struct vz_image_mount *how,
		      char dev[VZ_LOOP_PATH], struct vz_err *err)
{
	uint64_t attr = how->read_only ? MOUNT_ATTR_RDONLY : 0;
	vz_autostr struct vz_str options = { 0 };
	vz_autofd int fd = open_device(path, how, dev, err);
	int r;

	if (fd < 0)
		return fd;
	vz_str_addf(&options, "source=%s,%s", dev,
		    how->read_only ? "ro" : "discard,errors=remount-ro");
	if (how->quotas && vz_extfs_has_quota(path) == 1)
		vz_str_add(&options, ",usrquota,grpquota");
	r = take_options(how->options, &options, &attr);
	if (!r)
		r = vz_mnt_new("ext4", options.s, attr);
	if (r < 0)
		vz_err_set(err, VZ_E_IMAGE_MOUNT, -r,
			   "can't mount the image %s by %s%s%s", path, dev,
			   how->options && *how->options ? " with " : "",
			   how->options ? how->options : "");
	return r;
}

/* It has an image's quotas but not their format: nothing but a mount tells. */
static int mount_without_quotas(const char *path, const struct vz_image_mount *how,
				char dev[VZ_LOOP_PATH], struct vz_err *err)
{
	struct vz_image_mount without = *how;
	vz_autofd int locked = -1;
	struct stat st;
	int r;

	without.quotas = false;
	vz_err_clear(err);
	locked = open_locked(path, O_RDWR, &st, err);
	r = locked < 0 ? locked : vz_extfs_set_quota(locked, path, false, err);
	if (locked >= 0)
		close(vz_take_fd(&locked));
	return r < 0 ? r : mount_once(path, &without, dev, err);
}

int vz_image_mount(const struct vz_ctx *ctx, const char *path,
		   const struct vz_image_mount *how, int *ret_mnt, struct vz_err *err)
{
	char dev[VZ_LOOP_PATH] = "";
	struct vz_err why = { 0 };
	int r = mount_once(path, how, dev, &why);

	if ((r == -EINVAL || r == -ESRCH) && !how->read_only &&
	    vz_extfs_has_quota(path) == 1 && !vz_image_busy(path)) {
		r = mount_without_quotas(path, how, dev, &why);
		if (r >= 0 && how->quotas)
			vz_debug(ctx, "this kernel keeps no quotas in an image");
	}
	if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	vz_debug(ctx, "%s is mounted by %s", path, dev);
	*ret_mnt = r;
	return 0;
}

int vz_image_busy(const char *path)
{
	char dev[VZ_LOOP_PATH];
	struct stat st;
	vz_autofd int fd = stat(path, &st) ? -errno : vz_loop_find(&st, dev);

	return fd == -ENODEV ? 0 : fd < 0 ? fd : 1;
}

/* --- size --- */

static int cant_resize(const char *path, int errnum, struct vz_err *err)
{
	if (errnum == EPERM)
		return vz_err_set(err, VZ_E_IMAGE_RESIZE, EPERM,
				  "a mounted image grows only where the node's root has "
				  "CAP_SYS_RESOURCE: stop and umount the VE first");
	return vz_err_set(err, VZ_E_IMAGE_RESIZE, errnum, "can't resize the image %s",
			  path);
}

/* The file first, then the device, then what is in it: each may stand without the next. */
static int grow_mounted(const struct vz_ctx *ctx, const char *path, uint64_t size,
			struct vz_err *err)
{
	struct vz_image_mount how = { 0 };
	vz_autofd int mnt = -1, file = -1, dev = -1, dir = -1;
	char name[VZ_LOOP_PATH];
	struct stat st;
	int r = vz_image_mount(ctx, path, &how, &mnt, err);

	if (r)
		return r;
	file = open(path, O_RDWR | O_CLOEXEC);
	dir = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file < 0 || dir < 0 || fstat(file, &st))
		return cant_resize(path, errno, err);
	if ((uint64_t)st.st_size < size && ftruncate(file, size))
		return cant_resize(path, errno, err);
	r = dev = vz_loop_find(&st, name);
	if (r >= 0)
		r = vz_loop_resize(dev);
	if (r >= 0)
		r = vz_extfs_grow(dir, size);
	if (r >= 0)
		return 0;
	if (!ftruncate(file, st.st_size) && dev >= 0)
		vz_loop_resize(dev);
	return cant_resize(path, -r, err);
}

static int resize_file(const char *path, uint64_t size, struct vz_err *err)
{
	vz_autofd int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	uint64_t now;
	int r;

	if (fd < 0)
		return cant_resize(path, errno, err);
	r = vz_extfs_check(fd, path, true, err);
	if (!r &&
	    (fstat(fd, &st) || ((uint64_t)st.st_size < size && ftruncate(fd, size))))
		r = cant_resize(path, errno, err);
	if (!r)
		r = vz_extfs_resize(fd, path, size, err);
	if (!r && (vz_extfs_size(path, &now) || now > size))
		r = cant_resize(path, EIO, err);
	return !r && ftruncate(fd, size) ? cant_resize(path, errno, err) : r;
}

/* A copy is resized, then takes the image's place: who is killed leaves the old one. */
static int resize_copy(const char *path, uint64_t size, struct vz_err *err)
{
	vz_autofree char *copy = vz_strf("%s.resized", path);
	int r = copy ? 0 : -ENOMEM;

	if (!r && unlink(copy) && errno != ENOENT)
		r = -errno;
	if (!r)
		r = vz_copy_file(NULL, path, copy);
	if (r)
		return cant_resize(path, -r, err);
	r = resize_file(copy, size, err);
	if (!r && (r = vz_copy_publish(copy, path)))
		cant_resize(path, -r, err);
	if (r && err)
		err->status = VZ_E_IMAGE_RESIZE;
	if (r)
		unlink(copy);
	return r;
}

/*
 * A mount that is gone here may live on for a moment in another mount namespace that
 * was begun meanwhile: another VE's, as it starts.
 */
static int busy_for_good(const struct vz_ve *ve, const char *path)
{
	const struct timespec nap = { .tv_nsec = LOCK_NAP_MS * 1000000L };
	int busy = vz_image_busy(path);

	for (int ms = 0; busy == 1 && ms < UMOUNT_WAIT_MS && !vz_ve_mounted(ve);
	     ms += LOCK_NAP_MS) {
		nanosleep(&nap, NULL);
		busy = vz_image_busy(path);
	}
	return busy;
}

static int busy_resize(struct vz_err *err)
{
	return vz_err_set(err, VZ_E_IMAGE_RESIZE, EBUSY,
			  "an image that is mounted can't be made smaller, nor resized "
			  "offline: stop and umount the VE first");
}

static int resize(const struct vz_ve *ve, const char *path, uint64_t size, bool offline,
		  struct vz_err *err)
{
	uint64_t now;
	int busy = busy_for_good(ve, path), r = vz_extfs_size(path, &now);

	if (r || busy < 0)
		return cant_resize(path, r ? -r : -busy, err);
	if (now == size)
		return 0;
	if (busy && (now > size || offline))
		return busy_resize(err);
	vz_info(ve->ctx, "Resizing the image of VE %u to %" PRIu64 " KiB", ve->id,
		size / 1024);
	if (now < size && !offline) {
		r = grow_mounted(ve->ctx, path, size, err);
		if (r != -EPERM || busy)
			return r;
		vz_err_clear(err);
	}
	return resize_copy(path, size, err);
}

int vz_image_resize(const struct vz_ve *ve, const struct vz_cfg *cfg, bool offline,
		    struct vz_err *err)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	vz_autofree char *path = NULL;
	const struct vz_layout *l;
	struct vz_err why = { 0 };
	uint64_t size;
	int r = vz_layout_open(ve, NULL, &l, &a, &why);

	/* A size that is not an image's may be set before there is an area. */
	if (r == -ENOENT || (!r && strcmp(l->name, "ploop")))
		return 0;
	if (!r) {
		path = vz_image_path(&a, &why);
		r = path ? vz_image_wanted(cfg, a.fd, &size, &why) : -EINVAL;
	}
	if (!r)
		r = resize(ve, path, size, offline, &why);
	if (r && err)
		*err = why;
	return r;
}

int vz_image_compact(const struct vz_ve *ve, uint64_t *ret_bytes, struct vz_err *err)
{
	const struct vz_image_mount how = { 0 };
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	vz_autofd int mnt = -1, dir = -1;
	vz_autofree char *path = NULL;
	const struct vz_layout *l;
	struct stat before, after;
	uint64_t trimmed;
	int r = vz_layout_open(ve, NULL, &l, &a, err);

	if (r)
		return r;
	if (strcmp(l->name, "ploop"))
		return vz_err_set(err, VZ_E_COMPACT, 0,
				  "VE %u is of layout %s: only images (ploop) can be "
				  "compacted",
				  ve->id, l->name);
	path = vz_image_path(&a, err);
	r = path ? vz_image_mount(ve->ctx, path, &how, &mnt, err) : -EINVAL;
	if (r)
		return r;
	dir = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 || stat(path, &before) ? -errno : vz_fs_trim(dir, &trimmed);
	if (!r && (syncfs(dir) || stat(path, &after)))
		r = -errno;
	if (r)
		return vz_err_set(err, VZ_E_COMPACT, -r, "can't compact the image %s",
				  path);
	*ret_bytes = before.st_blocks > after.st_blocks
			     ? (uint64_t)(before.st_blocks - after.st_blocks) * 512
			     : 0;
	return 0;
}
