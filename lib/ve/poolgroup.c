/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/poolgroup.h"

#include <errno.h>
#include <stdio.h>

#include "res/limits.h"

static int too_long(const char *top, int n, struct vz_err *err)
{
	if (n < VZ_CG_NAME)
		return 0;
	return vz_err_set(err, VZ_E_BADCONF, 0, "CGROUP=\"%s\" is too long", top);
}

int vz_poolgroup_name(const char *top, const char *pool, char ret[VZ_CG_NAME],
		      struct vz_err *err)
{
	int n = snprintf(ret, VZ_CG_NAME, "%s/" VZ_POOLGROUP "%s", top, pool);

	return too_long(top, n, err);
}

int vz_poolgroup_name_ve(const char *top, const char *pool, uint32_t veid,
			 char ret[VZ_CG_NAME], struct vz_err *err)
{
	bool in = pool && *pool;
	int n = snprintf(ret, VZ_CG_NAME, "%s/%s%s%s%u", top, in ? VZ_POOLGROUP : "",
			 in ? pool : "", in ? "/" : "", veid);

	return too_long(top, n, err);
}

int vz_poolgroup_raise(const struct vz_ctx *ctx, const struct vz_cg_host *host,
		       const struct vz_cfg *cfg, const char *pool, struct vz_err *err)
{
	vz_autovepool struct vz_vepool p = { 0 };
	struct vz_cg cg = { .host = host };
	int r = vz_vepool_load(ctx, pool, &p, err);

	if (!r)
		r = vz_poolgroup_name(vz_cfg_str(cfg, VZ_P_CGROUP), pool, cg.name, err);
	if (!r)
		r = vz_cg_create_parent(&cg, err);
	if (r)
		return r;
	r = vz_limits_cpu(ctx, &cg, NULL, p.cfg, err);
	if (!r)
		r = vz_limits_memory(ctx, &cg, NULL, p.cfg, err);
	if (!r)
		r = vz_limits_numproc(ctx, &cg, NULL, p.cfg, err);
	if (r)
		vz_err_prefix(err, "pool %s", pool);
	return r;
}

int vz_poolgroup_drop(const struct vz_cg_host *host, const struct vz_cfg *cfg,
		      const char *pool, struct vz_err *err)
{
	struct vz_cg cg = { .host = host };
	int r = vz_poolgroup_name(vz_cfg_str(cfg, VZ_P_CGROUP), pool, cg.name, err);

	return r ? r : vz_cg_remove_parent(&cg, err);
}
