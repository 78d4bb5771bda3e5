/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_NETDEV_H
#define VZ_VE_NETDEV_H

#include "ve/ve.h"

/*
 * The node's own network devices that a VE has: NETDEV. They return under their
 * names, with the MAC and MTU that they had. By itself the kernel would return
 * hardware only and destroy the rest with the VE's namespace, so
 * RUNDIR/VEID/netns keeps that one; RUNDIR/VEID/netdev says what is in there,
 * and is written before a device is moved.
 */

/*
 * Make the VE, whose network namespace is netns, have these devices of the
 * node and no other ones. VZ_E_NETDEV. A failure may have done a part.
 */
int vz_netdev_set(const struct vz_ve *ve, int netns, const struct vz_strv *want,
		  struct vz_err *err);
/* Bring all back, also when the VE is gone, and let go of the namespace. */
int vz_netdev_remove(const struct vz_ve *ve, struct vz_err *err);

#endif
