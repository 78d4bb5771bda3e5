/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_UBC_H
#define VZ_RES_UBC_H

#include <stdint.h>

/* Barrier and limit of a beancounter, or soft and hard limit of a disk quota. */
struct vz_limit {
	uint64_t barrier, limit;
};

#endif
