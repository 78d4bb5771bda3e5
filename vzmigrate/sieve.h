/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_SIEVE_H
#define VZMIGRATE_SIEVE_H

#include "vzmigrate/early.h"

/*
 * Between criu, which dumps, and the page server at the destination: a process of ours
 * that lets pass what criu says, but for a page that is as it was sent before (early.h)
 * says only that it is in the parent images there.
 *
 * to: the way to that server; it stays the caller's. *ret_fd is the end for criu,
 * *ret_pidfd the process; it ends when criu has said its last word or is gone, and when
 * the caller is killed. 0 or -errno.
 */
int sieve_start(const struct early *e, int to, int *ret_fd, int *ret_pidfd);

/* What that process does: 0 when all was passed on, or -errno. For tests, too. */
int sieve_run(const struct early *e, int from, int to);

#endif
