/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SUPER_H
#define VZ_VE_SUPER_H

/*
 * The supervisor, vzctl/vzsuper.c, and who begins it. It is a program of its
 * own so that what stays in memory once a VE is small. It gets its things as
 * these descriptors (those that there are none of are closed) and arguments.
 */
enum vz_super_fd {
	VZ_SUPER_INIT = 3, /* pidfd of the VE's init */
	VZ_SUPER_LOCK, /* RUNDIR/VEID/super, locked: given up when init ended */
	VZ_SUPER_CONTROL, /* RUNDIR/VEID/control, listening: the console */
	VZ_SUPER_CONSOLE, /* master of the VE's console */
	VZ_SUPER_NOTIFY, /* socket by which systemd says that it is ready */
	VZ_SUPER_READY, /* or the fifo */
	VZ_SUPER_WAITER, /* pipe to a start --wait: "r" when ready */
	VZ_SUPER_LOG, /* directory of the console's log */
	VZ_SUPER_QUOTA, /* hears of the VE's quota calls, until VZ_SUPER_ARG_UGID has it */
	VZ_SUPER__END,
};

enum vz_super_arg {
	VZ_SUPER_ARG_VEID = 1,
	VZ_SUPER_ARG_PID, /* of init, for the sender of READY=1 */
	VZ_SUPER_ARG_VZCTL, /* run as `VZCTL --skiplock ended VEID halt|reboot|killed` */
	VZ_SUPER_ARG_LCK, /* the VE's lock file, waited for before that */
	VZ_SUPER_ARG_UGID, /* run as `vzugid VEID` at the first quota call */
	VZ_SUPER_ARG__COUNT,
};

#ifndef VZ_SUPER_ITSELF
#include <stdbool.h>

#include "ve/state.h"
#include "ve/ve.h"

struct vz_super {
	int fd[VZ_SUPER__END]; /* by enum vz_super_fd; -1: none */
	int program; /* vzsuper itself */
	int pid;
	char vzctl[256], lck[256], ugid[256];
};

/*
 * All that can fail of beginning a supervisor: find the program, make
 * RUNDIR/VEID, take the lock in it, listen. -EBUSY: it has one.
 */
int vz_super_prepare(const struct vz_ve *ve, struct vz_super *ret, struct vz_err *err);
void vz_super_done(struct vz_super *s);

/*
 * fork(2) into the group CGROUP/.super: what ends the service or the session
 * that starts a VE, and all that is in its group, is not to end the VE's
 * supervisor. Where that group can't be made it says so and forks as it is.
 * -errno on failure.
 */
pid_t vz_super_fork(const struct vz_ve *ve);
/* This process goes there, if the group can be had. */
void vz_super_join(const struct vz_ve *ve);

/* Become the supervisor. Returns only on failure. */
int vz_super_exec(const struct vz_ve *ve, struct vz_super *s);

/*
 * Give a VE that runs without one a new supervisor (the old one was killed), and
 * with it a new console, or a warning that it has none. Done already is 0.
 */
int vz_super_adopt(const struct vz_ve *ve, struct vz_err *err);
#endif

#endif
