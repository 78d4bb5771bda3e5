/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/ubc.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "sys/acct.h"
#include "sys/rules.h"
#include "ve/state.h"
#include "ve/ubcgroups.h"

_Static_assert(VZ_UBC_UNKNOWN == VZ_ACCT_UNKNOWN, "one word for what is not known");

static int by_veid(const void *a, const void *b)
{
	const struct vz_ubc *x = a, *y = b;

	return (x->veid > y->veid) - (x->veid < y->veid);
}

static void convert(const struct vz_acct_record *r, struct vz_ubc *ret)
{
	ret->veid = r->veid;
	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		const struct vz_acct_count *c = &r->c[i];

		ret->v[i] = (struct vz_ubc_value){ c->held, c->maxheld, c->barrier,
						   c->limit, c->failcnt };
		ret->last_fail[i] = c->last_fail;
	}
}

static int of_groups(const struct vz_ctx *ctx, uint32_t veid, struct vz_ubc **ret,
		     size_t *ret_n, struct vz_err *err)
{
	vz_autofree struct vz_ubc *v = NULL;
	size_t n = 0;
	int r = vz_ubc_of_groups(ctx, veid, &v, &n);

	if (r)
		return vz_err_set(err, VZ_E_KERNEL, -r,
				  "can't read what control groups count");
	if (veid && !n)
		return vz_err_set(err, VZ_E_NOTRUNNING, ENOENT,
				  "VE %u has no counters: it does not run", veid);
	*ret = vz_take(v);
	*ret_n = n;
	return 0;
}

/* What only the VE's own network namespace tells. */
static void sample_rules(const struct vz_ctx *ctx, const struct vz_acct *acct,
			 const struct vz_acct_record *r)
{
	struct vz_acct_command cmd = { .op = VZ_ACCT_SAMPLED,
				       .mask = VZ_UBC_BIT(VZ_UBC_NUMIPTENT),
				       .group = r->group };
	vz_autofd int pidfd = -1;
	struct vz_state st;
	uint64_t n;

	/* A VE that ends just now has none any more. */
	if (vz_state_open_init(ctx, r->veid, &st, &pidfd, NULL) ||
	    vz_rules_count(pidfd, &n))
		return;
	cmd.limit[VZ_UBC_NUMIPTENT] = n;
	vz_acct_command(acct, &cmd);
}

int vz_ubc_sample(const struct vz_ctx *ctx)
{
	vz_autofree struct vz_acct_record *records = NULL;
	vz_autoacct struct vz_acct acct = VZ_ACCT_NONE;
	size_t n = 0;
	int r = vz_acct_find(ctx, &acct);

	if (!r)
		r = vz_acct_sample(ctx);
	if (r == -ENOSPC) {
		vz_warn(ctx, "there are more processes and files than can be told apart: "
			     "counters that are sampled show `-`");
		r = 0;
	}
	if (!r)
		r = vz_acct_read(ctx, &records, &n);
	for (size_t i = 0; i < n && !r; i++)
		sample_rules(ctx, &acct, &records[i]);
	return r;
}

int vz_ubc_read(const struct vz_ctx *ctx, uint32_t veid, bool sample, struct vz_ubc **ret,
		size_t *ret_n, struct vz_err *err)
{
	vz_autofree struct vz_acct_record *records = NULL;
	vz_autofree struct vz_ubc *v = NULL;
	size_t n = 0, used = 0;
	int r = sample ? vz_ubc_sample(ctx) : 0;

	if (!r)
		r = vz_acct_read(ctx, &records, &n);
	/* Without programs there is still what the kernel's groups count. */
	if (r == -ENOENT)
		return of_groups(ctx, veid, ret, ret_n, err);
	if (r)
		return vz_err_set(err, VZ_E_KERNEL, -r, "can't read the beancounters");
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM,
				  "can't read the beancounters");
	for (size_t i = 0; i < n; i++)
		if (!veid || records[i].veid == veid)
			convert(&records[i], &v[used++]);
	if (veid && !used)
		return of_groups(ctx, veid, ret, ret_n, err);
	qsort(v, used, sizeof(*v), by_veid);
	*ret = vz_take(v);
	*ret_n = used;
	return 0;
}
