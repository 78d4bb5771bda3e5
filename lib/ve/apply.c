/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "res/limits.h"
#include "ve/balance.h"
#include "ve/count.h"
#include "ve/diskquota.h"
#include "ve/dist.h"
#include "ve/net.h"
#include "ve/reserve.h"
#include "ve/sockbuf.h"
#include "ve/state.h"

typedef int (*apply_fn)(struct vz_ve *ve, const struct vz_cfg *old,
			const struct vz_cfg *new, struct vz_err *err);

typedef int (*limits_fn)(const struct vz_ctx *ctx, const struct vz_cg *cg,
			 const struct vz_cfg *old, const struct vz_cfg *new,
			 struct vz_err *err);

/* The groups of a running VE, wherever it was started. */
static int with_groups(struct vz_ve *ve, limits_fn limits, const struct vz_cfg *new,
		       struct vz_err *err)
{
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host };
	struct vz_state st;
	int r = vz_state_load(ve->ctx, ve->id, &st, err);

	if (!r)
		r = vz_cg_probe(ve->ctx, &host, err);
	if (r)
		return r;
	snprintf(cg.name, sizeof(cg.name), "%s", st.cgroup);
	/* Without the old one: what somebody wrote to the files is set right, too. */
	r = limits ? limits(ve->ctx, &cg, NULL, new, err) : 0;
	return r ? r : vz_count_limits(ve, &cg, new, err);
}

/*
 * Of what decides about promises: those are made before, and what other groups
 * do for them follows. Less than before is given back only when it is so.
 */
static int with_reserves(struct vz_ve *ve, limits_fn limits, const struct vz_cfg *new,
			 struct vz_err *err)
{
	struct vz_reserve was = { 0 };
	struct vz_cg_host host;
	int r = vz_cg_probe(ve->ctx, &host, err);

	if (!r)
		r = vz_reserve_get(ve->ctx, ve->id, &was, err);
	if (!r)
		r = vz_reserve_claim(ve->ctx, ve->id, new, VZ_RESERVE_LIVE, err);
	if (r)
		return r;
	r = with_groups(ve, limits, new, err);
	return r ? r : vz_balance(ve->ctx, &host, ve->cfg, &was, err);
}

static int apply_cpu(struct vz_ve *ve, const struct vz_cfg *old, const struct vz_cfg *new,
		     struct vz_err *err)
{
	return with_reserves(ve, vz_limits_cpu, new, err);
}

static int apply_cpuset(struct vz_ve *ve, const struct vz_cfg *old,
			const struct vz_cfg *new, struct vz_err *err)
{
	return with_groups(ve, vz_limits_cpuset, new, err);
}

static int apply_memory(struct vz_ve *ve, const struct vz_cfg *old,
			const struct vz_cfg *new, struct vz_err *err)
{
	return with_reserves(ve, vz_limits_memory, new, err);
}

static int apply_numproc(struct vz_ve *ve, const struct vz_cfg *old,
			 const struct vz_cfg *new, struct vz_err *err)
{
	return with_groups(ve, vz_limits_numproc, new, err);
}

/* What its programs count and refuse, and the groups have no part in. */
static int apply_ubc(struct vz_ve *ve, const struct vz_cfg *old, const struct vz_cfg *new,
		     struct vz_err *err)
{
	int r = with_groups(ve, NULL, new, err);

	return r ? r : vz_sockbuf_apply(ve, old, new, err);
}

static int apply_io(struct vz_ve *ve, const struct vz_cfg *old, const struct vz_cfg *new,
		    struct vz_err *err)
{
	return with_groups(ve, vz_limits_io, new, err);
}

/* What each group does, in order; a group without a function has a note. */
static const struct {
	apply_fn apply;
	const char *note;
} live[VZ_LIVE__COUNT] = {
	[VZ_LIVE_NONE] = { .note = "does nothing without --save" },
	[VZ_LIVE_RESTART] = { .note = "counts from the next start" },
	[VZ_LIVE_CPU] = { .apply = apply_cpu },
	[VZ_LIVE_CPUSET] = { .apply = apply_cpuset },
	[VZ_LIVE_MEMORY] = { .apply = apply_memory },
	[VZ_LIVE_NUMPROC] = { .apply = apply_numproc },
	[VZ_LIVE_UBC] = { .apply = apply_ubc },
	[VZ_LIVE_IO] = { .apply = apply_io },
	[VZ_LIVE_DEVICES] = { .note = "counts from the next start" },
	[VZ_LIVE_QUOTA] = { .apply = vz_diskquota_apply },
	[VZ_LIVE_NETDEV] = { .apply = vz_net_apply_netdev },
	[VZ_LIVE_NETIF] = { .apply = vz_net_apply_netif },
	[VZ_LIVE_ADDRESS] = { .apply = vz_net_apply_address },
	[VZ_LIVE_RATE] = { .apply = vz_net_apply_rate },
	[VZ_LIVE_HOSTNAME] = { .apply = vz_dist_apply_hostname },
	[VZ_LIVE_DNS] = { .apply = vz_dist_apply_dns },
};

const char *vz_apply_note(enum vz_live group)
{
	return live[group].note;
}

uint32_t vz_apply_groups(const struct vz_cfg *old, const struct vz_cfg *new)
{
	uint32_t groups = 0;

	for (int i = 0; i < VZ_P__COUNT; i++)
		if (!vz_cfg_same(old, new, i))
			groups |= VZ_LIVE_BIT(vz_params[i].live);
	return groups;
}

static void walk_back(struct vz_ve *ve, uint32_t groups, int from,
		      const struct vz_cfg *old, const struct vz_cfg *new)
{
	struct vz_err err = { 0 };

	for (int i = from; i >= 0; i--)
		if (groups & VZ_LIVE_BIT(i) && live[i].apply &&
		    live[i].apply(ve, new, old, &err))
			vz_warn(ve->ctx, "VE %u: can't put back what was in force: %s",
				ve->id, err.text);
}

int vz_apply(struct vz_ve *ve, uint32_t groups, const struct vz_cfg *old,
	     const struct vz_cfg *new, struct vz_err *err)
{
	int r;

	for (int i = 0; i < VZ_LIVE__COUNT; i++) {
		if (!(groups & VZ_LIVE_BIT(i)) || !live[i].apply)
			continue;
		r = live[i].apply(ve, old, new, err);
		if (r) {
			walk_back(ve, groups, i, old, new);
			return r;
		}
	}
	return 0;
}

static char *unsaved_path(const struct vz_ve *ve)
{
	return vz_strf("%s/%u/unsaved", ve->ctx->rundir, ve->id);
}

int vz_apply_in_force(const struct vz_ve *ve, struct vz_cfg **ret, struct vz_err *err)
{
	vz_autofree char *path = unsaved_path(ve);
	vz_autocfg struct vz_cfg *cfg = NULL;
	vz_autoconf struct vz_conf *conf = NULL;
	int r = path ? vz_cfg_copy(ve->cfg, &cfg) : -ENOMEM;

	if (r)
		return vz_err_set(err, VZ_E_RESOURCES, -r, "can't copy a configuration");
	r = vz_conf_load(ve->ctx, path, &conf, err);
	if (!r)
		r = vz_cfg_read(cfg, ve->ctx, conf, false, 0, err);
	else if (r == -ENOENT)
		r = 0;
	if (!r)
		*ret = vz_take(cfg);
	return r;
}

static int put_unsaved(struct vz_conf *conf, const struct vz_cfg *saved,
		       const struct vz_cfg *in_force, bool *ret_any)
{
	int r = 0;

	*ret_any = false;
	for (int i = 0; !r && i < VZ_P__COUNT; i++) {
		vz_autofree char *text = NULL;

		if (!live[vz_params[i].live].apply || vz_cfg_same(saved, in_force, i))
			continue;
		text = vz_cfg_text(in_force, i);
		if (!text)
			continue;
		r = vz_conf_set(conf, vz_params[i].key, text);
		*ret_any = true;
	}
	return r;
}

int vz_apply_remember(const struct vz_ve *ve, const struct vz_cfg *saved,
		      const struct vz_cfg *in_force, struct vz_err *err)
{
	vz_autofree char *path = unsaved_path(ve);
	vz_autoconf struct vz_conf *conf = NULL;
	bool any = false;
	int r = path ? vz_conf_new(path, &conf) : -ENOMEM;

	if (!r)
		r = put_unsaved(conf, saved, in_force, &any);
	if (r)
		return vz_err_set(err, VZ_E_RESOURCES, -r, "can't note what was set");
	if (any)
		return vz_conf_save(conf, NULL, err);
	return unlink(path) && errno != ENOENT
		       ? vz_err_set(err, VZ_E_SYSTEM, errno, "can't remove %s", path)
		       : 0;
}
