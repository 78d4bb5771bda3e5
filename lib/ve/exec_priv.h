/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_EXEC_PRIV_H
#define VZ_VE_EXEC_PRIV_H

#include <sys/resource.h>

#include "base/str.h"
#include "sys/cgroup.h"
#include "ve/exec.h"
#include "ve/state.h"

/* What the process that goes into the VE needs, all made ready before. */
struct vz_exec_job {
	const struct vz_exec *ex;
	const struct vz_state *st;
	int init; /* pidfd of the VE's init */
	struct vz_cg_entry groups;
	int sock; /* to the parent: struct vz_exec_msg */
	int fd[3]; /* for 0, 1, 2; -1: the VE's /dev/null, or its pty */
	struct rlimit limit[RLIM_NLIMITS];
	const char *
		*argv; /* a copy: argv[0] becomes the name of the shell that is found */
	struct vz_strv env;
};

/*
 * First message: pid is the program's, with its pty's master beside it when
 * one was asked for. A message with err.status set ends it. No more messages:
 * the program runs.
 */
struct vz_exec_msg {
	pid_t pid; /* 0: its filter's listener comes with this one; see sys/seccomp.h */
	struct vz_err err;
};

/* In the forked child: enter the VE, make the program its parent's child, end. */
_Noreturn void vz_exec_child(struct vz_exec_job *job);

#endif
