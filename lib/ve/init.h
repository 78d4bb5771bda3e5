/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_INIT_H
#define VZ_VE_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/cgroup.h"
#include "sys/dev.h"
#include "ve/binds.h"
#include "ve/lxcfs.h"
#include "ve/ugidview.h"

/*
 * The child's side of a launch: what is to become process 1 of a VE. It is
 * born in the VE's namespaces, builds what the VE sees, leaves the host's
 * root, reports, and on a word execs the VE's init. The talk, over a
 * SOCK_SEQPACKET socket whose end means death to it:
 *
 *	launcher: VZ_INIT_MAPPED    the ids are mapped
 *	launcher: struct vz_init_groups and its descriptors, by which the child
 *	          enters the groups that were made while it built
 *	child:    struct vz_init_hello and VZ_INIT_FDS descriptors
 *	launcher: VZ_INIT_GO        limits hold, configuration is done
 *	child:    struct vz_init_hello with the error when exec failed, else the
 *	          end of the file as the socket closes on exec
 */
#define VZ_INIT_MAPPED 'm'
#define VZ_INIT_GO 'g'

struct vz_init {
	uint32_t veid;
	bool privileged; /* no user namespace */
	bool tool; /* VZ_LAUNCH_TOOL */
	uint32_t features;
	uint64_t caps; /* bounding set */
	uint32_t seccomp; /* VZ_SECCOMP_… */
	const char *hostname;
	uint64_t max_ptys, max_shm; /* where no program sees to it; VZ_UNLIMITED */
	const struct vz_dev_set *dev;
	struct vz_bind *bind; /* staged */
	size_t n_binds;
	struct vz_lxcfs *lxcfs; /* staged */
	struct vz_cg_entry groups; /* those of home, see sys/cgroup.h */
	int root; /* VE_ROOT, cloned, not attached */
	const struct vz_ugidview *quota; /* staged */
	int counters; /* the file of its beancounters, likewise; -1: there is none */
	int sock;
};

/* Of how many groups the descriptors are that come with it. */
struct vz_init_groups {
	uint32_t n;
};

enum {
	VZ_INIT_FD_CONSOLE, /* master of the VE's console */
	VZ_INIT_FD_READY, /* what tells that the VE is up: see ve/launch.h */
	VZ_INIT_FD_QUOTA, /* hears of its quota calls; only with VZ_SECCOMP_QUOTA */
	VZ_INIT_FDS,
};

struct vz_init_hello {
	struct vz_err err;
	char kind[16]; /* systemd, busybox, sysvinit, openrc, other */
	bool notifies; /* FD_READY is a socket for sd_notify(3), else a fifo */
	bool tells_ready; /* the VE will say so at all */
	int lxcfs; /* -errno: why it lacks some of it */
};

_Noreturn void vz_init_main(const struct vz_init *in);

#endif
