/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_CHECKS_H
#define VZMIGRATE_CHECKS_H

#include "vzmigrate/facts.h"

/*
 * Whether a VE can come to this node, the destination, by the source's message.
 * All that stands against it goes to `problems`; nothing is changed. The return
 * value is for a message that is none, or a node that can't be asked.
 */
int checks_run(const struct vz_ctx *ctx, const json_t *ask, json_t *problems,
	       struct vz_err *err);

#endif
