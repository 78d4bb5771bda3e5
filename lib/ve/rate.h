/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_RATE_H
#define VZ_VE_RATE_H

#include "ve/ve.h"

/*
 * RATE: how fast a VE's links are. What it sends is led through a device of its
 * own on the node, vzifbVEID (an ifb), where all its links share the rate; what
 * it receives waits on each link. Both by token buckets (tbf) on the node's
 * side, where the VE's root has no say.
 */

/*
 * Make all links that the VE has by now be as fast as cfg says. VZ_E_NETDEV.
 * Nothing to do is cheap.
 */
int vz_rate_set(const struct vz_ve *ve, const struct vz_cfg *cfg, struct vz_err *err);

/* Remove the device; the links are gone, or go. */
int vz_rate_remove(const struct vz_ve *ve, struct vz_err *err);

#endif
