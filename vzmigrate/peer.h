/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_PEER_H
#define VZMIGRATE_PEER_H

#include <limits.h>

#include "base/ctx.h"
#include "base/str.h"
#include "vzmigrate/wire.h"

/*
 * The other node, from the source's side: one ssh connection, whose command is
 * `vzmigrate --serve`, and whose master lets rsync go through it, too. Keys, host
 * check and port are ssh's own business.
 */
struct peer {
	const struct vz_ctx *ctx;
	char *dest; /* as it was given */
	char dir[PATH_MAX]; /* private: the master's socket is `s` in it */
	int ssh; /* pidfd; -1: none */
	struct wire wire;
	char node[65]; /* its host name, as it says */
};
#define PEER_NONE ((struct peer){ .ssh = -1, .wire = { .in = -1, .out = -1 } })

/* Connect and greet. ssh_opts: --ssh, words. MIG_E_CONNECT, MIG_E_NOSUITE, _VERSION. */
int peer_open(const struct vz_ctx *ctx, const char *dest, const char *ssh_opts,
	      struct peer *ret, struct vz_err *err);
void peer_close(struct peer *p);
#define autopeer VZ_CLEANUP(peer_close)

/*
 * Ask (the reference is taken) and wait for the answer; *ret may be NULL.
 * -EREMOTEIO: it said no, with a status of its own; anything else: the connection
 * is lost or of no use.
 */
int peer_call(struct peer *p, json_t *ask, int timeout_ms, json_t **ret,
	      struct vz_err *err);
/* Only wait: it was asked before, by wire_send(). */
int peer_answer(struct peer *p, int timeout_ms, json_t **ret, struct vz_err *err);
/* Whether it is there still; asked during long work that it takes no part in. */
int peer_ping(struct peer *p, struct vz_err *err);

/* Steps that only look or write a few lines; steps that start VEs or sync disks. */
enum { PEER_SHORT_MS = 60000, PEER_LONG_MS = 1800000, PEER_PING_MS = 10000 };
/* The destination gives up on a source from which it has heard nothing for so long. */
enum { PEER_SILENT_MS = 90000 };

#endif
