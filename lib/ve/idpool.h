/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_IDPOOL_H
#define VZ_VE_IDPOOL_H

#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "res/cfg.h"

/*
 * The host's ids, cut into ranges of VZ_ID_RANGE. Which are taken is what the
 * configurations say; one that a create under way has chosen, and has not
 * written down yet, is reserved by a lock on LOCKDIR/ids-FIRST.lck.
 */
struct vz_idrange {
	uint32_t first; /* of the range */
	int pool_fd, fd; /* LOCKDIR/ids.lck open, the reservation */
	char *path; /* of the reservation */
};
#define VZ_IDRANGE_NONE ((struct vz_idrange){ .pool_fd = -1, .fd = -1 })

/* Reserve the first free range of UID_POOL. VZ_E_RESOURCES: none is left. */
int vz_idrange_take(const struct vz_ctx *ctx, const struct vz_cfg *cfg,
		    struct vz_idrange *ret, struct vz_err *err);

/*
 * Reserve the range that begins at `first` for a VE, as an administrator
 * said. One that another VE or the host itself uses is VZ_E_VALUE.
 */
int vz_idrange_claim(const struct vz_ctx *ctx, const struct vz_cfg *cfg, uint32_t veid,
		     uint32_t first, struct vz_idrange *ret, struct vz_err *err);

/*
 * Reserve the range that begins at `first` if it is of UID_POOL and free, else as
 * vz_idrange_take(): for a VE that comes from another node with its files.
 */
int vz_idrange_prefer(const struct vz_ctx *ctx, const struct vz_cfg *cfg, uint32_t veid,
		      uint32_t first, struct vz_idrange *ret, struct vz_err *err);

/* The configuration is written, or never will be. */
void vz_idrange_release(struct vz_idrange *range);
#define vz_autoidrange VZ_CLEANUP(vz_idrange_release)

#endif
