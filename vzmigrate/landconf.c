/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/landconf.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "vzmigrate/exit.h"

void landing_conf_done(struct landing_conf *c)
{
	vz_cfg_free(vz_take(c->was));
	vz_cfg_free(vz_take(c->cfg));
	vz_conf_free(vz_take(c->conf));
}

/* Where our vz.conf would put it: what its file says about that is the source's. */
static int move_paths(const struct vz_cfg *global, struct vz_cfg *cfg, struct vz_err *err)
{
	static const enum vz_param_id paths[] = { VZ_P_VE_ROOT, VZ_P_VE_PRIVATE };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(paths); i++) {
		vz_autofree char *text = vz_cfg_text(global, paths[i]);
		int r = vz_cfg_set(cfg, paths[i], text, err);

		if (r)
			return r;
	}
	return 0;
}

int landing_conf_read(const struct vz_ctx *ctx, uint32_t veid, const char *text,
		      bool moved, struct landing_conf *ret, struct vz_err *err)
{
	vz_autofree char *global_path = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, veid);
	vz_autoconf struct vz_conf *global = NULL;
	autolanding_conf struct landing_conf c = { 0 };
	vz_autocfg struct vz_cfg *base = NULL;
	int r = global_path && path ? vz_conf_load(ctx, global_path, &global, err)
				    : -ENOMEM;

	if (!r)
		r = vz_cfg_new(veid, &base);
	if (!r)
		r = vz_cfg_read(base, ctx, global, true, 0, err);
	if (r)
		return mig_recast(err, MIG_E_REMOTECONF, r);
	r = vz_conf_parse(ctx, path, text, strlen(text), &c.conf, err);
	if (!r)
		r = vz_cfg_copy(base, &c.was);
	if (!r)
		r = vz_cfg_read(c.was, ctx, c.conf, false, 0, err);
	if (!r)
		r = vz_cfg_copy(c.was, &c.cfg);
	if (!r && moved)
		r = move_paths(base, c.cfg, err);
	if (r)
		return mig_recast(err, MIG_E_CONFIG, r);
	if (!vz_cfg_str(c.cfg, VZ_P_VE_PRIVATE) || !vz_cfg_str(c.cfg, VZ_P_VE_ROOT))
		return mig_fail(err, MIG_E_REMOTECONF, 0,
				"VE_PRIVATE and VE_ROOT are not set in vz.conf");
	*ret = c;
	c = (struct landing_conf){ 0 };
	return 0;
}
