/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_LAYOUT_OVERLAY_H
#define VZ_VE_LAYOUT_OVERLAY_H

#include "ve/layout.h"

/* What snapshots need to know of an overlay's layers; see layout_overlay.c. */
enum { VZ_OVERLAY_CHAIN_MAX = 500 };

/*
 * The layers from `top` (0: the one that is written to) down to the one over the
 * base. VZ_E_NOPRIVATE when they are no chain.
 */
int vz_overlay_area_chain(const struct vz_area *a, uint32_t top,
			  uint32_t ret[VZ_OVERLAY_CHAIN_MAX], size_t *ret_n,
			  struct vz_err *err);

/*
 * Make an empty layer over `parent` (0: the base) and name it in the marker, in
 * memory: it counts when the caller has set "top" and saved. `like`: the directory,
 * the parent's or the base's, whose owner, mode and times its top gets. 0 or -errno.
 */
int vz_overlay_area_add(const struct vz_ve *ve, struct vz_area *a, uint32_t parent,
			const char *like, uint32_t *ret);

#endif
