/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/ubcgroups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "ve/ids.h"
#include "ve/state.h"

#define PAGE 4096

/* Of v1 all limits of memory are at most this, a page below 2^63. */
#define V1_NO_LIMIT (INT64_MAX / PAGE * PAGE)

static int64_t read_value(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *v1,
			  const char *v2, unsigned int unit)
{
	const char *file = vz_cg_is_v2(cg->host, ctrl) ? v2 : v1;
	uint64_t v;

	if (!file || vz_cg_read_u64(cg, ctrl, file, &v))
		return VZ_UBC_UNKNOWN;
	return v >= V1_NO_LIMIT ? VZ_UNLIMITED : (int64_t)(v / unit);
}

/* `max N` of pids.events: how often it was refused. */
static int64_t read_refused(const struct vz_cg *cg)
{
	char buf[256], *at;

	if (vz_cg_read(cg, VZ_CG_PIDS, "pids.events", buf, sizeof(buf)))
		return VZ_UBC_UNKNOWN;
	at = strncmp(buf, "max ", 4) ? strstr(buf, "\nmax ") : buf;
	return at ? strtoll(at + strcspn(at, "0123456789"), NULL, 10) : VZ_UBC_UNKNOWN;
}

void vz_ubc_of_group(const struct vz_cg *cg, uint32_t veid, struct vz_ubc *ret)
{
	const int64_t no = VZ_UBC_UNKNOWN;
	struct vz_ubc_value *v = ret->v;

	memset(ret, 0, sizeof(*ret));
	ret->veid = veid;
	for (int i = 0; i < VZ_UBC__COUNT; i++)
		v[i] = (struct vz_ubc_value){ no, no, no, no, no };
	v[VZ_UBC_NUMPROC] = (struct vz_ubc_value){
		.held = read_value(cg, VZ_CG_PIDS, "pids.current", "pids.current", 1),
		.maxheld = read_value(cg, VZ_CG_PIDS, "pids.peak", "pids.peak", 1),
		.limit = read_value(cg, VZ_CG_PIDS, "pids.max", "pids.max", 1),
		.failcnt = read_refused(cg),
	};
	v[VZ_UBC_NUMPROC].barrier = v[VZ_UBC_NUMPROC].limit;
	v[VZ_UBC_PHYSPAGES] = (struct vz_ubc_value){
		.held = read_value(cg, VZ_CG_MEMORY, "memory.usage_in_bytes",
				   "memory.current", PAGE),
		.maxheld = read_value(cg, VZ_CG_MEMORY, "memory.max_usage_in_bytes",
				      "memory.peak", PAGE),
		.barrier = 0,
		.limit = read_value(cg, VZ_CG_MEMORY, "memory.limit_in_bytes",
				    "memory.max", PAGE),
		.failcnt = no,
	};
	v[VZ_UBC_SWAPPAGES] = (struct vz_ubc_value){
		.held = read_value(cg, VZ_CG_MEMORY, NULL, "memory.swap.current", PAGE),
		.maxheld = read_value(cg, VZ_CG_MEMORY, NULL, "memory.swap.peak", PAGE),
		.barrier = 0,
		.limit = read_value(cg, VZ_CG_MEMORY, NULL, "memory.swap.max", PAGE),
		.failcnt = no,
	};
}

static int find_running(const struct vz_ctx *ctx, uint32_t veid, struct vz_ids *ret)
{
	int r = veid ? vz_ids_add(ret, veid) : vz_ids_active(ctx, ret);
	size_t n = 0;

	for (size_t i = 0; !r && i < ret->n; i++)
		if (vz_state_running(ctx, ret->v[i]) == 1)
			ret->v[n++] = ret->v[i];
	ret->n = n;
	return r;
}

int vz_ubc_of_groups(const struct vz_ctx *ctx, uint32_t veid, struct vz_ubc **ret,
		     size_t *ret_n)
{
	vz_autofree struct vz_ubc *v = NULL;
	vz_autoids struct vz_ids ids = { 0 };
	struct vz_cg_host host;
	size_t n = 0;
	int r = find_running(ctx, veid, &ids);

	if (!r && ids.n)
		r = vz_cg_probe(ctx, &host, NULL);
	if (!r && !(v = calloc(ids.n + 1, sizeof(*v))))
		r = -ENOMEM;
	for (size_t i = 0; !r && i < ids.n; i++) {
		struct vz_cg cg = { .host = &host };
		struct vz_state st;

		if (vz_state_load(ctx, ids.v[i], &st, NULL))
			continue;
		memcpy(cg.name, st.cgroup, sizeof(cg.name));
		vz_ubc_of_group(&cg, ids.v[i], &v[n++]);
	}
	if (r)
		return r;
	*ret = vz_take(v);
	*ret_n = n;
	return 0;
}
