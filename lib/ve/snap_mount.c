/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots that are mounted: RUNDIR/snapshot/VEID.UUID is a link to where. It ends
 * with the node's uptime, as the mount does.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/mnt.h"
#include "ve/snap_priv.h"

static char *link_path(const struct vz_ctx *ctx, uint32_t veid, const char *uuid)
{
	return vz_strf("%s/snapshot/%u.%s", ctx->rundir, veid, uuid);
}

/*
 * Where the link leads, if something is mounted there. Else it is an old one, or that of
 * a snapshot which is just being mounted: only who has the VE's lock takes it away.
 */
static char *read_link(const char *link)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n < 0)
		return NULL;
	target[n] = 0;
	return vz_mnt_is_mounted(target) == 1 ? strdup(target) : NULL;
}

char *vz_snapshot_target(const struct vz_ve *ve, const char *uuid)
{
	vz_autofree char *link = link_path(ve->ctx, ve->id, uuid);

	return link ? read_link(link) : NULL;
}

char *vz_snapshot_any_mounted(const struct vz_ctx *ctx, uint32_t veid)
{
	vz_autofree char *dir = vz_strf("%s/snapshot", ctx->rundir);
	vz_autodir DIR *d = dir ? opendir(dir) : NULL;
	char *target = NULL, prefix[16];
	struct dirent *e;

	snprintf(prefix, sizeof(prefix), "%u.", veid);
	while (d && !target && (e = readdir(d))) {
		vz_autofree char *link = NULL;

		if (strncmp(e->d_name, prefix, strlen(prefix)))
			continue;
		link = vz_strf("%s/%s", dir, e->d_name);
		target = link ? read_link(link) : NULL;
	}
	return target;
}

/* The link first: a mount that no link names could never be unmounted by UUID. */
static int attach(const struct vz_ve *ve, const char *uuid, int mnt, const char *target)
{
	vz_autofree char *link = link_path(ve->ctx, ve->id, uuid);
	vz_autofree char *dir = vz_strf("%s/snapshot", ve->ctx->rundir);
	vz_autofd int at = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = link && dir ? 0 : -ENOMEM;

	if (!r && at < 0)
		r = -errno;
	if (!r)
		r = vz_mkdir_p(dir, 0700);
	/* What a VE made is not run, nor opened as a device, by the node. */
	if (!r)
		r = vz_mnt_set_attr(mnt, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, false);
	if (!r && unlink(link) && errno != ENOENT)
		r = -errno;
	if (!r && symlink(target, link))
		r = -errno;
	if (r)
		return r;
	r = vz_mnt_attach(mnt, at);
	if (r)
		unlink(link);
	return r;
}

int vz_snapshot_mount(const struct vz_ve *ve, const char *uuid, const char *target,
		      struct vz_err *err)
{
	vz_autofree char *real = realpath(target, NULL);
	vz_autofree char *was = vz_snapshot_target(ve, uuid);
	vz_autofd int mnt = -1;
	int r;

	if (!real)
		return vz_err_set(err, VZ_E_SNAP_MOUNT, errno, "can't mount on %s",
				  target);
	if (was)
		return vz_err_set(err, VZ_E_SNAP_MOUNT, EBUSY,
				  "the snapshot {%s} is mounted on %s already", uuid,
				  was);
	r = vz_snap_open_mount(ve, uuid, &mnt, err);
	if (r)
		return r;
	r = attach(ve, uuid, mnt, real);
	return r ? vz_err_set(err, VZ_E_SNAP_MOUNT, -r, "can't mount on %s", target) : 0;
}

int vz_snapshot_umount(const struct vz_ve *ve, const char *uuid, struct vz_err *err)
{
	vz_autofree char *target = vz_snapshot_target(ve, uuid);
	vz_autofree char *link = link_path(ve->ctx, ve->id, uuid);

	if (!target || !link)
		return vz_err_set(err, VZ_E_SNAP_UMOUNT, 0,
				  "the snapshot {%s} is not mounted", uuid);
	if (umount2(target, UMOUNT_NOFOLLOW))
		return vz_err_set(err, VZ_E_SNAP_UMOUNT, errno, "can't unmount %s",
				  target);
	unlink(link);
	return 0;
}
