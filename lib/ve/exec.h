/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_EXEC_H
#define VZ_VE_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * Run a program inside a running (or starting) VE: in its groups first, then
 * in all its namespaces, in a session of its own inside the VE's pid
 * namespace, with the VE's capabilities and seccomp filter, and no
 * descriptor, environment or path of the host but the three given.
 *
 * The VE's root is hostile: the process is invisible to it until it is wholly
 * inside (the pid namespace comes last), and not traceable until execve. A
 * terminal of the host never goes in: its data is relayed through pipes.
 */
struct vz_exec {
	const char *const *argv; /* argv[0] sought in the VE's PATH */
	const char *const *env; /* added to the VE's standard environment */
	int fd[3]; /* for 0, 1, 2; -1: /dev/null of the VE */
	/*
	 * The program is the VE's /bin/bash, or else its /bin/sh, under that name;
	 * of argv[0] only a leading '-' counts, which makes it a login shell.
	 */
	bool shell;
	bool tty; /* a pty of the VE's own; fd[0] is a terminal and set raw */
	int timeout_ms; /* 0: none; VZ_E_TIMEOUT */
	/* Called, when set, once inside and before anything is shown. */
	void (*entered)(void *data);
	void *data;
};

/*
 * Returns the program's exit status 0..255, 128 + N when signal N ended it,
 * or -errno with the error set (VZ_E_NOTRUNNING, VZ_E_COMMAND …) when it
 * could not be run. Signals that would end the caller (SIGINT, SIGTERM …) are
 * passed on to the program while it runs.
 */
int vz_exec(const struct vz_ctx *ctx, uint32_t veid, const struct vz_exec *ex,
	    struct vz_err *err);

/*
 * Run a script of the host inside the VE: its text goes to the shell in the VE
 * by a descriptor, no file of it is made there. Standard input is /dev/null,
 * output goes to the caller's. Returns as vz_exec(); VZ_E_TIMEOUT when it ran
 * longer than timeout_ms (0: as long as it likes). The shell and the files that
 * it meets are the VE's: what a command cannot wait for needs a limit, and
 * ctx->script_timeout_ms is the one for the suite's own scripts.
 */
int vz_exec_script(const struct vz_ctx *ctx, uint32_t veid, const char *text,
		   const char *const *env, int timeout_ms, struct vz_err *err);

#endif
