/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_FREEZE_H
#define VZ_VE_FREEZE_H

#include "ve/ve.h"

/*
 * A VE that stands still in memory (vzctl suspend --suspend): its groups are frozen,
 * and RUNDIR/VEID/frozen says that it is wanted, so that nobody thaws it by himself.
 */

/* Stop all processes. VZ_E_NOTRUNNING; done already is 0. */
int vz_freeze(const struct vz_ve *ve, struct vz_err *err);
/* Let them go on; those of a VE that was not stopped are left alone. */
int vz_thaw(const struct vz_ve *ve, struct vz_err *err);
/* Whether the VE is meant to stand still. */
bool vz_frozen(const struct vz_ctx *ctx, uint32_t veid);

/* Only the word, or only the deed: for those who stop a VE on their way. */
int vz_freeze_mark(const struct vz_ve *ve, bool wanted);
int vz_freeze_groups(const struct vz_ve *ve, bool frozen, struct vz_err *err);
/*
 * The same without waiting for it: processes that CRIU holds stop, or stay so, as
 * it lets them go. -EOPNOTSUPP where there is no cgroup2.
 */
int vz_freeze_begin(const struct vz_ve *ve, const char *cgroup);

#endif
