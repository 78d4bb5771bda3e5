/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_PROCFILES_H
#define VZ_SYS_PROCFILES_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/ip.h"
#include "bpf/procfiles.h"
#include "sys/acct.h"

/*
 * RUNDIR/proc/vz and RUNDIR/proc/bc/VEID/ioacct, which are in /proc on OpenVZ.
 * The kernel makes their text when they are read, by programs
 * (lib/bpf/procfiles.bpf.c) that are loaded once and pinned; who made the
 * beancounters' files is sys/acct.h.
 *
 * procfiles.c loads them, procfiles_ve.c needs no library.
 */

/* What is not there is made. `level` as in vz_acct_open(). VZ_E_KERNEL. */
int vz_procfiles_open(const struct vz_ctx *ctx, unsigned int level,
		      const struct vz_acct *acct, struct vz_err *err);

/* A VE has begun, whose directory in cgroup2 is group_dir. */
int vz_procfiles_begin(const struct vz_ctx *ctx, uint32_t veid, int group_dir,
		       struct vz_err *err);
/* It has ended; its files go. */
void vz_procfiles_end(const struct vz_ctx *ctx, uint32_t veid, uint64_t group);

/* The VE has these addresses and no others. Without the programs: nothing. */
void vz_procfiles_addresses(const struct vz_ctx *ctx, uint32_t veid,
			    const struct vz_ip *v, size_t n);

#endif
