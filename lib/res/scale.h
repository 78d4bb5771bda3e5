/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_SCALE_H
#define VZ_RES_SCALE_H

#include <stdint.h>

#include "res/cfg.h"

/* Which parameters go up and down together. */
enum vz_scale_group {
	VZ_SCALE_CPU,
	VZ_SCALE_MEMORY, /* beancounters in bytes and pages */
	VZ_SCALE_COUNTS, /* the other beancounters */
	VZ_SCALE_DISK,
	VZ_SCALE_NETWORK,
	VZ_SCALE__COUNT,
};

/* In millionths; 0: left as they are. */
struct vz_scale {
	uint64_t factor[VZ_SCALE__COUNT];
};

/* `1.5` in millionths, more than 0 and at most 1000. 0 or -EINVAL. */
int vz_scale_parse(const char *s, uint64_t *ret);

/*
 * Multiply what the file itself gives. Rounded down, but nothing becomes 0;
 * what is unlimited stays so; CPU numbers stay in their range.
 */
int vz_scale(struct vz_cfg *cfg, const struct vz_scale *scale, struct vz_err *err);

#endif
