/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_GUEST_H
#define VZ_VE_GUEST_H

#include "ve/init.h"

/*
 * The VE's own init: which kind it is, how it is begun, how it says that it is
 * ready, and how it is asked to halt.
 */

/*
 * Run by process 1 with the VE's root as its root: find out the kind, and make
 * in /run/host what the VE says "ready" with.
 */
int vz_guest_probe(struct vz_init_hello *hello, int *ret_ready, struct vz_err *err);

/* Exec the init. Returns only when there is none to be run. */
void vz_guest_exec(const struct vz_init_hello *hello, struct vz_err *err);

/*
 * From the host: ask init, by its pidfd, pid and kind, to halt. 0; -EAGAIN
 * when it does not listen (yet); -errno.
 */
int vz_guest_halt(const char *kind, int pidfd, pid_t pid);

#endif
