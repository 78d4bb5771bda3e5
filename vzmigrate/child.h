/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_CHILD_H
#define VZMIGRATE_CHILD_H

#include <stdbool.h>

/*
 * ssh and rsync as children of ours: they die when we do, whatever kills us, so
 * that none goes on writing to the other node when the journal is undone.
 */
struct child {
	const char *const *argv; /* with our environment: ssh's agent is named there */
	int fd[3]; /* for 0, 1, 2; -1: as we have it */
	int session; /* it finds this descriptor as its number 3; 0: none */
	bool deaf; /* to the terminal's interrupt: we decide when it ends */
	/* Called in it before execvp(); 0 or -errno. May be NULL. */
	int (*enter)(const void *data);
	const void *data;
};

/* Start; the pidfd is the caller's. 0 or -errno, also that of exec. */
int child_start(const struct child *c, int *ret_pidfd);
/* Kill, and wait for it. */
void child_kill(int pidfd);

#endif
