/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_COUNT_H
#define VZ_VE_COUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "sys/acct.h"
#include "sys/cgroup.h"
#include "ve/ve.h"

/*
 * A VE's beancounters over its life. What can't be counted on this host is
 * said once as a warning and shown as `-`: it keeps no VE from starting.
 */

/* Descriptors of the programs' pins, from the first call of a start to its last. */
struct vz_count {
	struct vz_acct acct;
	bool on; /* the VE is counted */
};
#define VZ_COUNT_NONE ((struct vz_count){ VZ_ACCT_NONE, false })

/*
 * As the VE's groups are made (`group_dir`: in cgroup2), before it has a
 * process. *ret_file is the file of its counters, cloned and not attached, for
 * the VE to have; -1: there is none. VZ_E_KERNEL when the VE is not to be
 * without (ACCOUNTING).
 */
int vz_count_begin(const struct vz_ve *ve, const struct vz_cg *cg, int group_dir,
		   struct vz_count *ret, int *ret_file, struct vz_err *err);
/* What can be done while process 1 builds. */
void vz_count_attach(const struct vz_ve *ve, int group_dir, const struct vz_count *count);
/*
 * What the kernel itself is to be told as a limit, as the VE starts: none
 * (VZ_UNLIMITED) where a program sees to it, which can be told at any time.
 */
uint64_t vz_count_kernel_limit(const struct vz_ve *ve, enum vz_ubc_id id);
/* Process 1 is in all of its groups. */
void vz_count_learn(const struct vz_ve *ve, pid_t init, const struct vz_count *count);
/* Before the groups are removed; done again it is as well. */
void vz_count_end(const struct vz_ve *ve, const struct vz_cg *cg);

/* Live: other barriers and limits (VZ_E_UBC). */
int vz_count_limits(const struct vz_ve *ve, const struct vz_cg *cg,
		    const struct vz_cfg *cfg, struct vz_err *err);

/* Load what counts where it is not there yet, which takes a second: before it is needed. */
void vz_count_warm(const struct vz_ve *ve);

#endif
