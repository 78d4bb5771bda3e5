/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzquota: what show and stat print, in the columns that OpenVZ's have. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/num.h"
#include "tool/qtime.h"
#include "vzctl/vzquota.h"

static char mark(uint64_t used, uint64_t soft, uint64_t hard)
{
	return (soft && used > soft) || (hard && used > hard) ? '*' : ' ';
}

static void print_row(const struct vzquota *q, const char *what, uint64_t used,
		      uint64_t soft, uint64_t hard, uint64_t until)
{
	uint64_t grace = vz_cfg_u64(q->ve.cfg, VZ_P_QUOTATIME);
	char left[32];

	if (q->batch)
		printf("%14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64
		       " %14" PRIu64 "\n",
		       used, soft, hard, until, grace);
	else
		printf("%11s %14" PRIu64 "%c %14" PRIu64 " %14" PRIu64 " %8s\n", what,
		       used, mark(used, soft, hard), soft, hard,
		       vz_qtime_left(until, time(NULL), left, sizeof(left)));
}

static uint64_t kib(const struct vz_quota *v)
{
	return (v->space + 1023) / 1024;
}

/* Where the kernel has one limit only, soft and hard are the same. */
static uint64_t soft_of(uint64_t soft, uint64_t hard)
{
	return soft ? soft : hard;
}

void vzquota_print(const struct vzquota *q, const struct vz_quota *v)
{
	if (!q->batch)
		printf("%11s %14s  %14s %14s %8s\n", "resource", "usage", "softlimit",
		       "hardlimit", "grace");
	print_row(q, "1k-blocks", kib(v), soft_of(v->space_soft, v->space_hard),
		  v->space_hard, v->space_until);
	print_row(q, "inodes", v->inodes, soft_of(v->inode_soft, v->inode_hard),
		  v->inode_hard, v->inode_until);
}

static const char *type_name(int type)
{
	return type == VZ_QUOTA_USER ? "user" : "group";
}

static void print_grace(const struct vzquota *q, const struct vz_ugid *u)
{
	char space_text[32], inode_text[32];
	uint64_t space, inode;

	if (!q->batch)
		printf("\nUser/group grace times and quotafile flags:\n"
		       "%5s %14s %14s %10s\n",
		       "type", "block_exp_time", "inode_exp_time", "dqi_flags");
	for (int type = VZ_QUOTA_USER; type <= VZ_QUOTA_GROUP; type++) {
		if (vz_quota_get_grace(&u->fs, type, &space, &inode))
			space = inode = 0;
		if (q->batch)
			printf("%5s %" PRIu64 " %" PRIu64 " %9Xh\n", type_name(type),
			       space, inode, 0);
		else
			printf("%5s %14s %14s %9Xh\n", type_name(type),
			       vz_qtime_left(space, 0, space_text, sizeof(space_text)),
			       vz_qtime_left(inode, 0, inode_text, sizeof(inode_text)),
			       0);
	}
}

static void print_object(const struct vzquota *q, int type, uint32_t id,
			 const char *resource, uint64_t used, uint64_t soft,
			 uint64_t hard, uint64_t until)
{
	char left[32], number[24];

	snprintf(number, sizeof(number), "%" PRIu64, until);
	printf("%-11u %5s %9s %11" PRIu64 " %11" PRIu64 " %11" PRIu64 " %8s %6s\n", id,
	       type_name(type), resource, used, soft, hard,
	       q->batch ? number : vz_qtime_left(until, time(NULL), left, sizeof(left)),
	       q->batch ? "1 0" : "loaded");
}

/* All users, then all groups. With print false only count them. */
static int each_object(const struct vzquota *q, const struct vz_ugid *u, bool print,
		       uint64_t *ret_n)
{
	*ret_n = 0;
	for (int type = VZ_QUOTA_USER; type <= VZ_QUOTA_GROUP; type++) {
		struct vz_quota v;
		uint32_t id = 0;
		int r;

		while (!(r = vz_ugid_next(u, type, id, &id, &v))) {
			++*ret_n;
			if (print) {
				print_object(q, type, id, "1k-blocks", kib(&v),
					     v.space_soft, v.space_hard, v.space_until);
				print_object(q, type, id, "inodes", v.inodes,
					     v.inode_soft, v.inode_hard, v.inode_until);
			}
			id++;
		}
		if (r != -ENOENT)
			return r;
	}
	return 0;
}

int vzquota_print_users(const struct vzquota *q, const struct vz_ugid *u)
{
	uint64_t limit = vz_cfg_u64(q->ve.cfg, VZ_P_QUOTAUGIDLIMIT), limited = 0, n;
	int r = each_object(q, u, false, &n);

	if (!r)
		r = vz_ugid_count(u, &limited);
	if (r)
		return r;
	if (q->batch)
		printf("%d %d\n%" PRIu64 " %" PRIu64 " %" PRIu64 "\n%d\n", limit > 0,
		       limit > 0, n, n, limit, limit && limited >= limit);
	else
		printf("User/group quota: %s,%s\nUgids: loaded %" PRIu64
		       ", total %" PRIu64 ", limit %" PRIu64
		       "\nUgid limit was exceeded: %s\n",
		       limit ? "on" : "off", limit ? "active" : "inactive", n, n, limit,
		       limit && limited >= limit ? "yes" : "no");
	print_grace(q, u);
	if (!n)
		return 0;
	if (!q->batch)
		printf("\nUser/group objects:\n%-11s %5s %9s %11s %11s %11s %8s %6s\n",
		       "ID", "type", "resource", "usage", "softlimit", "hardlimit",
		       "grace", "status");
	return each_object(q, u, true, &n);
}
