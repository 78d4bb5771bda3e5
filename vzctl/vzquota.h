/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZCTL_VZQUOTA_H
#define VZCTL_VZQUOTA_H

#include "tool/opt.h"
#include "ve/ugidquota.h"

/* Exit statuses, OpenVZ's. */
enum vzquota_exit {
	QUOTA_OK,
	QUOTA_E_SYSTEM,
	QUOTA_E_USAGE,
	QUOTA_E_SYSCALL,
	QUOTA_E_FILE, /* the VE's configuration */
	QUOTA_E_RUNNING,
	QUOTA_E_NOTRUNNING,
	QUOTA_E_LOCKED,
	QUOTA_E_UGID = 9, /* those of users and groups are not on */
	QUOTA_E_NOFILE = 11, /* no configuration: no such VE */
};

/* One run: what the words before the command said, and the VE. */
struct vzquota {
	const struct vz_ctx *ctx;
	bool batch;
	bool quiet;
	struct vz_ve ve;
	const char **value; /* of the command's options */
	struct vz_strv words; /* of its arguments, the VEID taken out */
	struct vz_err *err;
	enum vzquota_exit status; /* for an error that has one of its own */
};

/* show and stat: usage, limits and grace of the VE, and of its users. */
void vzquota_print(const struct vzquota *q, const struct vz_quota *v);
int vzquota_print_users(const struct vzquota *q, const struct vz_ugid *u);

/* The options that say limits; in this order in each command's table. */
enum {
	OPT_BSOFT,
	OPT_BHARD,
	OPT_BTIME,
	OPT_ISOFT,
	OPT_IHARD,
	OPT_ITIME,
	OPT_UGIDS,
	OPT_LIMITS__COUNT,
};
#define VZQUOTA_LIMIT_OPTS                                                               \
	[OPT_BSOFT] = { "block-softlimit", 'b', "KB", "soft limit of disk space" },      \
	[OPT_BHARD] = { "block-hardlimit", 'B', "KB", "hard limit of disk space" },      \
	[OPT_BTIME] = { "block-exptime", 'e', "TIME", "grace time of the soft limits" }, \
	[OPT_ISOFT] = { "inode-softlimit", 'i', "N", "soft limit of files" },            \
	[OPT_IHARD] = { "inode-hardlimit", 'I', "N", "hard limit of files" },            \
	[OPT_ITIME] = { "inode-exptime", 'n', "TIME", "the same as -e" },                \
	[OPT_UGIDS] = { "ugid-limit", 'u', "N",                                          \
			"users and groups that may have quotas" }

/*
 * What the limit options say, in the VE's configuration. `all`: none may be missing.
 * *ret_changed: there was any.
 */
int vzquota_save_limits(struct vzquota *q, bool all, bool *ret_changed);

#endif
