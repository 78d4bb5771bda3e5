/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_STATE_H
#define VZ_VE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"
#include "base/err.h"

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
	char cgroup[64]; /* name of its groups, "vz/101" */
	char init_name[16]; /* kind of init: systemd, busybox, sysvinit, openrc, other */
};

/* -ENOENT when there is none. */
int vz_state_load(const struct vz_ctx *ctx, uint32_t veid, struct vz_state *ret,
		  struct vz_err *err);
int vz_state_save(const struct vz_ctx *ctx, uint32_t veid, const struct vz_state *st,
		  struct vz_err *err);
void vz_state_remove(const struct vz_ctx *ctx, uint32_t veid);

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

#endif
