/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_LIMITS_H
#define VZ_RES_LIMITS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"
#include "base/err.h"
#include "res/cfg.h"
#include "sys/cgroup.h"

/*
 * A configuration's resource limits, put into a VE's groups. Each sets all
 * that its live group (enum vz_live) covers: before a VE's first process runs,
 * and for `set` while it runs. `old` is what is in force (NULL: nothing yet):
 * what is the same in both may be skipped. On failure the groups may be half
 * way; the caller puts `old` back.
 */
int vz_limits_cpu(const struct vz_ctx *ctx, const struct vz_cg *cg,
		  const struct vz_cfg *old, const struct vz_cfg *cfg, struct vz_err *err);
int vz_limits_cpuset(const struct vz_ctx *ctx, const struct vz_cg *cg,
		     const struct vz_cfg *old, const struct vz_cfg *cfg,
		     struct vz_err *err);
int vz_limits_memory(const struct vz_ctx *ctx, const struct vz_cg *cg,
		     const struct vz_cfg *old, const struct vz_cfg *cfg,
		     struct vz_err *err);
int vz_limits_numproc(const struct vz_ctx *ctx, const struct vz_cg *cg,
		      const struct vz_cfg *old, const struct vz_cfg *cfg,
		      struct vz_err *err);
int vz_limits_io(const struct vz_ctx *ctx, const struct vz_cg *cg,
		 const struct vz_cfg *old, const struct vz_cfg *cfg, struct vz_err *err);

/*
 * All of them, in that order, for groups that are new: what a start gives to
 * vz_cg_create_home(). Only what differs from a new group's values, most VEs
 * have two or three. A disk limit that can't be (the VE lies on no disk) is a
 * warning here.
 */
int vz_limits_values(const struct vz_ctx *ctx, const struct vz_cg *cg,
		     const struct vz_cfg *cfg, struct vz_cg_values *values,
		     struct vz_err *err);

/* Numbers of the kernel, as the parameters' values mean them. */
struct vz_limits {
	uint64_t cpuunits; /* 1000: as much as any other group of the node */
	uint64_t cpulimit; /* per cent of one CPU; 0: none */
	char cpus[512]; /* "": all that the node gives to VEs */
	char mems[512];
	uint64_t ram, swap; /* bytes; VZ_UNLIMITED */
	/*
	 * Bytes that are never taken away, and those taken away last (v2 only: on
	 * v1 what one group gets hangs on all others', see ve/balance.h).
	 */
	uint64_t min, low;
	uint64_t numproc; /* VZ_UNLIMITED */
	uint64_t ioprio; /* 0..7 */
	uint64_t iolimit, iopslimit; /* per second; 0: none */
	dev_t disk; /* 0: none */
};

/*
 * The memory that a configuration guarantees, in bytes: `min` is MEMRESERVE or
 * the barrier of OOMGUARPAGES, `low` that or the barrier of VMGUARPAGES; never
 * more than its limit. Values that follow from --ram and --swap guarantee
 * nothing: they would promise the node's memory many times over.
 */
void vz_limits_guarantee(const struct vz_cfg *cfg, uint64_t *ret_min, uint64_t *ret_low);

/* CPUUNITS as the weight of a group: cpu.weight of v2, cpu.shares of v1. */
uint64_t vz_limits_weight(bool v2, uint64_t units);
#define VZ_WEIGHT_MAX(v2) ((v2) ? 10000u : 262144u)

/* What new groups have. */
extern const struct vz_limits vz_limits_none;

/*
 * The values by which `new` differs from `old` in one group of parameters, in
 * an order in which the kernel takes them.
 */
void vz_limits_diff(const struct vz_cg_host *host, enum vz_live live,
		    const struct vz_limits *old, const struct vz_limits *new,
		    struct vz_cg_values *values);

#endif
