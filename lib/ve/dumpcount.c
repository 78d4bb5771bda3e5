/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/dumpcount.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/acct.h"
#include "ve/dumpdir.h"

#define FILE_NAME "counters"

static void write_record(const struct vz_acct_record *rec, struct vz_str *out)
{
	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		const struct vz_acct_count *c = &rec->c[i];

		if (c->maxheld != VZ_ACCT_UNKNOWN && c->failcnt != VZ_ACCT_UNKNOWN)
			vz_str_addf(out, "%d %lld %lld\n", i, (long long)c->maxheld,
				    (long long)c->failcnt);
	}
}

int vz_dumpcount_save(const struct vz_ve *ve, int dir, struct vz_err *err)
{
	vz_autofree struct vz_acct_record *rec = NULL;
	vz_autostr struct vz_str out = { 0 };
	size_t n = 0;

	/* Not counted on this host: an empty file. */
	if (vz_acct_read(ve->ctx, &rec, &n))
		n = 0;
	for (size_t i = 0; i < n; i++)
		if (rec[i].veid == ve->id)
			write_record(&rec[i], &out);
	return vz_dumpdir_write(dir, FILE_NAME, &out, err);
}

int vz_dumpcount_load(const struct vz_ve *ve, int dir, int group_dir, struct vz_err *err)
{
	struct vz_acct_command cmd = { .op = VZ_ACCT_RAISED };
	vz_autoacct struct vz_acct acct = VZ_ACCT_NONE;
	vz_autofree char *text = NULL;
	char *at, *line;
	uint64_t group;
	int r = vz_dumpdir_read(dir, FILE_NAME, &text, err);

	if (r || !*text)
		return r;
	for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		long long maxheld, failcnt;
		int id;

		if (sscanf(line, "%d %lld %lld", &id, &maxheld, &failcnt) != 3 ||
		    id < 0 || id >= VZ_UBC__COUNT)
			continue;
		cmd.mask |= VZ_UBC_BIT(id);
		cmd.barrier[id] = maxheld;
		cmd.limit[id] = failcnt;
	}
	r = vz_acct_find(ve->ctx, &acct);
	if (!r)
		r = vz_acct_group(group_dir, &group);
	if (!r) {
		cmd.group = group;
		r = vz_acct_command(&acct, &cmd);
	}
	return r && r != -ENOENT ? vz_err_set(err, VZ_E_RESTORE, -r,
					      "can't set VE %u's counters", ve->id)
				 : 0;
}
