/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_RECOVER_H
#define VZMIGRATE_RECOVER_H

#include "base/ctx.h"
#include "vzmigrate/wire.h"

/*
 * What was left half-way, of one VE: finish it or undo it, whichever the journals
 * say. -ENOENT: nothing was. MIG_E_CONNECT: the other node must be asked, and can't
 * be; MIG_E_LOCKED: it is under way just now.
 */
int recover_one(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err);

/*
 * Of all VEs; the destination's side of what is to be known before VEs are started
 * too. Each failure is a warning. Returns the last one's status, 0: none.
 */
int recover_all(const struct vz_ctx *ctx);

/*
 * The source's answer to a destination that waits for it (the message `query`):
 * {"state": …} goes to ret.
 */
int recover_answer(const struct vz_ctx *ctx, const json_t *ask, json_t *ret,
		   struct vz_err *err);

#endif
