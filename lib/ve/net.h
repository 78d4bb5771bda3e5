/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_NET_H
#define VZ_VE_NET_H

#include <sys/types.h>

#include "ve/ve.h"

/*
 * The network of a VE as a whole: what a start makes, what an end removes,
 * what live changes do. The kinds of links are modules of their own: venet.h,
 * veth.h, netdev.h.
 */

/* For the VE whose process 1 is `init`, a child of ours. A failure leaves nothing. */
int vz_net_up(const struct vz_ve *ve, pid_t init, struct vz_err *err);
/* What of a VE that ended, or never ran, is left on the node. */
int vz_net_down(const struct vz_ve *ve, struct vz_err *err);

/* Live. */
int vz_net_apply_address(struct vz_ve *ve, const struct vz_cfg *old,
			 const struct vz_cfg *new, struct vz_err *err);

int vz_net_apply_netdev(struct vz_ve *ve, const struct vz_cfg *old,
			const struct vz_cfg *new, struct vz_err *err);
int vz_net_apply_rate(struct vz_ve *ve, const struct vz_cfg *old,
		      const struct vz_cfg *new, struct vz_err *err);
int vz_net_apply_netif(struct vz_ve *ve, const struct vz_cfg *old,
		       const struct vz_cfg *new, struct vz_err *err);

/*
 * Make it be again what the configuration in force says: routes and proxies
 * that a restart of the node's network has lost, devices that are not there.
 * Of a VE that does not run, remove what is left.
 */
int vz_net_repair(struct vz_ve *ve, struct vz_err *err);

#endif
