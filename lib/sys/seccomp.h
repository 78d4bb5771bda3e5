/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_SECCOMP_H
#define VZ_SYS_SECCOMP_H

#include <linux/filter.h>
#include <stdint.h>

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
	/* quotactl(2) goes to a listener; see ve/ugidserve.h. Not if privileged. */
	VZ_SECCOMP_QUOTA = 16,
	/* Its root is an overlay over files of the node: attributes of files stay. */
	VZ_SECCOMP_OVERLAY = 32,
	VZ_SECCOMP__COMBINATIONS = 64,
};

/* What seccomp calls this machine's own system calls: AUDIT_ARCH_…. */
uint32_t vz_seccomp_arch(void);

/* The program; it belongs to the library. */
struct sock_fprog vz_seccomp_program(unsigned int flags);

/*
 * In the child: from here on the filter holds, for all that it execs too.
 * Needs CAP_SYS_ADMIN in its user namespace (no_new_privs is not set: set-id
 * programs work in a VE). One system call. 0 or -errno.
 */
int vz_seccomp_install(unsigned int flags);
/*
 * The same, and with VZ_SECCOMP_QUOTA *ret_listener is who hears of calls (close on
 * exec), else -1. A process has one listener: the VE's own programs can't have
 * another for theirs.
 */
int vz_seccomp_install_listener(unsigned int flags, int *ret_listener);

#endif
