/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/copy.h"
#include "sys/hold.h"
#include "sys/subvol.h"
#include "ve/dumpdir.h"
#include "ve/launch.h"
#include "ve/layout.h"
#include "ve/mount.h"
#include "ve/postcreate.h"
#include "ve/private.h"
#include "ve/save.h"
#include "ve/snapshot.h"
#include "ve/state.h"
#include "ve/template.h"
#include "ve/ugidquota.h"
#include "ve/unpacked.h"

/* One conversion; released by convert_done(). */
struct convert {
	struct vz_ve *ve;
	const struct vz_convert *how;
	const struct vz_layout *from, *to;
	struct vz_area old;
	struct vz_unpacked base; /* held until the area that refers to it has its place */
	char *path; /* PRIVATE, links followed */
	char *work; /* PRIVATE.converting */
	int workfd;
	uint64_t total;
	bool changed; /* the new area is in its place */
};

static void convert_done(struct convert *c)
{
	vz_area_close(&c->old);
	vz_unpacked_release(&c->base);
	if (c->workfd >= 0)
		close(c->workfd);
	free(c->path);
	free(c->work);
}

static int cant(struct vz_err *err, int errnum, const char *what, const char *path)
{
	bool full = errnum == ENOSPC || errnum == EDQUOT;

	return vz_err_set(err, full ? VZ_E_NOSPACE : VZ_E_NEWPRIVATE, errnum,
			  "can't %s %s", what, path);
}

/* --- what is there --- */

static int check_idle(struct vz_ve *ve, struct vz_err *err)
{
	int r = vz_state_running(ve->ctx, ve->id);

	if (r > 0)
		return vz_err_set(err, VZ_E_RUNNING, 0, "VE %u is running: stop it first",
				  ve->id);
	if (!r)
		r = vz_launch_cleanup(ve, err);
	if (r)
		return r;
	return vz_ve_mounted(ve) > 0
		       ? vz_err_set(err, VZ_E_MOUNTED, 0,
				    "VE %u is mounted: umount it first", ve->id)
		       : 0;
}

static int check_snapshots(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autosnapshots struct vz_snapshots all = { 0 };
	int r = vz_snapshot_list(ve, &all, err);

	if (r || !all.n)
		return r;
	return vz_err_set(
		err, VZ_E_LAYOUT, 0,
		"VE %u has %zu snapshots, which a conversion would lose: delete "
		"them first",
		ve->id, all.n);
}

/* Its processes have the files of this layout open. */
static int check_not_suspended(const struct vz_ve *ve, struct vz_err *err)
{
	return vz_dumpdir_has(ve)
		       ? vz_err_set(err, VZ_E_RUNNING, 0,
				    "VE %u is suspended: resume and stop it first",
				    ve->id)
		       : 0;
}

static int open_old(struct convert *c, struct vz_err *err)
{
	const char *private = vz_ve_private(c->ve, err);
	int r;

	if (!private)
		return -EINVAL;
	c->path = realpath(private, NULL);
	if (!c->path)
		return vz_err_set(err, VZ_E_NOPRIVATE, errno,
				  "the private area %s can't be used", private);
	c->work = vz_strf("%s" VZ_AREA_CONVERTING, c->path);
	if (!c->work)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't convert %s", private);
	r = vz_layout_find(c->how->layout, &c->to, err);
	if (!r)
		r = vz_layout_open(c->ve, c->path, &c->from, &c->old, err);
	if (!r)
		r = vz_area_check_settled(c->ve->ctx, private, err);
	if (r || c->from == c->to)
		return r;
	r = check_not_suspended(c->ve, err);
	return r ? r : check_snapshots(c->ve, err);
}

/* --- the new area --- */

/* What a killed conversion left: an unfinished new area, or the old one. */
static int begin_work(struct convert *c, struct vz_err *err)
{
	int r = vz_area_sweep_work(c->path, err);

	if (r)
		return r;
	if (mkdir(c->work, 0700))
		return cant(err, errno, "make", c->work);
	c->workfd = open(c->work, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->workfd < 0 || flock(c->workfd, LOCK_EX | LOCK_NB))
		return cant(err, errno, "open", c->work);
	r = vz_subvol_mkdir(c->workfd, "root", 0700);
	return r ? cant(err, -r, "make a directory in", c->work) : 0;
}

static int tick(void *data, uint64_t done)
{
	const struct convert *c = data;

	if (vz_hold_struck())
		return -EINTR;
	if (c->how->progress)
		c->how->progress(c->how->progress_data, done, c->total);
	return 0;
}

static int tick_unpacking(void *data, uint64_t done)
{
	return vz_hold_struck() ? -EINTR : 0;
}

static int get_base(struct convert *c, struct vz_err *err)
{
	const char *dir = vz_cfg_str(c->ve->cfg, VZ_P_TEMPLATE);
	const char *name = vz_cfg_str(c->ve->cfg, VZ_P_OSTEMPLATE);
	vz_autofree char *tarball = NULL;
	int r;

	if (!dir)
		return vz_err_set(err, VZ_E_NO_TEMPLATE_SET, 0,
				  "TEMPLATE is not set in vz.conf");
	if (!name || !*name)
		return vz_err_set(err, VZ_E_NOOSTEMPLATE, 0,
				  "VE %u has no OSTEMPLATE to lie over", c->ve->id);
	r = vz_template_find(dir, name, &tarball, err);
	return r ? r
		 : vz_unpacked_get(c->ve->ctx, dir, name, tarball, tick_unpacking, c,
				   &c->base, err);
}

static int open_files(struct convert *c, int *ret, struct vz_err *err)
{
	static const struct vz_layout_mount how = { .read_only = true };
	vz_autofd int mnt = -1;
	int r = c->from->mount(c->ve, &c->old, &how, &mnt, err);

	if (r)
		return r;
	*ret = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? cant(err, errno, "read", c->path) : 0;
}

/* Into what the new layout mounts; hard links wait in the same file system. */
static int fill(const struct vz_ve *ve, const struct vz_layout *to,
		const struct vz_area *area, struct vz_copy *copy, int from,
		const char *limits, struct vz_err *err)
{
	static const struct vz_layout_mount how = { 0 };
	vz_autofd int mnt = -1, root = -1, links = -1;
	char stage[32] = ".vz-links";
	struct stat st;
	int r = to->mount(ve, area, &how, &mnt, err);

	if (r)
		return r;
	root = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A new file system's own; the tree may bring another. */
	if (root >= 0)
		unlinkat(root, "lost+found", AT_REMOVEDIR);
	/* A name that the tree does not have: its owner chooses names, too. */
	for (int i = 0; !faccessat(from, stage, F_OK, AT_SYMLINK_NOFOLLOW); i++)
		snprintf(stage, sizeof(stage), ".vz-links.%d", i);
	if (root < 0 || mkdirat(root, stage, 0700))
		return cant(err, errno, "write to", area->path);
	links = openat(root, stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = links < 0 ? -errno : vz_copy_tree(copy, from, root, links);
	if (!r)
		r = vz_remove_tree(root, stage);
	/* That changed the directory. */
	if (!r && (fstat(from, &st) ||
		   futimens(root, (struct timespec[2]){ st.st_atim, st.st_mtim })))
		r = -errno;
	if (!r && !to->quota_dir)
		vz_ugid_give(ve, root, limits);
	if (!r && syncfs(root))
		r = -errno;
	return r == -EINTR || !r ? r : cant(err, -r, "copy to", area->path);
}

static int copy_files(struct convert *c, const struct vz_area *area, struct vz_err *err)
{
	/* Those of the node's file system are the VE's wherever there its files are. */
	bool moves = !c->from->quota_dir != !c->to->quota_dir;
	struct vz_copy copy = { .tick = tick, .tick_data = c };
	vz_autofree char *limits = NULL;
	vz_autofd int from = -1, dir = -1;
	int r = open_files(c, &from, err);

	if (!r && moves)
		r = vz_ugid_carry(c->ve, from, &limits, err);
	if (r)
		return r;
	c->total = vz_copy_size(from);
	r = c->to->fill ? c->to->fill(c->ve, area, from, &copy, err)
			: fill(c->ve, c->to, area, &copy, from, limits, err);
	dir = r || !c->to->quota_dir ? -1 : c->to->quota_dir(area);
	if (dir >= 0)
		vz_ugid_give(c->ve, dir, limits);
	return r;
}

static int make_new(struct convert *c, struct vz_err *err)
{
	struct vz_layout_new how = { .base = c->base.digest };
	vz_autofree char *path = vz_strf("%s/root", c->work);
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	vz_autofd int fd = -1;
	int r;

	fd = openat(c->workfd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!path || fd < 0)
		return cant(err, errno, "make", c->work);
	r = c->to->begin(c->ve, path, fd, &how, err);
	if (!r)
		r = vz_area_open(path, &area, err);
	if (!r)
		r = copy_files(c, &area, err);
	if (!r && syncfs(fd))
		r = cant(err, errno, "write", path);
	return r;
}

/* --- the change --- */

/* In one step; from here on it is finished, not given up. */
static int change_places(struct convert *c, struct vz_err *err)
{
	if (syscall(SYS_renameat2, c->workfd, "root", AT_FDCWD, c->path, RENAME_EXCHANGE))
		return errno == EBUSY
			       ? vz_err_set(err, VZ_E_NEWPRIVATE, EBUSY,
					    "the private area %s is a mount point: a "
					    "conversion can't put another in its place",
					    c->path)
			       : cant(err, errno, "put the new area in the place of",
				      c->path);
	c->changed = true;
	if (fsync(c->workfd) || vz_sync_parent(c->path))
		return cant(err, errno, "write the directory of", c->path);
	return 0;
}

static int save(struct convert *c, struct vz_err *err)
{
	const char *says = vz_cfg_str(c->ve->cfg, VZ_P_VE_LAYOUT);
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r;

	if (says && !strcmp(says, c->how->layout) &&
	    vz_cfg_own(c->ve->cfg, VZ_P_VE_LAYOUT))
		return 0;
	r = vz_cfg_copy(c->ve->cfg, &cfg);
	if (r)
		return vz_err_set(err, VZ_E_SAVE, -r, "can't save VE %u", c->ve->id);
	r = vz_cfg_set(cfg, VZ_P_VE_LAYOUT, c->how->layout, err);
	return r ? r : vz_ve_save(c->ve->ctx, c->ve->id, c->ve->cfg, cfg, NULL, err);
}

static int steps(struct convert *c, bool *ret_done, struct vz_err *err)
{
	int r = check_idle(c->ve, err);

	if (!r)
		r = vz_snapshot_settle(c->ve, err);
	if (r >= 0)
		r = open_old(c, err);
	*ret_done = !r && c->from != c->to;
	if (!r && c->from == c->to) {
		r = save(c, err);
		return r ? r : vz_area_sweep_work(c->path, err);
	}
	if (!r)
		r = vz_postcreate_settle(c->ve, c->how->lock_fd, err);
	if (!r && c->to->over_base)
		r = get_base(c, err);
	if (!r)
		r = begin_work(c, err);
	if (r)
		return r;
	r = make_new(c, err);
	if (!r && vz_hold_struck())
		r = -EINTR;
	if (!r)
		r = change_places(c, err);
	if (!r)
		r = save(c, err);
	/* The command again finishes it: till then the old area is kept. */
	if (r && c->changed)
		return r;
	/* The new one if it was given up, else the old one. */
	return r ? (vz_area_sweep_work(c->path, NULL), r)
		 : vz_area_sweep_work(c->path, err);
}

int vz_ve_convert(struct vz_ve *ve, const struct vz_convert *how, bool *ret_done,
		  struct vz_err *err)
{
	vz_autohold struct vz_hold hold;
	VZ_CLEANUP(convert_done)
	struct convert c = {
		.ve = ve,
		.how = how,
		.old = VZ_AREA_NONE,
		.base = VZ_UNPACKED_NONE,
		.workfd = -1,
	};
	int r;

	vz_hold_begin(&hold);
	r = steps(&c, ret_done, err);
	if (r == -EINTR)
		vz_err_set(err, VZ_E_SYSTEM, EINTR, "the conversion was given up");
	return r;
}
