/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_EARLY_H
#define VZMIGRATE_EARLY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * A VE's memory on its way while the VE still runs (pre-copy): its processes' own pages
 * go to a page server of criu's at the destination, whose images become the parent of
 * the dump's. A copy of each page as it was sent is kept here. In the standstill
 * sieve.h compares what criu dumps with that, byte for byte, and lets only go over what
 * differs; so nothing depends on a kernel that tracks changed pages, and a page that was
 * torn, or of another process than believed, is one that differs.
 */
struct early_run {
	uint64_t at; /* address in the process */
	uint64_t n; /* bytes, whole pages */
	size_t offset; /* in early.pages */
};
struct early_proc {
	pid_t vpid; /* as the VE has it, and criu's images */
	struct early_run *v; /* in the order of addresses */
	size_t n, room;
};
struct early {
	struct early_proc *procs;
	size_t n, room;
	char *pages;
	size_t head; /* see pages_head_size() */
	size_t used, size;
};
#define EARLY_NONE ((struct early){ 0 })
void early_done(struct early *e);

struct early_how {
	pid_t init; /* the VE's */
	int to; /* a stream socket to the page server */
	uint64_t max; /* bytes */
	size_t head; /* see pages_head_size() */
	void (*waiting)(void *data); /* called every few seconds */
	void *data;
};

/*
 * Send it, and hear that it has been written there. 0; or -errno: then what is there is
 * worth nothing, and e is empty.
 */
int early_send(const struct vz_ctx *ctx, const struct early_how *how, struct early *e);

/* How a page of that process was sent, or NULL. */
const char *early_find(const struct early *e, pid_t vpid, uint64_t at);

#endif
