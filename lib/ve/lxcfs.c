/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/lxcfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "sys/feature.h"
#include "sys/mnt.h"
#include "ve/binds.h"

#define SAFE                                                                             \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static uint32_t wanted(const struct vz_cfg *cfg, uint32_t features)
{
	const struct vz_strv *names = vz_cfg_list(cfg, VZ_P_LXCFS_FILES);
	const char *meminfo = vz_cfg_str(cfg, VZ_P_MEMINFO);
	uint32_t files = 0;

	/* The kernel lets no one mount a proc where parts of this one are covered. */
	if (features & VZ_F_BIT(VZ_F_NESTING))
		return 0;
	for (size_t i = 0; i < names->n; i++)
		files |= 1u << vz_lxcfs_find(names->v[i]);
	if (meminfo && !strcmp(meminfo, "none"))
		files &= ~(1u << VZ_LXCFS_MEMINFO | 1u << VZ_LXCFS_SWAPS);
	if (!(features & VZ_F_BIT(VZ_F_SYSFS)))
		files &= ~(1u << VZ_LXCFS_CPUS);
	return files;
}

void vz_lxcfs_warn(const struct vz_ve *ve, int error)
{
	const char *dir = vz_cfg_str(ve->cfg, VZ_P_LXCFS), *why;
	char text[64];

	switch (error) {
	case -ENOENT:
		why = "is not mounted: start it";
		break;
	case -ENOTCONN:
		why = "is dead: start it again";
		break;
	case -ETIMEDOUT:
		why = "does not answer: start it again";
		break;
	case -EMEDIUMTYPE:
		why = "is something else: see LXCFS in vz.conf(5)";
		break;
	default:
		why = strerror_r(-error, text, sizeof(text));
	}
	vz_warn(ve->ctx,
		"VE %u sees the node's memory and CPUs in its /proc, not its own: lxcfs "
		"on %s %s",
		ve->id, dir, why);
}

/* The device of what is mounted there, which dead or hung file systems have, too; 0. */
static dev_t device_at(const char *dir)
{
	struct statx st;

	if (statx(AT_FDCWD, dir, AT_STATX_DONT_SYNC, STATX_TYPE, &st) ||
	    !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	return makedev(st.stx_dev_major, st.stx_dev_minor);
}

/*
 * Make stage what dir is, or, when that is NULL, nothing. It stays for the VEs to
 * come: a mount more or less costs each start more than all the rest of this.
 */
static int set_stage(const struct vz_ctx *ctx, const char *stage, const char *dir)
{
	vz_autofree char *lock = vz_strf("%s/lxcfs.lock", ctx->rundir);
	vz_autofd int fd = -1;

	if (device_at(stage) == (dir ? device_at(dir) : 0))
		return 0;
	fd = lock ? open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || flock(fd, LOCK_EX))
		return -errno;
	if (!dir)
		vz_bind_umount(stage);
	if (!dir || device_at(stage) == device_at(dir))
		return 0;
	return vz_bind_mount(dir, stage, true, SAFE);
}

dev_t vz_lxcfs_device(const struct vz_ve *ve)
{
	const char *dir = vz_cfg_str(ve->cfg, VZ_P_LXCFS);

	return dir && *dir ? device_at(dir) : 0;
}

int vz_lxcfs_stage(const struct vz_ve *ve, uint32_t features, struct vz_lxcfs *ret)
{
	const char *dir = vz_cfg_str(ve->cfg, VZ_P_LXCFS);
	int r;

	*ret = (struct vz_lxcfs){ .files = wanted(ve->cfg, features) };
	memset(ret->mnt, -1, sizeof(ret->mnt));
	if (!dir || !*dir || !ret->files)
		return -ENOENT;
	ret->stage = vz_strf("%s/lxcfs", ve->ctx->rundir);
	r = ret->stage ? vz_lxcfs_probe(dir) : -ENOMEM;
	if (!r)
		r = set_stage(ve->ctx, ret->stage, dir);
	else if (r == -ENOENT || r == -ENOTCONN)
		set_stage(ve->ctx, ret->stage, NULL);
	if (r)
		vz_lxcfs_done(ret);
	/* A node without lxcfs is nothing to speak of, if nobody asked for it. */
	if (r && (r != -ENOENT || vz_cfg_has(ve->cfg, VZ_P_LXCFS)))
		vz_lxcfs_warn(ve, r);
	return r;
}

void vz_lxcfs_done(struct vz_lxcfs *x)
{
	free(x->stage);
	x->stage = NULL;
}

static int take(int stage, const char *path)
{
	int mnt = vz_mnt_clone(stage, path, false);
	int r = mnt < 0 ? mnt : vz_mnt_set_private(mnt);

	if (!r)
		return mnt;
	if (mnt >= 0)
		close(mnt);
	return r;
}

void vz_lxcfs_take(struct vz_lxcfs *x)
{
	vz_autofd int stage = -1;

	if (!x->stage)
		return;
	stage = open(x->stage, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (stage < 0)
		x->error = -errno;
	for (int i = 0; i < VZ_LXCFS__COUNT && !x->error; i++) {
		int r;

		if (!(x->files & 1u << i))
			continue;
		r = take(stage, vz_lxcfs_files[i].path);
		x->mnt[i] = r < 0 ? -1 : r;
		/* Of an older lxcfs, that has not got it. */
		if (r < 0 && r != -ENOENT)
			x->error = r;
	}
}

/* proc and sys are ours: nothing of the VE's is on the way. */
static int attach(int mnt, const char *path, int proc, int sys)
{
	bool is_proc = !strncmp(path, "proc/", 5);
	vz_autofd int at = openat(is_proc ? proc : sys, strchr(path, '/') + 1,
				  O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (at < 0)
		return errno == ENOENT ? 0 : -errno;
	return vz_mnt_attach(mnt, at);
}

void vz_lxcfs_attach(struct vz_lxcfs *x, int proc, int sys)
{
	/* Nothing was staged, and mnt says nothing. */
	if (!x->stage)
		return;
	for (int i = 0; i < VZ_LXCFS__COUNT && !x->error; i++) {
		if (x->mnt[i] < 0)
			continue;
		x->error = attach(x->mnt[i], vz_lxcfs_files[i].path, proc, sys);
		close(x->mnt[i]);
		x->mnt[i] = -1;
	}
}
