/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/save.h"

#include <errno.h>
#include <string.h>

#include "ve/name.h"

static int save_file(const struct vz_ctx *ctx, uint32_t id, const struct vz_cfg *old,
		     const struct vz_cfg *new, unsigned int *ret_changed,
		     struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, id);
	vz_autoconf struct vz_conf *conf = NULL;
	int r = path ? vz_conf_load(ctx, path, &conf, err)
		     : vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't save VE %u", id);

	if (r)
		return r;
	if (vz_cfg_store(old, new, conf, ret_changed))
		return vz_err_set(err, VZ_E_SAVE, ENOMEM, "can't save %s", path);
	return *ret_changed ? vz_conf_save(conf, NULL, err) : 0;
}

/* A new name moves its link; one that stands comes back when its link was lost. */
static int move_name(const struct vz_ctx *ctx, uint32_t id, const struct vz_cfg *old,
		     const struct vz_cfg *new, struct vz_err *err)
{
	const char *was = vz_cfg_str(old, VZ_P_NAME), *name = vz_cfg_str(new, VZ_P_NAME);
	uint32_t holder;

	if (!vz_cfg_same(old, new, VZ_P_NAME) ||
	    (name && *name && vz_name_find(ctx, name, &holder, NULL) == -ENOENT))
		return vz_name_move(ctx, id, was, name, err);
	return 0;
}

int vz_ve_save(const struct vz_ctx *ctx, uint32_t id, const struct vz_cfg *old,
	       const struct vz_cfg *new, unsigned int *ret_changed, struct vz_err *err)
{
	const char *name = vz_cfg_str(new, VZ_P_NAME);
	unsigned int changed = 0;
	int r = 0;

	if (name && *name && !vz_cfg_same(old, new, VZ_P_NAME))
		r = vz_name_check(ctx, id, name, err);
	if (!r)
		r = save_file(ctx, id, old, new, &changed, err);
	if (!r)
		r = move_name(ctx, id, old, new, err);
	if (!r && ret_changed)
		*ret_changed = changed;
	return r;
}
