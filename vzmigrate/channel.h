/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_CHANNEL_H
#define VZMIGRATE_CHANNEL_H

#include "vzmigrate/peer.h"

/*
 * Further ways to the other node through the connection that there is, opened while a VE
 * runs and used while it stands still, when a new session of ssh would cost it a tenth
 * of a second. Each is a session of its own with `vzmigrate --serve-channel` at its end,
 * and is used once:
 *
 * - CHANNEL_RSYNC waits for a command line of rsync's (from rsh.c) and becomes that;
 * - CHANNEL_PAGES hands a socket to the vzmigrate that serves this migration, for a page
 *   server of criu. Nothing listens on the network for it.
 */
enum channel_kind {
	CHANNEL_RSYNC,
	CHANNEL_PAGES,
};

/* The source's end. */
struct channel {
	int fd; /* a stream socket; -1: there is none */
	int ssh; /* pidfd */
};
#define CHANNEL_NONE ((struct channel){ .fd = -1, .ssh = -1 })

/* Returns when the other end is there. id: of the migration. MIG_E_CONNECT. */
int channel_open(const struct peer *p, enum channel_kind kind, const char *id,
		 struct channel *ret, struct vz_err *err);
void channel_close(struct channel *c);
#define autochannel VZ_CLEANUP(channel_close)

/* The destination: `vzmigrate --serve-channel WHAT`. Returns an exit status. */
int channel_serve(const char *what);

/*
 * Where CHANNEL_PAGES finds who serves the migration: a descriptor to be given to
 * channel_accept(), or -errno. channel_accept() returns a stream socket whose other end
 * is the source's, or -errno.
 */
int channel_listen(const char *id);
int channel_accept(int listener);

#endif
