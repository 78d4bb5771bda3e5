/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/diskquota.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/fs.h"
#include "base/num.h"
#include "ve/quotafile.h"
#include "ve/state.h"
#include "ve/ugidquota.h"

/* More KiB than this are more bytes than a file system counts. */
#define KIB_MAX (INT64_MAX / 1024)

static uint64_t kernel_limit(uint64_t v, uint64_t max)
{
	/* 0 is "no limit" for the kernel, and "nothing" in a configuration. */
	return v >= max ? 0 : v ? v : 1;
}

static void limit_pair(struct vz_limit conf, bool grace, uint64_t max, uint64_t *ret_soft,
		       uint64_t *ret_hard)
{
	uint64_t soft = kernel_limit(conf.barrier, max);
	uint64_t hard = kernel_limit(conf.limit, max);

	if (!grace || soft == hard) {
		*ret_hard = soft ? soft : hard;
		*ret_soft = 0;
		return;
	}
	*ret_soft = soft;
	*ret_hard = hard;
}

void vz_diskquota_limits(const struct vz_cfg *cfg, struct vz_quota *ret)
{
	bool grace = vz_cfg_u64(cfg, VZ_P_QUOTATIME);

	*ret = (struct vz_quota){ 0 };
	if (!vz_cfg_bool(cfg, VZ_P_DISK_QUOTA))
		return;
	limit_pair(vz_cfg_limit(cfg, VZ_P_DISKSPACE), grace, KIB_MAX, &ret->space_soft,
		   &ret->space_hard);
	limit_pair(vz_cfg_limit(cfg, VZ_P_DISKINODES), grace, VZ_UNLIMITED,
		   &ret->inode_soft, &ret->inode_hard);
}

static bool any_limit(const struct vz_quota *q)
{
	return q->space_soft || q->space_hard || q->inode_soft || q->inode_hard;
}

/* One mark a file system and boot of the node. */
static bool said_before(const struct vz_ve *ve, const struct vz_quota_fs *fs)
{
	vz_autofree char *mark = vz_strf("%s/no-quota-%u:%u", ve->ctx->rundir,
					 major(fs->dev), minor(fs->dev));
	vz_autofd int fd = -1;

	if (!mark || vz_mkdir_p(ve->ctx->rundir, 0755))
		return false;
	fd = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 && errno == EEXIST;
}

/*
 * 1: there is something to do on this file system; 0: it keeps no quotas, which is
 * said, again or the first time.
 */
static int check_kept(const struct vz_ve *ve, const struct vz_quota_fs *fs, bool again,
		      struct vz_err *err)
{
	static const char why[] = "the file system of its private area keeps no project "
				  "quotas (ext4 and xfs do, mounted with prjquota)";
	struct vz_quota want;

	if (vz_quota_enforces(fs, VZ_QUOTA_PROJECT))
		return 1;
	vz_diskquota_limits(ve->cfg, &want);
	if (vz_cfg_bool(ve->cfg, VZ_P_DISK_QUOTA) && vz_cfg_own(ve->cfg, VZ_P_DISK_QUOTA))
		return vz_err_set(err, VZ_E_DQ_ON, 0,
				  "VE %u has DISK_QUOTA=yes in its own file, but %s: set "
				  "it to no, or take it out, to go without",
				  ve->id, why);
	if (any_limit(&want) && (!said_before(ve, fs) || again))
		vz_warn(ve->ctx,
			"VE %u: DISKSPACE and DISKINODES are not kept: %s; layout ploop "
			"limits everywhere",
			ve->id, why);
	return 0;
}

/* Who was over his soft limit before does not get his time anew. */
static unsigned int keep_times(const struct vz_quota *was, struct vz_quota *want)
{
	if (was->space_soft == want->space_soft)
		want->space_until = was->space_until;
	if (was->inode_soft == want->inode_soft)
		want->inode_until = was->inode_until;
	return want->space_until || want->inode_until ? VZ_QUOTA_TIMES : 0;
}

/* The grace time is the file system's. */
static int set_grace(const struct vz_ve *ve, const struct vz_quota_fs *fs, bool *ret_new)
{
	uint64_t time = vz_cfg_u64(ve->cfg, VZ_P_QUOTATIME), space, inode;
	int r = vz_quota_get_grace(fs, VZ_QUOTA_PROJECT, &space, &inode);

	*ret_new = !r && (space != time || inode != time);
	return *ret_new ? vz_quota_set_grace(fs, VZ_QUOTA_PROJECT, time, time) : r;
}

static int set_limits(const struct vz_ve *ve, const struct vz_quota_fs *fs,
		      struct vz_err *err)
{
	unsigned int what = VZ_QUOTA_LIMITS;
	struct vz_quota want, was;
	bool new_grace = false;
	int r;

	vz_diskquota_limits(ve->cfg, &want);
	r = want.space_soft || want.inode_soft ? set_grace(ve, fs, &new_grace) : 0;
	if (!r)
		r = vz_quota_get(fs, VZ_QUOTA_PROJECT, ve->id, &was);
	if (!r && !new_grace)
		what |= keep_times(&was, &want);
	if (!r)
		r = vz_quota_set(fs, VZ_QUOTA_PROJECT, ve->id, &want, what);
	return r ? vz_err_set(err, VZ_E_DQ_SET, -r, "can't set the disk quota of VE %u",
			      ve->id)
		 : 0;
}

/* 1: its directory is the project's and passes it on. */
static int is_assigned(int fd, uint32_t veid)
{
	uint32_t id = 0;
	bool inherit = false;
	int r = vz_quota_get_project(fd, &id, &inherit);

	return r ? r : id == veid && inherit;
}

/* Also right for a new one, which has no more than its layout has put there. */
static int walk(const struct vz_ve *ve, const struct vz_area *area, int fd,
		struct vz_err *err)
{
	char path[40];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", fd);
	r = vz_quota_set_project_tree(path, ve->id);
	return r ? vz_err_set(err, VZ_E_DQ_INIT, -r, "can't give %s to project %u",
			      area->path, ve->id)
		 : 0;
}

/* 1: there is no such directory, the layout has a size of its own. */
static int open_dir(const struct vz_ve *ve, const struct vz_layout *layout,
		    const struct vz_area *area, struct vz_quota_fs *ret,
		    struct vz_err *err)
{
	vz_autofd int fd = layout->quota_dir ? layout->quota_dir(area) : -ENOTSUP;
	int r;

	if (fd == -ENOTSUP)
		return 1;
	r = fd < 0 ? fd : vz_quota_open_fd(ve->ctx, fd, ret);
	return r ? vz_err_set(err, VZ_E_DQ_ON, -r, "can't look at %s", area->path) : 0;
}

/* Whoever had the range of ids before: his users' limits are none of this VE's. */
static void forget_users(const struct vz_ve *ve, const struct vz_quota_fs *fs)
{
	const struct vz_ugid u = { .uid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID),
				   .gid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID),
				   .fs = *fs };

	if (u.uid)
		vz_ugid_clear(&u);
}

int vz_diskquota_new(const struct vz_ve *ve, const struct vz_layout *layout,
		     const struct vz_area *area, struct vz_err *err)
{
	vz_autoquota struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	int r = open_dir(ve, layout, area, &fs, err);

	if (r)
		return r > 0 ? 0 : r;
	/* Users' quotas are kept with or without those of projects. */
	forget_users(ve, &fs);
	r = check_kept(ve, &fs, false, err);
	if (r <= 0)
		return r;
	r = walk(ve, area, fs.fd, err);
	return r ? r : set_limits(ve, &fs, err);
}

static int keep(const struct vz_ve *ve, const struct vz_layout *layout,
		const struct vz_area *area, bool again, struct vz_err *err)
{
	vz_autoquota struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	int r = open_dir(ve, layout, area, &fs, err);

	if (!r)
		r = check_kept(ve, &fs, again, err);
	else if (r > 0)
		return 0;
	if (r <= 0)
		return r;
	if (is_assigned(fs.fd, ve->id) != 1) {
		/* What a VE does meanwhile is not seen by a walk. */
		if (vz_state_running(ve->ctx, ve->id) == 1)
			return vz_err_set(err, VZ_E_DQ_INIT, 0,
					  "%s is not in project %u: stop the VE, and its "
					  "next start sees to it",
					  area->path, ve->id);
		vz_info(ve->ctx, "Initializing quota ...");
		r = walk(ve, area, fs.fd, err);
		if (r)
			return r;
	}
	return set_limits(ve, &fs, err);
}

int vz_diskquota_mount(const struct vz_ve *ve, const struct vz_layout *layout,
		       const struct vz_area *area, struct vz_err *err)
{
	return keep(ve, layout, area, false, err);
}

int vz_diskquota_on(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	const struct vz_layout *layout;
	int r = vz_layout_open(ve, NULL, &layout, &area, err);

	return r ? r : keep(ve, layout, &area, true, err);
}

/* For who insists on a quota: -EINVAL where there can be none. */
static int open_kept(const struct vz_ve *ve, struct vz_area *ret_area,
		     struct vz_quota_fs *ret, enum vz_exit status, struct vz_err *err)
{
	const struct vz_layout *layout;
	int r = vz_layout_open(ve, NULL, &layout, ret_area, err);

	if (!r)
		r = open_dir(ve, layout, ret_area, ret, err);
	if (r < 0)
		return r;
	if (r > 0)
		return vz_err_set(err, status, 0,
				  "VE %u has the layout %s, whose size is its limit: "
				  "there is no quota",
				  ve->id, layout->name);
	if (vz_quota_enforces(ret, VZ_QUOTA_PROJECT))
		return 0;
	return vz_err_set(err, status, 0,
			  "no disk quota is kept for VE %u: the file system of %s has no "
			  "project quotas on",
			  ve->id, ret_area->path);
}

int vz_diskquota_off(const struct vz_ve *ve, struct vz_err *err)
{
	static const struct vz_quota none;
	vz_autoquota struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	int r = open_kept(ve, &area, &fs, VZ_E_DQ_OFF, err);

	if (r)
		return r;
	r = vz_quota_set(&fs, VZ_QUOTA_PROJECT, ve->id, &none, VZ_QUOTA_LIMITS);
	return r ? vz_err_set(err, VZ_E_DQ_OFF, -r,
			      "can't turn off the disk quota of VE %u", ve->id)
		 : 0;
}

int vz_diskquota_init(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autoquota struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	int r = open_kept(ve, &area, &fs, VZ_E_DQ_INIT, err);

	if (!r)
		r = walk(ve, &area, fs.fd, err);
	return r ? r : set_limits(ve, &fs, err);
}

int vz_diskquota_open(const struct vz_ve *ve, struct vz_quota_fs *ret, struct vz_err *err)
{
	vz_autoarea struct vz_area area = VZ_AREA_NONE;

	return open_kept(ve, &area, ret, VZ_E_DQ_USAGE, err);
}

void vz_diskquota_forget(const struct vz_ve *ve)
{
	static const struct vz_quota none;
	vz_autoquota struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	const char *private = vz_ve_private(ve, NULL);
	const char *slash = private ? strrchr(private, '/') : NULL;
	vz_autofree char *parent =
		slash && slash > private ? strndup(private, slash - private) : NULL;

	/* The area has been moved aside: its file system is its parent's. */
	if (!parent || vz_quota_open(ve->ctx, parent, &fs))
		return;
	if (vz_quota_enforces(&fs, VZ_QUOTA_PROJECT))
		vz_quota_set(&fs, VZ_QUOTA_PROJECT, ve->id, &none, VZ_QUOTA_LIMITS);
	forget_users(ve, &fs);
}

int vz_diskquota_apply(struct vz_ve *ve, const struct vz_cfg *old_cfg,
		       const struct vz_cfg *new_cfg, struct vz_err *err)
{
	const struct vz_ve with = { .ctx = ve->ctx,
				    .id = ve->id,
				    .cfg = (struct vz_cfg *)new_cfg };
	int r;

	r = vz_diskquota_on(&with, err);
	if (!r)
		vz_quotafile_put(&with);
	return r;
}

int vz_diskquota_read(const struct vz_ctx *ctx, uint32_t veid, const char *private,
		      struct vz_quota *ret)
{
	vz_autoquota struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	const struct vz_layout *layout;
	vz_autofd int fd = -1;
	int r = vz_area_open(private, &area, NULL);

	if (!r)
		r = vz_layout_find(area.layout, &layout, NULL);
	if (r)
		return r;
	fd = layout->quota_dir ? layout->quota_dir(&area) : -ENOTSUP;
	r = fd < 0 ? fd : vz_quota_open_fd(ctx, fd, &fs);
	if (r)
		return r;
	if (!(fs.counted & 1u << VZ_QUOTA_PROJECT) || is_assigned(fs.fd, veid) != 1)
		return -ENOENT;
	return vz_quota_get(&fs, VZ_QUOTA_PROJECT, veid, ret);
}
