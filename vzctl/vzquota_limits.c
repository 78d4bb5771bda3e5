/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzquota: limits on the command line, into the VE's configuration. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "tool/qtime.h"
#include "ve/diskquota.h"
#include "ve/save.h"
#include "vzctl/vzquota.h"

static int usage(struct vzquota *q, const char *option, const char *text)
{
	q->status = QUOTA_E_USAGE;
	return vz_err_set(q->err, VZ_E_VALUE, 0, "%s: bad value '%s'", option, text);
}

/* One or both of a pair; the other is what it was. */
static int set_pair(struct vzquota *q, struct vz_cfg *cfg, enum vz_param_id id,
		    const char *soft, const char *hard)
{
	struct vz_limit v = vz_cfg_limit(cfg, id);
	uint64_t *const to[] = { &v.barrier, &v.limit };
	const char *const given[] = { soft, hard };
	vz_autofree char *text = NULL;

	for (int i = 0; i < 2; i++)
		if (given[i] && vz_parse_u64(given[i], VZ_UNLIMITED, to[i]))
			return usage(q, "limit", given[i]);
	text = vz_strf("%" PRIu64 ":%" PRIu64, v.barrier, v.limit);
	return text ? vz_cfg_set(cfg, id, text, q->err) : -ENOMEM;
}

/* There is one grace time for both. */
static int set_time(struct vzquota *q, struct vz_cfg *cfg)
{
	const char *space = q->value[OPT_BTIME], *inode = q->value[OPT_ITIME];
	uint64_t a = 0, b = 0;
	char text[24];

	if (space && vz_qtime_parse(space, &a))
		return usage(q, "--block-exptime", space);
	if (inode && vz_qtime_parse(inode, &b))
		return usage(q, "--inode-exptime", inode);
	if (space && inode && a != b) {
		q->status = QUOTA_E_USAGE;
		return vz_err_set(q->err, VZ_E_VALUE, 0,
				  "-e %s and -n %s: a VE has one grace time, QUOTATIME",
				  space, inode);
	}
	snprintf(text, sizeof(text), "%" PRIu64, space ? a : b);
	return space || inode ? vz_cfg_set(cfg, VZ_P_QUOTATIME, text, q->err) : 0;
}

static int change(struct vzquota *q, struct vz_cfg *cfg)
{
	const char **v = q->value;
	int r = 0;

	if (v[OPT_BSOFT] || v[OPT_BHARD])
		r = set_pair(q, cfg, VZ_P_DISKSPACE, v[OPT_BSOFT], v[OPT_BHARD]);
	if (!r && (v[OPT_ISOFT] || v[OPT_IHARD]))
		r = set_pair(q, cfg, VZ_P_DISKINODES, v[OPT_ISOFT], v[OPT_IHARD]);
	if (!r)
		r = set_time(q, cfg);
	if (!r && v[OPT_UGIDS])
		r = vz_cfg_set(cfg, VZ_P_QUOTAUGIDLIMIT, v[OPT_UGIDS], q->err);
	if (!r)
		r = vz_cfg_check(cfg, q->err);
	if (r && !q->status)
		q->status = QUOTA_E_USAGE;
	return r;
}

int vzquota_save_limits(struct vzquota *q, bool all, bool *ret_changed)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	size_t n = 0;
	int r;

	for (int i = 0; i < OPT_UGIDS; i++)
		n += q->value[i] != NULL;
	*ret_changed = n || q->value[OPT_UGIDS];
	if (all && n < OPT_UGIDS) {
		q->status = QUOTA_E_USAGE;
		return vz_err_set(q->err, VZ_E_NOPARAM, 0,
				  "all of -b -B -e -i -I -n are needed");
	}
	if (!*ret_changed)
		return 0;
	r = vz_cfg_copy(q->ve.cfg, &cfg);
	if (!r)
		r = change(q, cfg);
	if (!r)
		r = vz_ve_save(q->ctx, q->ve.id, q->ve.cfg, cfg, NULL, q->err);
	if (r)
		return r;
	vz_cfg_free(q->ve.cfg);
	q->ve.cfg = vz_take(cfg);
	return 0;
}
