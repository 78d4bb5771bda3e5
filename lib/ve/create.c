/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/create.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/num.h"
#include "res/vepool.h"
#include "sys/caps.h"
#include "sys/hold.h"
#include "sys/mnt.h"
#include "sys/untar.h"
#include "ve/diskquota.h"
#include "ve/dist.h"
#include "ve/dumpdir.h"
#include "ve/idpool.h"
#include "ve/launch.h"
#include "ve/layout.h"
#include "ve/mount.h"
#include "ve/name.h"
#include "ve/postcreate.h"
#include "ve/private.h"
#include "ve/snapshot.h"
#include "ve/template.h"
#include "ve/ugidquota.h"
#include "ve/unpacked.h"

enum { RESERVED_IDS = 100 };

/* One create on its way; all of it released by create_done(). */
struct create {
	const struct vz_ctx *ctx;
	uint32_t id;
	const struct vz_create *how;
	struct vz_ve ve; /* with the whole new configuration */
	struct vz_idrange uids, gids;
	struct vz_newarea area;
	const struct vz_layout *layout;
	struct vz_unpacked
		base; /* held until the area that refers to it is in its place */
	char *tarball;
	uint64_t tarball_size, tarball_done; /* of all archives; of those before */
};

static void create_done(struct create *c)
{
	vz_newarea_done(&c->area);
	vz_unpacked_release(&c->base);
	vz_idrange_release(&c->uids);
	vz_idrange_release(&c->gids);
	vz_ve_close(&c->ve);
	free(c->tarball);
}

/* --- what it begins as --- */

void vz_create_base_done(struct vz_create_base *b)
{
	vz_cfg_free(b->cfg);
	vz_conf_free(b->conf);
	free(b->sample);
	*b = (struct vz_create_base){ 0 };
}

static int base_existing(const struct vz_ctx *ctx, uint32_t id, const char *path,
			 struct vz_create_base *b, struct vz_err *err)
{
	int r = vz_conf_load(ctx, path, &b->conf, err);

	if (!r)
		r = vz_cfg_load_ve(ctx, id, &b->cfg, err);
	b->existed = true;
	return r;
}

static int base_sample(const struct vz_ctx *ctx, uint32_t id, const char *sample,
		       struct vz_create_base *b, struct vz_err *err)
{
	vz_autofree char *path =
		vz_strf("%s/conf/ve-%s.conf-sample", ctx->confdir, sample);
	const char *bad = vz_bad_template(sample);
	int r;

	if (bad)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "bad name of a sample '%s': expected %s", sample, bad);
	b->sample = strdup(sample);
	r = path && b->sample ? vz_conf_load(ctx, path, &b->conf, err) : -ENOMEM;
	if (r == -ENOENT)
		return vz_err_set(
			err, VZ_E_COPYCONF, ENOENT,
			"no sample '%s' (--config, or CONFIGFILE of vz.conf): %s", sample,
			path);
	return r ? r : vz_cfg_load_sample(ctx, sample, id, &b->cfg, err);
}

static int base_empty(const struct vz_ctx *ctx, uint32_t id, const char *path,
		      struct vz_create_base *b, struct vz_err *err)
{
	vz_autofree char *global = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autoconf struct vz_conf *conf = NULL;
	int r = global ? vz_conf_load(ctx, global, &conf, err) : -ENOMEM;

	if (!r)
		r = vz_cfg_new(id, &b->cfg);
	if (!r)
		r = vz_cfg_read(b->cfg, ctx, conf, true, 0, err);
	return r ? r : vz_conf_new(path, &b->conf);
}

int vz_create_base(const struct vz_ctx *ctx, uint32_t id, const char *sample,
		   struct vz_create_base *ret, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, id);
	vz_autobase struct vz_create_base b = { 0 };
	vz_autocfg struct vz_cfg *global = NULL;
	bool exists = path && !access(path, F_OK);
	int r = vz_cfg_load_global(ctx, &global, err);

	if (r)
		return r;
	if (exists && sample)
		return vz_err_set(err, VZ_E_COPYCONF, 0,
				  "VE %u has a configuration already, --config can't "
				  "replace it: %s",
				  id, path);
	if (!sample)
		sample = vz_cfg_str(global, VZ_P_CONFIGFILE);
	if (exists)
		r = base_existing(ctx, id, path, &b, err);
	else if (sample && *sample)
		r = base_sample(ctx, id, sample, &b, err);
	else
		r = base_empty(ctx, id, path, &b, err);
	if (r == -ENOMEM)
		vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't make a configuration");
	if (r)
		return r;
	*ret = b;
	b = (struct vz_create_base){ 0 };
	return 0;
}

/* --- checks, before anything is made --- */

static int check_private(struct create *c, struct vz_err *err)
{
	const char *private = vz_ve_private(&c->ve, err);
	const char *root = private ? vz_ve_root(&c->ve, err) : NULL;
	vz_autofree char *snapshots = NULL;
	int r;

	if (!root)
		return -EINVAL;
	if (!private[strspn(private, "/")])
		return vz_err_set(err, VZ_E_NEWPRIVATE, 0,
				  "%s can't be a private area: expected a directory of "
				  "the VE's own",
				  private);
	snapshots = vz_snapshot_beside(private);
	if (snapshots && !access(snapshots, F_OK))
		return vz_err_set(err, VZ_E_PRIVATE_EXISTS, 0,
				  "there are snapshots of another VE in %s: remove them "
				  "first",
				  snapshots);
	r = vz_mnt_is_mounted(root);
	if (r > 0 && !access(private, F_OK))
		return vz_err_set(err, VZ_E_PRIVATE_EXISTS, 0,
				  "the private area %s is there already", private);
	if (r > 0)
		return vz_err_set(err, VZ_E_MOUNTED, 0,
				  "something is mounted on the VE's root %s", root);
	return 0;
}

static int find_template(struct create *c, struct vz_err *err)
{
	const char *dir = vz_cfg_str(c->ve.cfg, VZ_P_TEMPLATE);
	const char *name = vz_cfg_str(c->ve.cfg, VZ_P_OSTEMPLATE);
	struct stat st;
	int r;

	if (!dir)
		return vz_err_set(err, VZ_E_NO_TEMPLATE_SET, 0,
				  "TEMPLATE is not set in vz.conf");
	if (!name || !*name)
		name = vz_cfg_str(c->ve.cfg, VZ_P_DEF_OSTEMPLATE);
	if (!name || !*name)
		return vz_err_set(err, VZ_E_NOOSTEMPLATE, 0,
				  "no OS template: say --ostemplate, or set "
				  "DEF_OSTEMPLATE in vz.conf");
	r = vz_template_find(dir, name, &c->tarball, err);
	if (!r && stat(c->tarball, &st))
		r = vz_err_set(err, VZ_E_NOTEMPLATE, errno, "can't read %s", c->tarball);
	if (r)
		return r;
	c->tarball_size = st.st_size;
	return vz_cfg_set(c->ve.cfg, VZ_P_OSTEMPLATE, name, err);
}

/* The one by whose name they are known. */
static const char *archive_of(const struct create *c)
{
	return c->how->parts ? c->how->part[c->how->parts - 1].file : NULL;
}

static int take_archives(struct create *c, struct vz_err *err)
{
	struct stat st;

	if (c->layout->over_base && !c->how->over)
		return vz_err_set(err, VZ_E_LAYOUT, 0,
				  "a VE that lay over no template, or over one that is "
				  "not here, can't be made of an archive as layout %s: "
				  "say another one",
				  c->layout->name);
	for (size_t i = 0; i < c->how->parts; i++) {
		if (stat(c->how->part[i].file, &st))
			return vz_err_set(err, VZ_E_NOTEMPLATE, errno, "can't read %s",
					  c->how->part[i].file);
		c->tarball_size += st.st_size;
	}
	return 0;
}

static int check(struct create *c, struct vz_err *err)
{
	const char *name = vz_cfg_str(c->ve.cfg, VZ_P_NAME);
	int r;

	if (c->id <= RESERVED_IDS)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "VEIDs from 0 to %d are reserved: choose a greater one",
				  RESERVED_IDS);
	r = vz_layout_wanted(&c->ve, &c->layout, err);
	if (!r)
		r = vz_cfg_check(c->ve.cfg, err);
	if (!r)
		r = vz_vepool_check(c->ctx, c->ve.cfg, err);
	if (!r && name && *name)
		r = vz_name_check(c->ctx, c->id, name, err);
	if (!r)
		r = archive_of(c) ? take_archives(c, err) : find_template(c, err);
	return r ? r : check_private(c, err);
}

/* --- ids --- */

static int set_id(struct create *c, enum vz_param_id param, uint32_t first,
		  struct vz_err *err)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", first);
	return vz_cfg_set(c->ve.cfg, param, text, err);
}

/* Ranges from the pool, or those that the options or the VE's file say. */
static int take_ids(struct create *c, struct vz_err *err)
{
	struct vz_cfg *cfg = c->ve.cfg;
	uint32_t uid = vz_cfg_u64(cfg, VZ_P_LOCAL_UID), gid;
	int r = 0;

	if (!vz_cfg_own(cfg, VZ_P_LOCAL_UID) && !vz_cfg_own(cfg, VZ_P_LOCAL_GID)) {
		r = vz_idrange_take(c->ctx, cfg, &c->uids, err);
		uid = c->uids.first;
		gid = uid;
	} else {
		if (!vz_cfg_own(cfg, VZ_P_LOCAL_UID))
			uid = vz_cfg_u64(cfg, VZ_P_LOCAL_GID);
		gid = vz_cfg_own(cfg, VZ_P_LOCAL_GID) ? vz_cfg_u64(cfg, VZ_P_LOCAL_GID)
						      : uid;
		if (!uid != !gid)
			return vz_err_set(err, VZ_E_VALUE, 0,
					  "LOCAL_UID %u with LOCAL_GID %u: both are 0 (a "
					  "privileged VE), or none is",
					  uid, gid);
		if (uid)
			r = vz_idrange_claim(c->ctx, cfg, c->id, uid, &c->uids, err);
		if (!r && gid != uid)
			r = vz_idrange_claim(c->ctx, cfg, c->id, gid, &c->gids, err);
	}
	if (!r)
		r = set_id(c, VZ_P_LOCAL_UID, uid, err);
	return r ? r : set_id(c, VZ_P_LOCAL_GID, gid, err);
}

/* --- the files --- */

static int tick(void *data, uint64_t done)
{
	const struct create *c = data;

	if (vz_hold_struck())
		return -EINTR;
	if (c->how->progress)
		c->how->progress(c->how->progress_data, c->tarball_done + done,
				 c->tarball_size);
	return 0;
}

static int tick_filling(void *data, uint64_t done)
{
	return vz_hold_struck() ? -EINTR : 0;
}

static void limit(const struct vz_cfg *cfg, struct vz_untar *how)
{
	struct vz_limit space = vz_cfg_limit(cfg, VZ_P_DISKSPACE);
	struct vz_limit inodes = vz_cfg_limit(cfg, VZ_P_DISKINODES);

	if (!vz_cfg_bool(cfg, VZ_P_DISK_QUOTA))
		return;
	if (space.limit < UINT64_MAX / 1024)
		how->max_bytes = space.limit * 1024;
	if (inodes.limit != VZ_UNLIMITED)
		how->max_inodes = inodes.limit;
}

static int unpack_one(struct create *c, const char *file,
		      const struct vz_create_part *part, int rootfd, struct vz_err *err)
{
	vz_autofd int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct vz_untar how = {
		.archive_fd = fd,
		.rootfd = rootfd,
		.uid = vz_cfg_u64(c->ve.cfg, VZ_P_LOCAL_UID),
		.gid = vz_cfg_u64(c->ve.cfg, VZ_P_LOCAL_GID),
		.below = part ? c->how->below : NULL,
		.want = part ? part->want : NULL,
		.want_data = part ? part->data : NULL,
		.tick = tick,
		.tick_data = c,
	};
	struct vz_err why = { 0 };
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st))
		return vz_err_set(err, VZ_E_NOTEMPLATE, errno, "can't read %s", file);
	/* What a template has counts for no VE that lies over it. */
	if (!c->layout->over_base)
		limit(c->ve.cfg, &how);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	r = vz_untar(&how, &why);
	c->tarball_done += st.st_size;
	if (r && why.status) {
		vz_err_prefix(&why, "%s %s", part ? "archive" : "OS template", file);
		if (err)
			*err = why;
	}
	return r;
}

static int unpack(struct create *c, int rootfd, struct vz_err *err)
{
	/* Who has it is not held back by ext4's limits. */
	bool unlimited = vz_caps_effective(CAP_SYS_RESOURCE, false);
	int r = archive_of(c) ? 0 : unpack_one(c, c->tarball, NULL, rootfd, err);

	for (size_t i = 0; !r && i < c->how->parts; i++)
		r = unpack_one(c, c->how->part[i].file, &c->how->part[i], rootfd, err);
	if (unlimited)
		vz_caps_effective(CAP_SYS_RESOURCE, true);
	return r || !c->how->unpacked ? r : c->how->unpacked(c->how->unpacked_data, err);
}

static void set_users_limits(struct create *c, const struct vz_area *area, int mnt)
{
	vz_autofd int dir = c->layout->quota_dir ? c->layout->quota_dir(area) : -1;

	vz_ugid_give(&c->ve, dir >= 0 ? dir : mnt, c->how->quota);
}

/*
 * Archives have all files of a VE. Its layer gets those that its template lacks: they
 * are unpacked beside it first, where no quota counts them.
 */
static int fill_layer(struct create *c, const struct vz_area *area, struct vz_err *err)
{
	struct vz_copy copy = { .tick = tick_filling };
	vz_autofd int tree = -1;
	int r = mkdirat(c->area.dirfd, "tree", 0700) ? -errno : 0;

	if (!r)
		tree = openat(c->area.dirfd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r || tree < 0)
		return vz_err_set(err, VZ_E_NEWPRIVATE, errno, "can't make %s/tree",
				  c->area.dir);
	r = unpack(c, tree, err);
	if (!r) {
		bool unlimited = vz_caps_effective(CAP_SYS_RESOURCE, false);

		r = c->layout->fill(&c->ve, area, tree, &copy, err);
		if (unlimited)
			vz_caps_effective(CAP_SYS_RESOURCE, true);
	}
	if (!r && vz_remove_tree(c->area.dirfd, "tree"))
		r = vz_err_set(err, VZ_E_NEWPRIVATE, errno, "can't remove %s/tree",
			       c->area.dir);
	if (!r)
		set_users_limits(c, area, -1);
	return r;
}

/* The area as its layout has it, with the template's files in it. */
static int make_files(struct create *c, struct vz_err *err)
{
	static const struct vz_layout_mount writable = { 0 };
	struct vz_layout_new how = { .base = c->how->over ? c->how->over->digest
							  : c->base.digest };
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	vz_autofree char *path = vz_strf("%s/root", c->area.dir);
	vz_autofd int mnt = -1, rootfd = -1;
	int r = path ? 0 : -ENOMEM;

	if (!r && c->layout->over_base && !c->how->over)
		r = vz_unpacked_get(c->ctx, vz_cfg_str(c->ve.cfg, VZ_P_TEMPLATE),
				    vz_cfg_str(c->ve.cfg, VZ_P_OSTEMPLATE), c->tarball,
				    tick, c, &c->base, err);
	if (!r)
		r = c->layout->begin(&c->ve, path, c->area.rootfd, &how, err);
	if (!r)
		r = vz_area_open(path, &area, err);
	if (!r)
		r = vz_diskquota_new(&c->ve, c->layout, &area, err);
	if (!r && c->layout->over_base && archive_of(c))
		return fill_layer(c, &area, err);
	if (r || c->layout->over_base)
		return r;
	r = c->layout->mount(&c->ve, &area, &writable, &mnt, err);
	if (r)
		return r;
	rootfd = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = rootfd < 0 ? vz_err_set(err, VZ_E_NEWPRIVATE, errno, "can't open %s", path)
		       : unpack(c, rootfd, err);
	if (!r)
		set_users_limits(c, &area, rootfd);
	return r;
}

/* --- POST_CREATE: a script of the distribution, inside the new VE --- */

/*
 * The area is not in its place yet, so it is mounted here and not by
 * vz_ve_mount(), whose action scripts are for VEs that exist.
 */
static int with_mount(struct create *c, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/root", c->area.dir);
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	const char *root = vz_ve_root(&c->ve, err);
	int r = path ? vz_area_open(path, &area, err) : -ENOMEM;

	if (!r)
		r = vz_ve_attach(&c->ve, c->layout, &area, err);
	if (r)
		return r;
	r = vz_postcreate_now(&c->ve, c->how->lock_fd, err);
	if (umount2(root, UMOUNT_NOFOLLOW | MNT_DETACH) && !r)
		r = vz_err_set(err, VZ_E_UMOUNT, errno, "can't umount %s", root);
	return r;
}

/* At the first launch: an area over a template is made in a fraction of one. */
static int defer(struct create *c, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/root", c->area.dir);
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	int r = path ? vz_area_open(path, &area, err) : -ENOMEM;

	if (!r && vz_postcreate_defer(&area))
		r = vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't make %s", path);
	return r ? r : vz_area_save(&area, true, err);
}

static int post_create(struct create *c, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	int r = vz_dist_script(c->ctx, vz_cfg_str(c->ve.cfg, VZ_P_OSTEMPLATE),
			       VZ_DIST_POST_CREATE, &text, err);

	if (r || !text)
		return r;
	return c->layout->over_base ? defer(c, err) : with_mount(c, err);
}

/* --- the configuration --- */

/* What a VE's file always says, so that it is the VE's whole definition. */
static int complete(struct create *c, struct vz_err *err)
{
	static const enum vz_param_id paths[] = { VZ_P_VE_ROOT, VZ_P_VE_PRIVATE };
	const struct vz_create_base *base = c->how->base;
	struct vz_cfg *cfg = c->ve.cfg;
	int r = 0;

	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(paths); i++) {
		vz_autofree char *text = vz_cfg_text(cfg, paths[i]);

		if (text)
			r = vz_cfg_set(cfg, paths[i], text, err);
	}
	if (!r && !vz_cfg_own(cfg, VZ_P_ONBOOT))
		r = vz_cfg_set(cfg, VZ_P_ONBOOT, "no", err);
	if (!r && base->sample)
		r = vz_cfg_set(cfg, VZ_P_ORIGIN_SAMPLE, base->sample, err);
	return r;
}

static int save(struct create *c, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", c->ctx->confdir, c->id);
	const struct vz_create_base *base = c->how->base;
	const char *name = vz_cfg_str(c->ve.cfg, VZ_P_NAME);
	vz_autofree char *was = base->existed ? vz_conf_text(base->conf) : NULL;
	int r = complete(c, err);

	if (r)
		return r;
	if (!path || (base->existed && !was))
		return vz_err_set(err, VZ_E_SAVE, ENOMEM, "can't save the configuration");
	r = vz_cfg_store(base->existed || base->sample ? base->cfg : NULL, c->ve.cfg,
			 base->conf, NULL);
	if (r)
		return vz_err_set(err, VZ_E_SAVE, -r, "can't save %s", path);
	r = vz_conf_save(base->conf, path, err);
	if (r || !name || !*name)
		return r;
	r = vz_name_move(c->ctx, c->id, NULL, name, err);
	if (r && was)
		vz_replace_file(path, was, strlen(was), 0644);
	else if (r)
		unlink(path);
	return r;
}

/* --- all of it --- */

/* A create that was killed in POST_CREATE leaves its process and mount. */
static void clear_killed(struct create *c)
{
	const char *private = vz_ve_private(&c->ve, NULL);
	const char *root = vz_ve_root(&c->ve, NULL);
	vz_autofree char *dir = private ? vz_strf("%s.creating", private) : NULL;

	if (!dir || !root || access(dir, F_OK))
		return;
	vz_launch_cleanup(&c->ve, NULL);
	if (vz_mnt_is_mounted(root) > 0)
		umount2(root, UMOUNT_NOFOLLOW | MNT_DETACH);
}

/* Another VE of this number was suspended, and its files were removed by hand. */
static int forget_dump(struct create *c, struct vz_err *err)
{
	int r = vz_dumpdir_has(&c->ve) ? vz_dumpdir_forget(&c->ve) : 0;

	return r ? vz_err_set(err, VZ_E_SYSTEM, -r,
			      "can't remove the dump of an earlier VE %u", c->id)
		 : 0;
}

static int steps(struct create *c, struct vz_err *err)
{
	int r;

	if (c->id > RESERVED_IDS)
		clear_killed(c);
	r = check(c, err);
	if (!r)
		r = forget_dump(c, err);
	if (!r)
		r = vz_area_sweep(vz_ve_private(&c->ve, NULL), NULL, err);
	if (!r)
		r = vz_newarea_begin(vz_ve_private(&c->ve, NULL), c->how->base->existed,
				     &c->area, err);
	if (!r)
		r = take_ids(c, err);
	if (!r) {
		vz_info(c->ctx, "Creating the private area of VE %u (%s)", c->id,
			archive_of(c) ?: vz_cfg_str(c->ve.cfg, VZ_P_OSTEMPLATE));
		r = make_files(c, err);
	}
	if (!r && !archive_of(c))
		r = post_create(c, err);
	if (!r && vz_hold_struck())
		r = -EINTR;
	if (!r)
		r = vz_newarea_publish(c->ctx, &c->area, err);
	if (!r)
		r = save(c, err);
	if (!r) {
		vz_area_settle(&c->area);
		vz_newarea_keep(&c->area);
	}
	if (r == -EINTR)
		vz_err_set(err, VZ_E_SYSTEM, EINTR, "the creation was given up");
	return r;
}

int vz_ve_create(const struct vz_ctx *ctx, uint32_t id, const struct vz_create *how,
		 struct vz_err *err)
{
	vz_autohold struct vz_hold hold;
	VZ_CLEANUP(create_done)
	struct create c = {
		.ctx = ctx,
		.id = id,
		.how = how,
		.ve = { .ctx = ctx, .id = id },
		.uids = VZ_IDRANGE_NONE,
		.gids = VZ_IDRANGE_NONE,
		.area = VZ_NEWAREA_NONE,
		.base = VZ_UNPACKED_NONE,
	};

	vz_hold_begin(&hold);
	if (vz_cfg_copy(how->cfg, &c.ve.cfg))
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't create VE %u", id);
	return steps(&c, err);
}
