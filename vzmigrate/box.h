/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_BOX_H
#define VZMIGRATE_BOX_H

/*
 * Where rsync reads a VE's files. The VE may be running, and may swap a directory
 * for a link to /etc/ssl/private between rsync's look and its open: so rsync's
 * whole world has the programs that it needs, ssh's socket and the VE's files,
 * and nothing else that such a link could lead to.
 *
 * In there: BOX_VE is the private area, read-only; BOX_SSH the connection's
 * directory; BOX_RSH the program for a session that is open already.
 */
struct box {
	const char *private; /* the VE's private area */
	const char *dir; /* of the connection; `box` in it is the root to be */
	const char *rsh; /* the program; NULL: it is not needed */
};
#define BOX_VE "/ve"
#define BOX_SSH "/ssh"
#define BOX_RSH "/vz-rsh"

/* Move this process into it, for good. 0 or -errno; for struct child's enter. */
int box_enter(const void *box);

#endif
