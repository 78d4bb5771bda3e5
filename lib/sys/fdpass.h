/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_FDPASS_H
#define VZ_SYS_FDPASS_H

#include <stddef.h>
#include <sys/types.h>

/* One message with descriptors over a SOCK_SEQPACKET socket. */
#define VZ_FDPASS_MAX 16

/* Send buf and n descriptors. 0 or -errno; never SIGPIPE. */
int vz_fdpass_send(int sock, const void *buf, size_t len, const int *fds, size_t n);

/*
 * Receive into buf; up to n descriptors into ret_fds (those not sent are -1,
 * more than n are closed). The length, 0 when the other end is gone, -errno.
 */
ssize_t vz_fdpass_recv(int sock, void *buf, size_t len, int *ret_fds, size_t n);

#endif
