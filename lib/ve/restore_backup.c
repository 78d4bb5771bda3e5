/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "ve/backup.h"
#include "ve/create.h"
#include "ve/mount.h"
#include "ve/ugidquota.h"

static int about(const struct vz_ctx *ctx, const char *file,
		 const struct vz_backup_info *info, uint32_t *ret_veid, char layout[32],
		 struct vz_err *err)
{
	vz_autoconf struct vz_conf *conf = NULL;
	const char *version, *veid, *name;
	uint64_t v;
	int r = vz_conf_parse(ctx, VZ_BACKUP_ABOUT, info->about, strlen(info->about),
			      &conf, err);

	if (r)
		return r;
	version = vz_conf_get(conf, "VERSION");
	veid = vz_conf_get(conf, "VEID");
	name = vz_conf_get(conf, "LAYOUT");
	if (!version || vz_parse_u64(version, UINT32_MAX, &v) || v > VZ_BACKUP_VERSION)
		return vz_err_set(err, VZ_E_BADTEMPLATE, 0,
				  "%s is a backup of version %s: this vz knows up to %d",
				  file, version ? version : "none", VZ_BACKUP_VERSION);
	if (!veid || vz_parse_veid(veid, ret_veid) || !name)
		return vz_err_set(err, VZ_E_BADTEMPLATE, 0, "%s is no backup of a VE",
				  file);
	snprintf(layout, 32, "%s", name);
	return 0;
}

/*
 * What made the VE another machine's: the host's ids, and paths that have the old
 * number in them. A privileged VE stays one.
 */
static int adapt(struct vz_conf *conf, uint32_t was, uint32_t id, const char *layout)
{
	static const char *const ids[] = { "LOCAL_UID", "LOCAL_GID" };
	static const char *const paths[] = { "VE_ROOT", "VE_PRIVATE" };
	const char *value;
	int r = 0;

	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(ids); i++) {
		value = vz_conf_get(conf, ids[i]);
		if (value && strcmp(value, "0"))
			r = vz_conf_set(conf, ids[i], NULL);
	}
	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(paths); i++) {
		value = vz_conf_get(conf, paths[i]);
		if (value && was != id && !strstr(value, "$VEID"))
			r = vz_conf_set(conf, paths[i], NULL);
	}
	return r ? r : vz_conf_set(conf, "VE_LAYOUT", layout);
}

static int make_base(const struct vz_ctx *ctx, uint32_t id, uint32_t was,
		     const char *layout, const struct vz_backup_info *info,
		     struct vz_create_base *ret, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, id);
	vz_autofree char *global = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autoconf struct vz_conf *base = NULL;
	int r = path && global ? vz_conf_load(ctx, global, &base, err) : -ENOMEM;

	if (!r)
		r = vz_conf_parse(ctx, path, info->conf, strlen(info->conf), &ret->conf,
				  err);
	if (!r && adapt(ret->conf, was, id, layout))
		r = vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't make a configuration");
	if (!r)
		r = vz_cfg_new(id, &ret->cfg);
	if (!r)
		r = vz_cfg_read(ret->cfg, ctx, base, true, 0, err);
	if (!r)
		r = vz_cfg_read(ret->cfg, ctx, ret->conf, false, 0, err);
	return r;
}

/* The VE is there; what is not kept here is said, and no reason to have no VE. */
static void restore_quota(const struct vz_ctx *ctx, uint32_t id, const char *text)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err err = { 0 };
	int r = vz_ve_open(ctx, id, &ve, &err);

	if (!r)
		r = vz_ugid_open(&ve, &u, &err);
	if (!r)
		r = vz_ugid_import(&u, text, &err);
	if (r)
		vz_warn(ctx, "the limits of VE %u's users are not restored: %s", id,
			err.text);
}

int vz_ve_restore_backup(const struct vz_ctx *ctx, uint32_t id, const char *file,
			 const char *layout, const struct vz_backup *how,
			 struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, id);
	vz_autobackup struct vz_backup_info info = { 0 };
	vz_autobase struct vz_create_base base = { 0 };
	struct vz_create create = {
		.base = &base,
		.lock_fd = *how->lock_fd,
		.archive = file,
		.below = VZ_BACKUP_ROOT,
		.progress = how->progress,
		.progress_data = how->progress_data,
	};
	char was_layout[32];
	uint32_t was;
	int r;

	if (path && !access(path, F_OK))
		return vz_err_set(err, VZ_E_PRIVATE_EXISTS, 0,
				  "VE %u exists: destroy it first, or say another VEID",
				  id);
	r = vz_backup_open(file, how, &info, err);
	if (!r)
		r = about(ctx, file, &info, &was, was_layout, err);
	if (r)
		return r;
	if (!layout && !strcmp(was_layout, "overlay"))
		vz_info(ctx,
			"The backup has all files of VE %u, which lay over a template: "
			"it is restored as simfs (vzctl convert)",
			was);
	if (!layout)
		layout = strcmp(was_layout, "overlay") ? was_layout : "simfs";
	r = make_base(ctx, id, was, layout, &info, &base, err);
	create.cfg = base.cfg;
	if (!r)
		r = vz_ve_create(ctx, id, &create, err);
	if (!r && info.quota)
		restore_quota(ctx, id, info.quota);
	return r;
}
