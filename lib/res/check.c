/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that more than one value, or more than its form, has to do with. */
#include <string.h>

#include "res/cfg_priv.h"

/* Soft and hard, barrier and limit: the first may not be greater. */
static int check_limit(const struct vz_cfg *cfg, enum vz_param_id id, struct vz_err *err)
{
	struct vz_limit v = vz_cfg_limit(cfg, id);

	if (v.barrier <= v.limit)
		return 0;
	return vz_err_set(err, VZ_E_VALUE, 0,
			  "%s=\"%llu:%llu\": expected the first number not to be greater "
			  "than the second",
			  vz_params[id].key, (unsigned long long)v.barrier,
			  (unsigned long long)v.limit);
}

static int check_limits(const struct vz_cfg *cfg, struct vz_err *err)
{
	int r = 0;

	for (int i = 0; !r && i < VZ_P__COUNT; i++)
		if (vz_params[i].type == VZ_T_LIMIT && vz_cfg_has(cfg, i))
			r = check_limit(cfg, i, err);
	return r;
}

/* A path that all VEs share would let one VE have another's files. */
static int check_path(const struct vz_cfg *cfg, enum vz_param_id id, struct vz_err *err)
{
	const struct vz_cfg_entry *e = &cfg->v[id];

	if (e->origin != VZ_ORIGIN_GLOBAL || strcmp(e->value.str, e->path))
		return 0;
	return vz_err_set(err, VZ_E_BADCONF, 0,
			  "%s=\"%s\" in vz.conf: expected $VEID in it, since each VE "
			  "needs its own",
			  vz_params[id].key, e->value.str);
}

static int check_ids(const struct vz_cfg *cfg, struct vz_err *err)
{
	uint64_t uid = vz_cfg_u64(cfg, VZ_P_LOCAL_UID);
	uint64_t gid = vz_cfg_u64(cfg, VZ_P_LOCAL_GID);

	if (!vz_cfg_has(cfg, VZ_P_LOCAL_UID) || !vz_cfg_has(cfg, VZ_P_LOCAL_GID) ||
	    !uid == !gid)
		return 0;
	return vz_err_set(err, VZ_E_VALUE, 0,
			  "LOCAL_UID=%llu and LOCAL_GID=%llu: expected both to be 0 or "
			  "neither",
			  (unsigned long long)uid, (unsigned long long)gid);
}

int vz_cfg_check(const struct vz_cfg *cfg, struct vz_err *err)
{
	int r = check_limits(cfg, err);

	if (!r)
		r = check_path(cfg, VZ_P_VE_ROOT, err);
	if (!r)
		r = check_path(cfg, VZ_P_VE_PRIVATE, err);
	return r ? r : check_ids(cfg, err);
}
