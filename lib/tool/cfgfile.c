/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/cfgfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* vz.conf says DISK_QUOTA and the like; a plan can be made without it. */
static int read_global(const struct vz_ctx *ctx, struct vz_cfg *cfg, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autoconf struct vz_conf *conf = NULL;
	int r = path ? vz_conf_load(ctx, path, &conf, err)
		     : vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't load vz.conf");

	if (r == -ENOENT) {
		vz_err_clear(err);
		return 0;
	}
	return r ? r : vz_cfg_read(cfg, ctx, conf, true, 0, err);
}

int vz_cfgfile_load(const struct vz_ctx *ctx, const char *path, struct vz_cfgfile *ret,
		    struct vz_err *err)
{
	int r = vz_conf_load(ctx, path, &ret->conf, err);

	if (r)
		return r;
	if (vz_cfg_new(0, &ret->cfg))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't load %s", path);
	r = read_global(ctx, ret->cfg, err);
	return r ? r : vz_cfg_read(ret->cfg, ctx, ret->conf, false, 0, err);
}

static int print(const struct vz_conf *conf, struct vz_err *err)
{
	vz_autofree char *text = vz_conf_text(conf);

	if (!text)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't print it");
	fputs(text, stdout);
	return 0;
}

int vz_cfgfile_save(struct vz_cfgfile *f, const struct vz_cfg *changed, const char *to,
		    struct vz_err *err)
{
	if (vz_cfg_store(f->cfg, changed, f->conf, NULL))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't save %s",
				  vz_conf_path(f->conf));
	return to && !strcmp(to, "-") ? print(f->conf, err)
				      : vz_conf_save(f->conf, to, err);
}

void vz_cfgfile_done(struct vz_cfgfile *f)
{
	vz_conf_free(f->conf);
	vz_cfg_free(f->cfg);
}
