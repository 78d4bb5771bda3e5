/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_REPAIR_H
#define VZ_VE_REPAIR_H

#include "ve/ve.h"

/*
 * Put right what something else on the node changed under VEs: the network of
 * one that runs, and what it has of lxcfs, is made to be as its configuration
 * says, what is left of one
 * that does not run is removed.
 */

/* With the VE's lock taken for it. */
int vz_repair_ve(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err);
/*
 * Each VE that runs or has left something, then devices of ours whose VE does
 * not run. What fails is said as a warning; the first of them is the error,
 * when all the rest is done.
 */
int vz_repair_all(const struct vz_ctx *ctx, struct vz_err *err);
/*
 * VEs whose end nobody saw, as supervisor and init were killed together: what they left
 * is removed as their supervisors would have done, when it is found a second time: at the
 * first a supervisor may just be about to. What fails is said as a warning. For a job of
 * the node, once a minute.
 */
void vz_repair_ended(const struct vz_ctx *ctx);

#endif
