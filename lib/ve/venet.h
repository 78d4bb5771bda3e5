/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_VENET_H
#define VZ_VE_VENET_H

#include "base/ip.h"
#include "ve/ve.h"

/*
 * venet: a VE's IP addresses (IP_ADDRESS) on a link without ARP or neighbour
 * discovery, which routes. A pair of devices with one and the same MAC, venet0
 * in the VE and venetVEID on the node, to which the node has a route for each
 * address; on the networks of NEIGHBOUR_DEVS the node answers for it. What does
 * not come from one of the addresses is dropped on the node (sys/netguard.h).
 *
 * The pair is of kind veth. netkit in L3 mode (6.7 and later, where it is built in:
 * Debian 12's kernel is older) hands a packet to the same queue of the node's as veth
 * does, unless a program of its own sends it elsewhere past that; and it has no Ethernet
 * header, by which the guard finds its way. What a second guard could spare is what
 * venet lacks to a plain pair, some per cent, guard included (tests/bench/net.sh).
 */

/* Addresses with their bits, in the configuration's order. */
struct vz_ips {
	struct vz_ip *v;
	size_t n;
};
void vz_ips_done(struct vz_ips *ips);
#define vz_autoips VZ_CLEANUP(vz_ips_done)
/*
 * Those of IP_ADDRESS. Without IPv6 (IPV6=no) its addresses are left out;
 * *ret_skipped counts them, may be NULL.
 */
int vz_ips_read(const struct vz_cfg *cfg, struct vz_ips *ret, size_t *ret_skipped,
		struct vz_err *err);

/*
 * Make the VE, whose network namespace is netns, have the addresses of `new`
 * instead of those of `old`: also the devices when there are none, and what is
 * missing of those that were there already. Other addresses in the VE stay.
 * VZ_E_IPUSED, VZ_E_ADDIP. A failure may have done a part: give `old` again.
 */
int vz_venet_set(const struct vz_ve *ve, int netns, const struct vz_cfg *old,
		 const struct vz_cfg *new, struct vz_err *err);

/*
 * Remove what is on the node: the device with its routes, the entries of the
 * proxies. The VE need not be there any more. What is absent is no error.
 */
int vz_venet_remove(const struct vz_ve *ve, struct vz_err *err);

#endif
