/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of simfs. The area is the VE's root, so they lie beside it, in
 * PRIVATE.snapshots: UUID/fs is a copy, with shared blocks where the file system
 * has them. `next/fs` is one that is about to change places with the area: [pending]
 * next is its inode's number, by which settle() sees whether it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/mnt.h"
#include "ve/snap_priv.h"
#include "ve/still.h"

/* fs of the directory `to` becomes a copy; its hard links are staged beside it. */
static int copy_tree(struct vz_snaps *s, int from, int to)
{
	vz_autofd int fs = -1, links = -1;
	int r;

	if (mkdirat(to, "fs", 0700) || mkdirat(to, "links", 0700))
		return -errno;
	fs = openat(to, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	links = openat(to, "links", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs < 0 || links < 0)
		return -errno;
	r = vz_copy_tree(&s->copy, from, fs, links);
	return r ? r : vz_remove_tree(to, "links");
}

static int take(struct vz_snaps *s, const char *uuid, int fd, struct vz_err *err)
{
	vz_autostill struct vz_still still = VZ_STILL_NONE;
	vz_autofd int from = openat(s->area.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (from < 0)
		return vz_err_set(err, VZ_E_SNAP_CREATE, errno, "can't open %s",
				  s->area.path);
	s->total = vz_copy_size(from);
	r = s->held ? 0 : vz_still_processes(s->ve, &still, err);
	if (r)
		return r;
	r = copy_tree(s, from, fd);
	return r ? vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't copy %s", s->area.path)
		 : 0;
}

static int open_fs(struct vz_snaps *s, const char *name)
{
	vz_autofree char *path = vz_strf("%s/fs", name);
	int fd = path ? openat(s->dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 ? -errno : fd;
}

static int select_one(struct vz_snaps *s, const char *uuid, struct vz_err *err)
{
	vz_autofd int from = open_fs(s, uuid), next = -1, fs = -1;
	struct stat st;
	int r = from < 0 ? from : vz_remove_tree(s->dirfd, "next");

	if (!r && mkdirat(s->dirfd, "next", 0700))
		r = -errno;
	if (!r) {
		next = openat(s->dirfd, "next", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		s->total = vz_copy_size(from);
		r = next < 0 ? -errno : copy_tree(s, from, next);
	}
	if (!r) {
		fs = open_fs(s, "next");
		r = fs < 0 ? fs : fstat(fs, &st) || syncfs(fs) ? -errno : 0;
	}
	if (!r)
		r = vz_area_set_u64(s->tree, "pending", "next", st.st_ino);
	if (!r)
		r = vz_area_set(s->tree, "pending", "uuid", uuid);
	return r ? vz_err_set(err, VZ_E_SNAP_SWITCH, -r, "can't copy the snapshot {%s}",
			      uuid)
		 : 0;
}

/* That they have changed places is on the disk before the marker says so. */
static int sync_places(const struct vz_snaps *s)
{
	vz_autofd int dir = openat(s->dirfd, "next", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 || fsync(dir) ? -errno : vz_sync_parent(s->area.path);
}

/* Has the copy changed places with the area? Else it does now. */
static int settle(struct vz_snaps *s, struct vz_err *err)
{
	uint64_t ino = vz_area_get_u64(s->tree, "pending", "next", 0);
	vz_autofree char *next = vz_strf("%s/next/fs", s->dir);
	struct stat st;
	int r = 0;

	if (!ino)
		return 0;
	if (!next || lstat(s->area.path, &st))
		return vz_err_set(err, VZ_E_SNAP_SWITCH, next ? errno : ENOMEM,
				  "can't look at %s", s->area.path);
	if (st.st_ino != ino && syscall(SYS_renameat2, AT_FDCWD, next, AT_FDCWD,
					s->area.path, RENAME_EXCHANGE))
		r = -errno;
	else if (sync_places(s))
		return vz_err_set(err, VZ_E_SNAP_SWITCH, errno,
				  "can't write the directory of %s", s->area.path);
	vz_area_set(s->tree, "pending", "next", NULL);
	if (!r)
		r = vz_snaptree_set_current(s->tree,
					    vz_area_get(s->tree, "pending", "uuid"));
	else
		vz_area_drop_section(s->tree, "pending");
	if (!r)
		return vz_area_save(s->tree, false, err);
	vz_area_save(s->tree, false, NULL);
	return vz_err_set(err, VZ_E_SNAP_SWITCH, -r, "can't put the copy in place of %s",
			  s->area.path);
}

static int sweep(struct vz_snaps *s, bool idle, struct vz_err *err)
{
	int r = vz_remove_tree(s->dirfd, "next");

	return r ? vz_err_set(err, VZ_E_SNAP_DELETE, -r, "can't remove %s/next", s->dir)
		 : 0;
}

static int mount_one(struct vz_snaps *s, const char *uuid, int *ret_mnt,
		     struct vz_err *err)
{
	vz_autofd int fs = open_fs(s, uuid);
	int r = fs < 0 ? fs : vz_mnt_clone(fs, "", false);

	if (r < 0)
		return vz_err_set(err, VZ_E_SNAP_MOUNT, -r,
				  "can't open the snapshot {%s}", uuid);
	*ret_mnt = r;
	r = vz_mnt_set_attr(r, MOUNT_ATTR_RDONLY, false);
	return r ? vz_err_set(err, VZ_E_SNAP_MOUNT, -r,
			      "can't make the snapshot {%s} read-only", uuid)
		 : 0;
}

const struct vz_snap_ops vz_snap_simfs = {
	.take = take,
	.select = select_one,
	.settle = settle,
	.sweep = sweep,
	.mount = mount_one,
};
