/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_UGIDSERVE_H
#define VZ_VE_UGIDSERVE_H

#include "ve/ugidquota.h"

/*
 * What makes quota(1), setquota(8) and their like work in a VE, whose root the
 * kernel refuses quotactl(2): the VE's filter (VZ_SECCOMP_QUOTA) hands each call
 * to us, and we do it for the VE's own ids and no others. The VE is hostile: what
 * it calls about is read once, checked, and only then done.
 */
struct vz_ugidserver {
	const struct vz_ctx *ctx;
	struct vz_ugid ugid;
	dev_t root; /* what the VE sees as the device of its root */
	dev_t userns_dev; /* the VE's user namespace, as its init has it */
	ino_t userns;
	uint64_t limit; /* QUOTAUGIDLIMIT */
	uint64_t used; /* users and groups that have limits, as of … */
	int64_t counted_at; /* ms of CLOCK_MONOTONIC; 0: never */
	int64_t pace_at, pace_used; /* where a second began, and CPU used until then */
};

/* Of a running VE. */
int vz_ugidserver_init(const struct vz_ve *ve, struct vz_ugidserver *ret,
		       struct vz_err *err);
void vz_ugidserver_done(struct vz_ugidserver *s);

/* Answer what comes over a listener until nobody can call any more. 0 or -errno. */
int vz_ugidserver_run(struct vz_ugidserver *s, int listener);

/* A call as far as it can be judged without looking at the caller's memory. */
struct vz_ugidcall {
	uint32_t sub; /* Q_GETQUOTA … */
	uint32_t type; /* any number */
	uint32_t id; /* the VE's */
};

/* Who calls, by the host's ids. */
struct vz_ugidcaller {
	bool in_ve; /* in the VE's own user namespace, not one that it made */
	bool admin; /* with CAP_SYS_ADMIN there */
	uint32_t uid, gid; /* effective */
	const uint32_t *groups;
	size_t n_groups;
};

/* 1: to be done; 0: it is answered, as if done; -errno: refused. Pure. */
#define VZ_UGID_DO 1
int vz_ugidserver_judge(const struct vz_ugidcall *call, const struct vz_ugidcaller *who,
			const struct vz_ugid *u);

/*
 * Leave behind a process, in the group of supervisors, that begins the server, LIBEXECDIR/vzugid, at the first
 * call that comes over a listener, which then is its own. Closes the listener.
 */
void vz_ugidserver_watch(const struct vz_ctx *ctx, uint32_t veid, int listener);

#endif
