/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_UBC_H
#define VZ_VE_UBC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "res/ubc.h"

/*
 * The beancounters of all running VEs, ascending by number; `veid` not 0: of
 * this one only (-ENOENT: it does not run). With `sample`, what can only be
 * sampled on this host is sampled anew, which costs a walk over its processes;
 * else it is as of the last time. *ret is freed by free().
 */
int vz_ubc_read(const struct vz_ctx *ctx, uint32_t veid, bool sample, struct vz_ubc **ret,
		size_t *ret_n, struct vz_err *err);

/* Sample all VEs anew. -ENOENT: nothing is counted by programs on this host. */
int vz_ubc_sample(const struct vz_ctx *ctx);

#endif
