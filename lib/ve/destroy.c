/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/destroy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/mnt.h"
#include "ve/diskquota.h"
#include "ve/dumpdir.h"
#include "ve/launch.h"
#include "ve/mount.h"
#include "ve/name.h"
#include "ve/private.h"
#include "ve/snapshot.h"
#include "ve/state.h"
#include "ve/traffic.h"

static int check_idle(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autofree char *snapshot = NULL;
	int r = vz_state_running(ve->ctx, ve->id);

	if (r > 0)
		return vz_err_set(err, VZ_E_RUNNING, 0, "VE %u is running: stop it first",
				  ve->id);
	if (!r)
		r = vz_launch_cleanup((struct vz_ve *)ve, err);
	if (r)
		return r;
	r = vz_ve_mounted(ve);
	if (r > 0)
		return vz_err_set(err, VZ_E_MOUNTED, 0,
				  "VE %u is mounted: umount it first", ve->id);
	snapshot = vz_snapshot_any_mounted(ve->ctx, ve->id);
	if (snapshot)
		return vz_err_set(err, VZ_E_MOUNTED, 0,
				  "a snapshot of VE %u is mounted on %s: umount it first",
				  ve->id, snapshot);
	return r < 0 && r != -ENOENT
		       ? vz_err_set(err, VZ_E_SYSTEM, -r,
				    "can't see whether VE %u is mounted", ve->id)
		       : 0;
}

static void remove_scripts(const struct vz_ve *ve)
{
	static const char *const names[] = { "premount", "mount",  "start",
					     "stop",	 "umount", "postumount" };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(names); i++) {
		vz_autofree char *path =
			vz_strf("%s/conf/%u.%s", ve->ctx->confdir, ve->id, names[i]);

		if (path && unlink(path) && errno != ENOENT)
			vz_warn(ve->ctx, "can't remove %s: %s", path, strerror(errno));
	}
}

static void remove_dump(const struct vz_ve *ve)
{
	int r = vz_dumpdir_forget(ve);

	if (r)
		vz_warn(ve->ctx, "can't remove what VE %u was suspended to: %s", ve->id,
			strerror(-r));
}

/* The moment at which the VE is no more: its file has another name. */
static int retire_config(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ve->ctx->confdir, ve->id);
	vz_autofree char *to = vz_strf("%s.destroyed", path);
	const char *name = vz_cfg_str(ve->cfg, VZ_P_NAME);

	if (!path || !to)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't destroy VE %u",
				  ve->id);
	if (name && *name && vz_name_move(ve->ctx, ve->id, name, NULL, NULL))
		vz_warn(ve->ctx, "can't remove the name '%s' of VE %u", name, ve->id);
	remove_scripts(ve);
	if (rename(path, to))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't rename %s", path);
	return 0;
}

/* An area, and the snapshots that lie beside it. */
static int aside(const struct vz_ve *ve, const char *private, struct vz_err *err)
{
	vz_autofree char *snapshots = vz_snapshot_beside(private);
	int r = vz_area_aside(ve->ctx, private, err);

	return r || !snapshots ? r : vz_area_aside(ve->ctx, snapshots, err);
}

static int sweep(const char *private, bool *ret_found, struct vz_err *err)
{
	vz_autofree char *snapshots = vz_snapshot_beside(private);
	int r = vz_area_sweep(private, ret_found, err);

	return r || !snapshots ? r : vz_area_sweep(snapshots, ret_found, err);
}

static int destroy(const struct vz_ve *ve, struct vz_err *err)
{
	const char *private = vz_ve_private(ve, err);
	const char *root = private ? vz_ve_root(ve, err) : NULL;
	int r;

	if (!root)
		return -EINVAL;
	r = check_idle(ve, err);
	if (r)
		return r;
	vz_info(ve->ctx, "Destroying the private area of VE %u: %s", ve->id, private);
	r = aside(ve, private, err);
	if (!r)
		r = vz_area_sweep_work(private, err);
	/* Before its number is free: another VE of it must not wake up as this one. */
	if (!r)
		remove_dump(ve);
	if (!r)
		r = retire_config(ve, err);
	if (r)
		return r;
	vz_diskquota_forget(ve);
	vz_traffic_forget(ve->ctx, ve->id);
	vz_state_set_down(ve->ctx, ve->id, NULL);
	rmdir(root);
	return sweep(private, NULL, err);
}

/* A destroy was killed when the file had its new name, but not all was gone. */
static int finish(const struct vz_ctx *ctx, uint32_t id, bool *ret_found,
		  struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf.destroyed", ctx->confdir, id);
	vz_autofree char *global = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autoconf struct vz_conf *conf = NULL, *base = NULL;
	vz_autocfg struct vz_cfg *cfg = NULL;
	const char *private;

	/* Whatever is wrong with these files, there is no VE: that is the error. */
	if (!path || !global || vz_conf_load(ctx, path, &conf, NULL) ||
	    vz_conf_load(ctx, global, &base, NULL) || vz_cfg_new(id, &cfg) ||
	    vz_cfg_read(cfg, ctx, base, true, 0, NULL) ||
	    vz_cfg_read(cfg, ctx, conf, false, 0, NULL))
		return 0;
	private = vz_cfg_str(cfg, VZ_P_VE_PRIVATE);
	return private ? sweep(private, ret_found, err) : 0;
}

int vz_ve_destroy(const struct vz_ctx *ctx, uint32_t id, struct vz_err *err)
{
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err why = { 0 };
	bool found = false;
	int r = vz_ve_open(ctx, id, &ve, &why);

	if (!r)
		return destroy(&ve, err);
	if (why.status == VZ_E_NOCONF) {
		r = finish(ctx, id, &found, err);
		if (r || found)
			return r;
		r = -ENOENT;
	}
	if (err)
		*err = why;
	return r;
}
