/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_STATE_H
#define VZ_VE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"
#include "base/err.h"
#include "sys/cgroup.h"

/*
 * The runtime state of a VE, in RUNDIR/VEID/: `state` (an ini file with
 * sections), `super` (the lock that the supervisor holds), `control` (the
 * supervisor's socket). Gone after a reboot of the node, as the VE is.
 */
struct vz_state {
	pid_t init; /* the VE's process 1, as the host sees it */
	uint64_t init_start; /* its start time, /proc/PID/stat field 22 */
	uint64_t pidns; /* inode of its pid namespace */
	int64_t started; /* CLOCK_BOOTTIME seconds */
	uid_t uid; /* first host uid of its range; 0: privileged */
	gid_t gid;
	char cgroup[VZ_CG_NAME]; /* of its groups: "vz/101", "vz/pool-web/101" */
	char init_name[16]; /* kind of init: systemd, busybox, sysvinit, openrc, other */
	bool tool; /* VZ_LAUNCH_TOOL: scripts can run in it, but it is not "running" */
	uint64_t caps; /* its processes' bounding set: exec gets the same */
	uint32_t seccomp; /* and the same filter: VZ_SECCOMP_… flags */
	uint32_t reboots; /* quick ones in a row, see vz_ve_ended() */
};

/* -ENOENT when there is none. */
int vz_state_load(const struct vz_ctx *ctx, uint32_t veid, struct vz_state *ret,
		  struct vz_err *err);
int vz_state_save(const struct vz_ctx *ctx, uint32_t veid, const struct vz_state *st,
		  struct vz_err *err);
/* Remove RUNDIR/VEID. */
void vz_state_remove(const struct vz_ctx *ctx, uint32_t veid);

/*
 * RUNDIR/down-VEID: why a VE that does not run was left down, in words for the
 * administrator, until its next start. NULL: no more. Reading it: -ENOENT.
 */
void vz_state_set_down(const struct vz_ctx *ctx, uint32_t veid, const char *why);
int vz_state_get_down(const struct vz_ctx *ctx, uint32_t veid, char *ret, size_t size);

/* Fill init, init_start and pidns from /proc. 0 or -errno. */
int vz_state_identify(const struct vz_ctx *ctx, pid_t init, struct vz_state *st);

/*
 * Open the running VE's init: its pidfd, checked against start time and pid
 * namespace, so that a reused pid is never taken for it. -ESRCH: not running.
 */
int vz_state_open_init(const struct vz_ctx *ctx, uint32_t veid,
		       struct vz_state *ret_state, int *ret_pidfd, struct vz_err *err);

/* 1 running, 0 not, -errno. Cheap: for a list of a thousand. */
int vz_state_running(const struct vz_ctx *ctx, uint32_t veid);

/* Whether the supervisor lives (holds its lock). A VE may run without one. */
bool vz_state_supervised(const struct vz_ctx *ctx, uint32_t veid);

/* Whether it runs, is being started, or has processes that nobody supervises. */
bool vz_state_alive(const struct vz_ctx *ctx, uint32_t veid);

/*
 * Make RUNDIR/VEID and take the supervisor's lock in it. *ret_fd holds it,
 * also over fork and execve. -EBUSY: a supervisor has it.
 */
int vz_state_lock_super(const struct vz_ctx *ctx, uint32_t veid, int *ret_fd);

/*
 * Two running VEs never share ids: RUNDIR/uid/FIRST is a link that names the
 * VE which has the range. -EBUSY with the other's number when it is taken by
 * one that runs; what a dead one left is taken over.
 */
int vz_state_claim_ids(const struct vz_ctx *ctx, uint32_t veid, uid_t first,
		       uint32_t *ret_other);
void vz_state_release_ids(const struct vz_ctx *ctx, uint32_t veid, uid_t first);

#endif
