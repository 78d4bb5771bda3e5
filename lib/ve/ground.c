/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/ground.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/netguard.h"
#include "ve/netclass.h"
#include "ve/netfilter.h"
#include "ve/poolgroup.h"
#include "ve/reserve.h"

static int read_config(struct vz_ground *g, uint32_t flags, struct vz_err *err)
{
	int r = vz_fence_read(g->ve, &g->fence, err);

	if (r)
		return r;
	g->state.caps = g->fence.caps;
	g->state.seccomp = g->fence.seccomp;
	g->state.uid = g->fence.uid;
	g->state.gid = g->fence.gid;
	g->state.tool = flags & VZ_GROUND_TOOL;
	snprintf(g->state.cgroup, sizeof(g->state.cgroup), "%s", g->fence.cg.name);
	return 0;
}

static void drop_config(struct vz_ground *g)
{
	vz_fence_done(&g->fence);
}

/* RUNDIR/VEID, with the lock that makes this VE ours. */
static int make_state_dir(struct vz_ground *g, uint32_t flags, struct vz_err *err)
{
	vz_autofree char *dir = NULL;
	int r;

	if (!(flags & VZ_GROUND_TOOL))
		return vz_super_prepare(g->ve, &g->super, err);
	dir = vz_strf("%s/%u", g->ve->ctx->rundir, g->ve->id);
	r = dir ? vz_mkdir_p(dir, 0700) : -ENOMEM;
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't make %s", dir) : 0;
}

static void drop_state(struct vz_ground *g)
{
	vz_super_done(&g->super);
	vz_state_remove(g->ve->ctx, g->ve->id);
}

static int claim_ids(struct vz_ground *g, uint32_t flags, struct vz_err *err)
{
	uint32_t other = 0;
	int r;

	if (g->fence.privileged)
		return 0;
	r = vz_state_claim_ids(g->ve->ctx, g->ve->id, g->fence.uid, &other);
	if (r == -EBUSY)
		return vz_err_set(err, VZ_E_ENV, EBUSY,
				  "the ids from %u on (LOCAL_UID) are those of VE %u, "
				  "which runs",
				  g->fence.uid, other);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't claim the ids from %u on",
			      g->fence.uid)
		 : 0;
}

static void release_ids(struct vz_ground *g)
{
	if (!g->fence.privileged)
		vz_state_release_ids(g->ve->ctx, g->ve->id, g->fence.uid);
}

static void release_reserve(struct vz_ground *g)
{
	vz_fence_release(&g->fence, NULL);
}

/* Promises are made before there is anything that they are about. */
static int claim_reserve(struct vz_ground *g, uint32_t flags, struct vz_err *err)
{
	const struct vz_ve *ve = g->ve;
	unsigned int how = flags & VZ_GROUND_TOOL    ? VZ_RESERVE_POOL
			   : flags & VZ_GROUND_FORCE ? VZ_RESERVE_FORCE
						     : 0;
	int r = vz_reserve_claim(ve->ctx, ve->id, ve->cfg, how, err);

	if (r)
		return r;
	if (*g->fence.pool)
		r = vz_poolgroup_raise(ve->ctx, &g->fence.host, ve->cfg, g->fence.pool,
				       err);
	if (r)
		release_reserve(g);
	return r;
}

static int raise_fence(struct vz_ground *g, uint32_t flags, struct vz_err *err)
{
	int r = vz_fence_raise(&g->fence, err);

	if (r)
		return r;
	r = vz_cg_entry_open(&g->fence.cg, VZ_CG_HOME, &g->groups, err);
	if (!r) {
		r = vz_count_begin(g->ve, &g->fence.cg, g->groups.v2_dir, &g->count,
				   &g->counters, err);
		if (r)
			vz_cg_entry_close(&g->groups);
	}
	if (r)
		vz_fence_drop(&g->fence, NULL);
	else
		vz_netfilter_begin(g->ve, g->groups.v2_dir);
	return r;
}

static void close_counters(struct vz_ground *g)
{
	if (g->counters >= 0)
		close(g->counters);
	g->counters = -1;
}

static void drop_fence(struct vz_ground *g)
{
	vz_cg_entry_close(&g->groups);
	close_counters(g);
	vz_acct_close(&g->count.acct);
	vz_count_end(g->ve, &g->fence.cg);
	vz_fence_drop(&g->fence, NULL);
}

static const struct {
	const char *name;
	int (*run)(struct vz_ground *g, uint32_t flags, struct vz_err *err);
	void (*undo)(struct vz_ground *g);
} steps[] = {
	{ "configuration", read_config, drop_config },
	{ "state directory", make_state_dir, drop_state },
	{ "ids", claim_ids, release_ids },
	{ "reservations and pool", claim_reserve, release_reserve },
	{ "groups and devices", raise_fence, drop_fence },
};

static void undo(struct vz_ground *g, size_t n)
{
	while (n--)
		steps[n].undo(g);
}

int vz_ground_raise(struct vz_ve *ve, uint32_t flags, struct vz_ground *g,
		    struct vz_err *err)
{
	int r;

	*g = (struct vz_ground){ .ve = ve, .count = VZ_COUNT_NONE, .counters = -1 };
	memset(&g->groups, -1, sizeof(g->groups));
	memset(g->super.fd, -1, sizeof(g->super.fd));
	g->super.program = -1;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(steps); i++) {
		vz_debug(ve->ctx, "start: %s", steps[i].name);
		r = steps[i].run(g, flags, err);
		if (r) {
			undo(g, i);
			return r;
		}
	}
	return 0;
}

void vz_ground_drop(struct vz_ground *g)
{
	undo(g, VZ_ARRAY_SIZE(steps));
}

void vz_ground_leave(struct vz_ground *g)
{
	close_counters(g);
	vz_cg_entry_close(&g->groups);
	vz_fence_done(&g->fence);
}

void vz_ground_warm(const struct vz_ve *ve)
{
	vz_autonetguard struct vz_netguard guard = VZ_NETGUARD_NONE;
	struct vz_err ignored = { 0 };

	vz_count_warm(ve);
	vz_netclass_open_guard(ve->ctx, &guard, &ignored);
}
