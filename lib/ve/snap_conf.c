/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/snap_conf.h"

#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "ve/name.h"
#include "ve/save.h"
#include "ve/ugidquota.h"

enum { CONF_MAX = 1 << 20, QUOTA_MAX = 16 << 20 };

static int save_words(const char *dir, const struct vz_snapshot_how *how,
		      struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/info", dir);
	vz_autoconf struct vz_conf *conf = NULL;
	int r = path ? vz_conf_new(path, &conf) : -ENOMEM;

	if (!r && how->name)
		r = vz_conf_set(conf, "NAME", how->name);
	if (!r && how->description)
		r = vz_conf_set(conf, "DESCRIPTION", how->description);
	return r ? vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't write %s/info", dir)
		 : vz_conf_save(conf, NULL, err);
}

int vz_snap_conf_save(const struct vz_ve *ve, const char *dir,
		      const struct vz_snapshot_how *how, struct vz_err *err)
{
	vz_autofree char *from = vz_strf("%s/conf/%u.conf", ve->ctx->confdir, ve->id);
	vz_autofree char *to = vz_strf("%s/ve.conf", dir), *text = NULL;
	size_t len;
	int r = save_words(dir, how, err);

	if (r || how->skip_config)
		return r;
	r = from && to ? vz_read_file(from, CONF_MAX, &text, &len) : -ENOMEM;
	if (!r)
		r = vz_replace_file(to, text, len, 0600);
	return r ? vz_err_set(err, VZ_E_SNAP_CREATE, -r,
			      "can't keep the configuration %s", from ? from : "")
		 : 0;
}

int vz_snap_conf_words(const struct vz_ve *ve, const char *dir, char **ret_name,
		       char **ret_description)
{
	vz_autofree char *path = vz_strf("%s/info", dir);
	vz_autoconf struct vz_conf *conf = NULL;
	const char *name = NULL, *description = NULL;

	if (!path)
		return -ENOMEM;
	/* Words only: a snapshot without them is still one. */
	if (!access(path, F_OK) && !vz_conf_load(ve->ctx, path, &conf, NULL)) {
		name = vz_conf_get(conf, "NAME");
		description = vz_conf_get(conf, "DESCRIPTION");
	}
	*ret_name = strdup(name ? name : "");
	*ret_description = strdup(description ? description : "");
	return *ret_name && *ret_description ? 0 : -ENOMEM;
}

/* The area's own facts: no snapshot's configuration knows better. */
static int keep_facts(struct vz_cfg *cfg, const struct vz_cfg *now, struct vz_err *err)
{
	static const enum vz_param_id facts[] = { VZ_P_VE_ROOT, VZ_P_VE_PRIVATE,
						  VZ_P_VE_LAYOUT, VZ_P_LOCAL_UID,
						  VZ_P_LOCAL_GID };
	int r = 0;

	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(facts); i++) {
		vz_autofree char *text =
			vz_cfg_own(now, facts[i]) ? vz_cfg_text(now, facts[i]) : NULL;

		r = vz_cfg_set(cfg, facts[i], text, err);
	}
	return r;
}

static int keep_name(const struct vz_ve *ve, struct vz_cfg *cfg, const struct vz_cfg *now,
		     struct vz_err *err)
{
	const char *name = vz_cfg_str(cfg, VZ_P_NAME), *was = vz_cfg_str(now, VZ_P_NAME);
	struct vz_err why = { 0 };

	if (!name || !*name || vz_cfg_same(cfg, now, VZ_P_NAME) ||
	    !vz_name_check(ve->ctx, ve->id, name, &why))
		return 0;
	vz_warn(ve->ctx, "the snapshot's name is not taken back: %s", why.text);
	return vz_cfg_set(cfg, VZ_P_NAME, was, err);
}

int vz_snap_conf_restore(const struct vz_ve *ve, const char *path, struct vz_err *err)
{
	vz_autofree char *global = vz_strf("%s/vz.conf", ve->ctx->confdir);
	vz_autoconf struct vz_conf *base = NULL, *conf = NULL;
	vz_autocfg struct vz_cfg *cfg = NULL, *now = NULL;
	int r = global ? vz_conf_load(ve->ctx, global, &base, err) : -ENOMEM;

	if (!r)
		r = vz_conf_load(ve->ctx, path, &conf, err);
	if (!r)
		r = vz_cfg_load_ve(ve->ctx, ve->id, &now, err);
	if (!r)
		r = vz_cfg_new(ve->id, &cfg);
	if (!r)
		r = vz_cfg_read(cfg, ve->ctx, base, true, 0, err);
	if (!r)
		r = vz_cfg_read(cfg, ve->ctx, conf, false, 0, err);
	if (!r)
		r = keep_facts(cfg, now, err);
	if (!r)
		r = keep_name(ve, cfg, now, err);
	return r ? r : vz_ve_save(ve->ctx, ve->id, now, cfg, NULL, err);
}

int vz_snap_conf_save_quota(const struct vz_ve *ve, const char *dir, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/quota", dir), *text = NULL;
	int r = vz_ugid_carry(ve, -1, &text, err);

	if (r || !text)
		return r;
	r = path ? vz_replace_file(path, text, strlen(text), 0600) : -ENOMEM;
	return r ? vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't write %s/quota", dir) : 0;
}

void vz_snap_conf_restore_quota(const struct vz_ve *ve, const char *dir)
{
	vz_autofree char *path = vz_strf("%s/quota", dir), *text = NULL;
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	struct vz_err err = { 0 };
	int r;

	if (!path || access(path, F_OK) || vz_ugid_open(ve, &u, NULL))
		return;
	r = vz_read_file(path, QUOTA_MAX, &text, NULL);
	if (r)
		vz_err_set(&err, VZ_E_SYSTEM, -r, "can't read %s", path);
	else
		r = vz_ugid_import(&u, text, &err);
	if (r)
		vz_warn(ve->ctx, "the limits of VE %u's users are not taken back: %s",
			ve->id, err.text);
}
