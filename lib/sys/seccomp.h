/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_SECCOMP_H
#define VZ_SYS_SECCOMP_H

#include <linux/filter.h>

/*
 * The system call filter of a VE. What it denies and why stands with the
 * rules, in sys/gen/seccomp.c. Each combination of these flags is compiled by
 * libseccomp when vz is built, so that a start pays nothing for it.
 */
enum {
	VZ_SECCOMP_PRIVILEGED = 1, /* the VE has no user namespace */
	VZ_SECCOMP_KEYCTL = 2, /* feature keyctl */
	VZ_SECCOMP_IOURING = 4, /* feature iouring */
	VZ_SECCOMP_NO_NETFILTER = 8, /* NETFILTER=disabled */
	VZ_SECCOMP__COMBINATIONS = 16,
};

/* The program; it belongs to the library. */
struct sock_fprog vz_seccomp_program(unsigned int flags);

/*
 * In the child: from here on the filter holds, for all that it execs too.
 * Needs CAP_SYS_ADMIN in its user namespace (no_new_privs is not set: set-id
 * programs work in a VE). One system call. 0 or -errno.
 */
int vz_seccomp_install(unsigned int flags);

#endif
