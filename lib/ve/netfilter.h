/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_NETFILTER_H
#define VZ_VE_NETFILTER_H

#include "ve/ve.h"

/*
 * NETFILTER: what a VE's root may do with netfilter in the VE's own network
 * namespaces. `disabled` is a matter of its system call filter (ve/fence.h);
 * what `stateless` and `stateful` leave out is refused by programs in the kernel
 * (sys/nfguard.h).
 */

/*
 * Before process 1 runs; `group_dir`: the VE's directory in cgroup2. What this
 * kernel can't refuse is said, if the VE's files ask for it.
 */
void vz_netfilter_begin(const struct vz_ve *ve, int group_dir);

#endif
