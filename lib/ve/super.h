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
 * What a supervisor-to-be says to who forked it. err.status 0: the VE runs;
 * tells_ready: its init will say when it is up.
 */
struct vz_super_word {
	struct vz_err err;
	bool tells_ready;
};

/*
 * A process that makes a VE and stays as its supervisor: the VE's init is its child. It
 * has a session of its own and is in the group CGROUP/.super: what ends the service or
 * the session that starts a VE, and all that is in its group, is not to end the VE's
 * supervisor. Where that group can't be made it says so and stays where it is.
 */
struct vz_super_job {
	/* In that process: make the VE; *ret becomes what the supervisor has. */
	int (*make)(void *data, struct vz_super *ret, struct vz_super_word *word);
	void *data;
	int lock_fd; /* the VE's lock, let go when make() is through; -1: none */
	bool wait; /* until the VE is up, if it tells */
	enum vz_exit status; /* of what does not explain itself */
	const char *verb; /* "start", for messages */
};

/* Returns when the VE runs, or is up if that is waited for: else VZ_E_WAIT. */
int vz_super_begin(const struct vz_ve *ve, const struct vz_super_job *job,
		   struct vz_err *err);

/* This process goes to the supervisors' group, if that can be had. */
void vz_super_join(const struct vz_ve *ve);

/*
 * Give a VE that runs without one a new supervisor (the old one was killed), and
 * with it a new console, or a warning that it has none. Done already is 0.
 */
int vz_super_adopt(const struct vz_ve *ve, struct vz_err *err);
#endif

#endif
