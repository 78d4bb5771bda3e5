/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_NAME_H
#define VZ_VE_NAME_H

#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * Names of VEs: names/NAME is a link to a VE's file, and counts only when
 * NAME= in there agrees.
 */

/* 0, or -ENOENT when no VE has it; an error is VZ_E_SYSTEM. */
int vz_name_find(const struct vz_ctx *ctx, const char *name, uint32_t *ret_id,
		 struct vz_err *err);

/* Where the link leads, whatever NAME= says there. 0, -ENOENT or -errno. */
int vz_name_link(const struct vz_ctx *ctx, const char *name, uint32_t *ret_id);

/*
 * Whether a VE may have the name: well-formed, not another VE's, and not
 * what would be read as another VE's number (VZ_E_NAME).
 */
int vz_name_check(const struct vz_ctx *ctx, uint32_t id, const char *name,
		  struct vz_err *err);

/*
 * Make the link for `name` and take away that of `old` (each may be NULL or
 * empty). Called after the VE's file says it. VZ_E_NAME.
 */
int vz_name_move(const struct vz_ctx *ctx, uint32_t id, const char *old, const char *name,
		 struct vz_err *err);

#endif
