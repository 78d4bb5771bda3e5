/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_VETH_H
#define VZ_VE_VETH_H

#include "ve/ve.h"

/*
 * The Ethernet interfaces of NETIF: pairs with one end in the VE and the other
 * on the node, mostly a bridge's port, and macvlans. The node's ends carry
 * "vz VEID IFNAME" as their alias; RUNDIR/VEID/veth says which there may be and
 * is written before one is made. No other device is ever touched.
 */

/*
 * Make the VE, whose network namespace is netns, have the interfaces of `new`
 * and none of `old` (may be NULL) besides. Those that are there and the same
 * in both are left alone, unless `all`. VZ_E_VETH. A failure may have done a
 * part: give `old` again.
 */
int vz_veth_set(const struct vz_ve *ve, int netns, const struct vz_cfg *old,
		const struct vz_cfg *new, bool all, struct vz_err *err);
/* Remove the node's ends, also when the VE is gone. What is absent is no error. */
int vz_veth_remove(const struct vz_ve *ve, struct vz_err *err);

#endif
