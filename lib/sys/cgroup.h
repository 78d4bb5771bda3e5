/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CGROUP_H
#define VZ_SYS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * The control groups of one VE: PARENT/VEID in cgroup2 (always, also where it
 * has no controllers) and in each v1 hierarchy that the host has mounted.
 * Limits are set through libcgroup; the VE's own first process enters the
 * groups by itself, since moving another process costs a grace period.
 *
 * cgroup.c finds, reads and enters groups and needs no library; cgmake.c
 * makes them and sets values (libcgroup); cgkill.c freezes, kills, removes.
 */
enum vz_cg_ctrl {
	VZ_CG_CPU,
	VZ_CG_CPUACCT, /* v2: core, cpu.stat */
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

/*
 * Find the hierarchies where every distribution mounts them: cgroup2 on
 * /sys/fs/cgroup or its `unified`, v1 controllers in directories of their
 * names. 0 or -errno (VZ_E_KERNEL: there are none).
 */
int vz_cg_probe(const struct vz_ctx *ctx, struct vz_cg_host *ret, struct vz_err *err);

/* One VE's groups, by name ("vz/101", in a pool "vz/pool-web/101"). */
#define VZ_CG_NAME 128
struct vz_cg {
	const struct vz_cg_host *host;
	char name[VZ_CG_NAME];
};

/* The mount point under which a controller's groups are, NULL: not here. */
const char *vz_cg_mount(const struct vz_cg_host *host, enum vz_cg_ctrl ctrl);
/* Whether that is cgroup2, with its file names. */
bool vz_cg_is_v2(const struct vz_cg_host *host, enum vz_cg_ctrl ctrl);
/* The path of a file (NULL: the directory) of a group; -ENOENT: no controller. */
int vz_cg_path(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file, char *buf,
	       size_t size);

/* Read or write one file of a controller's group. */
int vz_cg_read(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file, char *buf,
	       size_t size);
/* A decimal number, "max" being VZ_UNLIMITED. */
int vz_cg_read_u64(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file,
		   uint64_t *ret);
int vz_cg_write(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file,
		const char *value, struct vz_err *err);

/*
 * Values to set, in the order in which they were added: a file of one
 * controller, and what exit status a failure of it is. Running out of memory
 * is remembered in `failed`.
 */
struct vz_cg_value {
	enum vz_cg_ctrl ctrl;
	enum vz_exit status;
	const char *file; /* of static storage */
	char *value; /* lines are written one by one */
	bool optional; /* a host without the file is all right */
};
struct vz_cg_values {
	struct vz_cg_value *v;
	size_t n;
	bool failed;
};
void vz_cg_values_add(struct vz_cg_values *l, const struct vz_cg_value *proto,
		      const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void vz_cg_values_done(struct vz_cg_values *l);
#define vz_autocgvalues VZ_CLEANUP(vz_cg_values_done)

/*
 * Make the groups (those that exist already are used), set the values, and
 * give what systemd needs to the VE's root: uid/gid are the host ids of its 0.
 *
 * In two parts, so that the second is made while the VE's first process is at
 * work already. `home` is where that process is born and charged from its first
 * moment on: cgroup2's group, and v1's of memory; a failure leaves nothing.
 * `rest` are the other hierarchies of v1; what a failure leaves is the
 * caller's to remove.
 */
int vz_cg_create_home(struct vz_cg *cg, const struct vz_cg_values *values, uid_t uid,
		      gid_t gid, struct vz_err *err);
int vz_cg_create_rest(struct vz_cg *cg, const struct vz_cg_values *values, uid_t uid,
		      gid_t gid, struct vz_err *err);

/*
 * A group of ours beside those of VEs, without limits: in cgroup2 and in
 * systemd's hierarchy, by which service managers tell whose a process is.
 */
int vz_cg_create_plain(const struct vz_cg *cg, struct vz_err *err);
#define VZ_CG_PLAIN (1u << VZ_CG_UNIFIED | 1u << VZ_CG_SYSTEMD)

/*
 * A group that VEs' groups are made in, in every hierarchy; it is the host's.
 * Removed when nothing is in it: what is not empty stays, and is no error.
 */
int vz_cg_create_parent(const struct vz_cg *cg, struct vz_err *err);
int vz_cg_remove_parent(const struct vz_cg *cg, struct vz_err *err);

/* Set values of groups that are there, one after the other, up to a failure. */
int vz_cg_set(const struct vz_cg *cg, const struct vz_cg_values *values,
	      struct vz_err *err);

/* Kill every process inside, and return when there is none left. */
int vz_cg_kill(const struct vz_cg *cg, struct vz_err *err);
/* Kill what is left inside and remove the groups. Absent ones are no error. */
int vz_cg_remove(struct vz_cg *cg, struct vz_err *err);
/* Stop all processes, or let them go on; returns when they are. */
int vz_cg_freeze(const struct vz_cg *cg, bool frozen, struct vz_err *err);

/*
 * Descriptors by which a single-threaded process enters the groups: each v1
 * hierarchy's `tasks` file, into which it writes "0" itself, and the directory
 * of the cgroup2 group for CLONE_INTO_CGROUP. (Writing cgroup.procs, in either
 * version, waits for a grace period: 7–15 ms on an idle machine.)
 */
struct vz_cg_entry {
	int fd[VZ_CG__COUNT]; /* -1: not needed */
	int v2_dir; /* O_DIRECTORY fd of the cgroup2 group, -1: none */
};
/* Which groups to enter, as bits 1 << VZ_CG_…: those of home, and the others. */
#define VZ_CG_HOME (1u << VZ_CG_UNIFIED | 1u << VZ_CG_MEMORY)
#define VZ_CG_REST (~VZ_CG_HOME)
int vz_cg_entry_open(const struct vz_cg *cg, uint32_t which, struct vz_cg_entry *ret,
		     struct vz_err *err);
/*
 * The same for a process that joins a VE that runs: where cgroup2 has
 * controllers, processes live in leaves only, so v2_dir is then the leaf
 * `exec`, made on demand and given to the VE's root.
 */
int vz_cg_entry_open_exec(const struct vz_cg *cg, uid_t uid, gid_t gid,
			  struct vz_cg_entry *ret, struct vz_err *err);
/* In the child, before it has threads; only write(2) on the fds. 0 or -errno. */
int vz_cg_enter(const struct vz_cg_entry *e);
void vz_cg_entry_close(struct vz_cg_entry *e);

#endif
