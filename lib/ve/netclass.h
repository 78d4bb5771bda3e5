/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_NETCLASS_H
#define VZ_VE_NETCLASS_H

#include "base/ip.h"
#include "sys/netguard.h"

/*
 * CONFDIR/conf/networks_classes: what traffic is counted apart. A line is a
 * class, 1 to 15, and a network, `1 10.0.0.0/8`; # begins a comment. Of the
 * networks that the other end's address is in, the longest decides; an address
 * in none is of class 0.
 */

/*
 * Make the guard count by the file; without one all is of class 0. VZ_E_BADCONF
 * with file, line and what was expected; nothing has changed then.
 */
int vz_netclass_load(const struct vz_ctx *ctx, const struct vz_netguard *g,
		     struct vz_err *err);

/* A line without its comment: 1, 0 for an empty one, -EINVAL. */
int vz_netclass_parse(const char *line, uint32_t *ret_class, struct vz_ip *ret_net);

/*
 * The guard of links, which knows the classes when it is new. What the file has
 * of errors is told, and shall not keep a VE from the net.
 */
int vz_netclass_open_guard(const struct vz_ctx *ctx, struct vz_netguard *ret,
			   struct vz_err *err);

#endif
