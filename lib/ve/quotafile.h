/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_QUOTAFILE_H
#define VZ_VE_QUOTAFILE_H

#include "ve/ve.h"

/*
 * RUNDIR/proc/vz/vzquota, which OpenVZ has in /proc: what each mounted VE has and
 * may have of the disk. It is a file, and as true as its last change: at each mount,
 * umount and new limit, at vzquota stat, when vzproc(8) begins, and with the timer
 * of the traffic counters. Exact at any time is `vzquota stat`.
 */
#define VZ_QUOTAFILE_HEAD                                                                \
	"qid: path            usage      softlimit      hardlimit       time     "       \
	"expire\n"

/* What the kernel says of a VE takes the place of what the file says. */
void vz_quotafile_put(const struct vz_ve *ve);
/* It is not mounted any more. */
void vz_quotafile_drop(const struct vz_ctx *ctx, uint32_t veid);
/* All that it says, anew. */
void vz_quotafile_refresh(const struct vz_ctx *ctx);

/* One VE's block, taken out of or (not NULL) put into a file's text. Pure. */
int vz_quotafile_edit(const char *text, uint32_t veid, const char *block,
		      struct vz_str *out);

#endif
