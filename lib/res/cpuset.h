/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_CPUSET_H
#define VZ_RES_CPUSET_H

#include "base/err.h"
#include "sys/cgroup.h"

/* What CPUS, CPUMASK and NODEMASK say. */
struct vz_cpuset_wish {
	uint64_t cpus; /* 0: all */
	const char *cpumask, *nodemask; /* NULL and "all": all; cpumask "auto" */
};

/*
 * The kernel's texts for a VE's cpuset, of what the node gives to VEs. "" in
 * both when it is all of that. VZ_E_CPU when the node has not what is wished.
 */
int vz_cpuset_choose(const struct vz_cg *cg, const struct vz_cpuset_wish *wish,
		     char *ret_cpus, char *ret_mems, size_t size, struct vz_err *err);

#endif
