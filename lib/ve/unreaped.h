/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_UNREAPED_H
#define VZ_VE_UNREAPED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"

/*
 * Wait until a process has reaped all its children that have ended, for at most ms.
 * False: one is left, or it can't be seen.
 *
 * For a dump: CRIU (as of 4.2) may never end the restore of two that have ended, of one
 * session, whose leader is one of them, and which the VE's init has not reaped: init's
 * half waits for a change of state that can have been the last already. An init reaps in
 * a moment.
 */
bool vz_unreaped_wait(const struct vz_ctx *ctx, pid_t parent, int64_t ms);

#endif
