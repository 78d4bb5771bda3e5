/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_NFGUARD_H
#define VZ_SYS_NFGUARD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "bpf/nf.h"

/*
 * Programs in the kernel (lib/bpf/nf.bpf.c) that look at the rules of netfilter
 * which a VE's root sets, and refuse (EPERM) those of kinds that the VE is not
 * to have. Loaded once and pinned. A VE is known by its group in cgroup2, and
 * so are the network namespaces that it makes itself.
 */

/*
 * Before the VE has a process: `refuse` is a set of enum vz_nf_refuse that has
 * VZ_NF_NAT, `group_dir` its directory in cgroup2. *ret_nft: nftables' rules are
 * looked at, too, which asks for more of a kernel than the older tables'.
 * VZ_E_KERNEL: not even those can be.
 */
int vz_nfguard_begin(const struct vz_ctx *ctx, uint32_t veid, int group_dir,
		     uint32_t refuse, bool *ret_nft, struct vz_err *err);
/* The VE has ended: by the number of its group. */
void vz_nfguard_end(const struct vz_ctx *ctx, uint64_t group);

#endif
