/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_RUN_H
#define VZ_BASE_RUN_H

#include <stdbool.h>

/*
 * The one way to run a program on the host: no shell, a clean environment, no
 * inherited descriptor but 0, 1, 2, default signals.
 */
struct vz_run {
	const char *const *argv; /* argv[0] is a path, or a name sought in PATH below */
	const char *const *env; /* NULL: PATH, HOME=/, TERM only */
	int fd[3]; /* for 0, 1, 2; -1 is /dev/null; all 0: inherited */
	const char *dir; /* NULL: "/" */
	int timeout_ms; /* 0: none */
	bool tied; /* killed when the process that started it dies */
};

/*
 * A process of its own that nobody waits for: true in that process, false in
 * this one (also when there could be none). It has no descriptor but `keep`
 * (-1: none), so that neither a lock nor a pipe lives on in it, not for a moment
 * after this one has returned; it ends by _exit().
 */
bool vz_detach(int keep);

/* Between fork and exec: each signal does what it does by default; none is blocked. */
void vz_reset_signals(void);

#define VZ_RUN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * Run and wait. Returns the exit status 0..255, 256 + N when signal N ended
 * it, -ETIMEDOUT when it took too long (and was killed), or -errno when it
 * could not be started.
 */
int vz_run(const struct vz_run *run);

/* Start only; the pidfd is the caller's. Returns 0 or -errno. */
int vz_run_start(const struct vz_run *run, int *ret_pidfd);

/* Wait for a child by its pidfd; result as vz_run(). timeout_ms 0: for ever. */
int vz_run_wait(int pidfd, int timeout_ms);

#endif
