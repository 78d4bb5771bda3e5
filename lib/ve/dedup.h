/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DEDUP_H
#define VZ_VE_DEDUP_H

#include "sys/dedupe.h"
#include "ve/ids.h"
#include "ve/ve.h"

/*
 * Identical files of VEs whose private area is their root (layout simfs) share their
 * blocks again, where the file system has that: see sys/dedupe.h. The VEs may run; no
 * lock is taken, and nothing of what they see changes.
 */
struct vz_dedup {
	const struct vz_ids *ids;
	bool all; /* of all VEs: those that have nothing to share are passed over */
	void (*progress)(void *data, uint64_t done, uint64_t total); /* or NULL */
	void *progress_data;
};

/*
 * *ret is what was done, also on failure. VZ_E_LAYOUT: a VE of another layout was named;
 * VZ_E_KERNEL: the file system shares no blocks, and nothing was done.
 */
int vz_dedup(const struct vz_ctx *ctx, const struct vz_dedup *how,
	     struct vz_dedupe_sum *ret, struct vz_err *err);

#endif
