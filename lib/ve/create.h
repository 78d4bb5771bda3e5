/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_CREATE_H
#define VZ_VE_CREATE_H

#include "ve/ve.h"

/*
 * Make a VE: its id range from the pool, its private area from the cached
 * template, its configuration, names and POST_CREATE. `cfg` is what the
 * sample and the options say. A failure or signal leaves nothing behind.
 */
struct vz_create {
	const char *sample; /* NULL: CONFIGFILE of vz.conf */
	bool progress; /* show a bar on stderr */
};
int vz_ve_create(const struct vz_ctx *ctx, uint32_t id, const struct vz_cfg *cfg,
		 const struct vz_create *how, struct vz_err *err);
/* The inverse; refuses a running or mounted VE. */
int vz_ve_destroy(struct vz_ve *ve, struct vz_err *err);

#endif
