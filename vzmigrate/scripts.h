/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_SCRIPTS_H
#define VZMIGRATE_SCRIPTS_H

#include "base/ctx.h"
#include "vzmigrate/wire.h"

/*
 * A VE's action scripts, conf/VEID.mount and the like, on their way: read on the
 * source, put into STAGING/conf on the destination, and from there into place.
 */
enum { SCRIPT_MAX = 256 << 10 };

/* {"mount": HEX, …} of those that there are. NULL with the error set. */
json_t *scripts_pack(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err);
/* Those of the member "scripts". MIG_E_CONFIG. */
int scripts_unpack(const json_t *ask, const char *staging, uint32_t veid,
		   struct vz_err *err);
int scripts_place(const struct vz_ctx *ctx, const char *staging, uint32_t veid,
		  struct vz_err *err);
void scripts_remove(const struct vz_ctx *ctx, uint32_t veid);

#endif
