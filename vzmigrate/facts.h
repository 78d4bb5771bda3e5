/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_FACTS_H
#define VZMIGRATE_FACTS_H

#include "base/ctx.h"
#include "vzmigrate/wire.h"

/* What of a node matters to programs that come from another: read, sent, compared. */

/* {"machine", "release", "clock" (seconds), "flags" (of the CPU)}. NULL: error set. */
json_t *facts_read(const struct vz_ctx *ctx, struct vz_err *err);

/*
 * Checks are collected, not ended by the first that fails: {"kind", "code", "text"}.
 * The kind is what --nodeps takes; "" is what can't be done without.
 */
void problem_add(json_t *problems, const char *kind, enum mig_exit code, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));

/*
 * Compare the source's, from a message, with this node's. live: programs go on
 * here with what they have learned of CPU and kernel there. -EBADMSG.
 */
int facts_compare(const struct vz_ctx *ctx, const json_t *theirs, bool live,
		  json_t *problems, struct vz_err *err);

#endif
