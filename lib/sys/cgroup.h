/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CGROUP_H
#define VZ_SYS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * The control groups of one VE: PARENT/VEID in cgroup2 (always, also where it
 * has no controllers) and in each v1 hierarchy that the host has mounted.
 * Made and set through libcgroup; entered by the VE's own first process,
 * since moving another process costs a grace period.
 */
enum vz_cg_ctrl {
	VZ_CG_CPU,
	VZ_CG_CPUACCT,
	VZ_CG_CPUSET,
	VZ_CG_MEMORY,
	VZ_CG_PIDS,
	VZ_CG_BLKIO, /* v2: io */
	VZ_CG_DEVICES, /* v2: BPF, no files */
	VZ_CG_FREEZER, /* v2: core */
	VZ_CG_HUGETLB,
	VZ_CG_SYSTEMD, /* v1 named hierarchy */
	VZ_CG_UNIFIED, /* the cgroup2 group itself */
	VZ_CG__COUNT,
};

/* How this host's controllers are mounted. */
struct vz_cg_host {
	char unified[64]; /* mount point of cgroup2; "" when there is none */
	char v1[VZ_CG__COUNT]
	       [64]; /* mount point of each v1 controller; "" when on v2 or absent */
	uint32_t v2_controllers; /* bits 1 << VZ_CG_…: what cgroup2 controls */
};

/* Read the mounts once. 0 or -errno (VZ_E_KERNEL: no usable cgroups). */
int vz_cg_probe(const struct vz_ctx *ctx, struct vz_cg_host *ret, struct vz_err *err);

/* One VE's groups, by name ("vz/101"). */
struct vz_cg {
	const struct vz_cg_host *host;
	char name[64];
};

/*
 * Make the groups (those that exist already are used) and give what systemd
 * needs to the VE's root: uid/gid are the host ids of its 0.
 */
int vz_cg_create(struct vz_cg *cg, uid_t uid, gid_t gid, struct vz_err *err);
/* Kill what is left inside and remove the groups. Absent ones are no error. */
int vz_cg_remove(struct vz_cg *cg, struct vz_err *err);

/*
 * Descriptors by which a single-threaded process enters the groups by itself:
 * v1: each `tasks` file opened for writing (write "0"); v2: the directory,
 * for CLONE_INTO_CGROUP (host with controllers on v2) or writing cgroup.procs.
 */
struct vz_cg_entry {
	int fd[VZ_CG__COUNT]; /* -1: not needed */
	int v2_dir; /* O_DIRECTORY fd of the cgroup2 group, -1: none */
};
int vz_cg_entry_open(const struct vz_cg *cg, struct vz_cg_entry *ret, struct vz_err *err);
/* In the child, before it has threads; only write(2) on the fds. 0 or -errno. */
int vz_cg_enter(const struct vz_cg_entry *e);
void vz_cg_entry_close(struct vz_cg_entry *e);

/* Read or write one file of a controller's group. */
int vz_cg_read(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file, char *buf,
	       size_t size);
int vz_cg_write(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file,
		const char *value, struct vz_err *err);

#endif
