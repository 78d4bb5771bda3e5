/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_NETGUARD_H
#define VZ_SYS_NETGUARD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/ip.h"
#include "bpf/net.h"

/*
 * The guard on the node's ends of VEs' links: two programs in the kernel
 * (lib/bpf/net.bpf.c) on the device's clsact. What does not come from one of
 * the VE's addresses (venet), or not from its MAC (veth), goes no further; what
 * makes the node or others keep entries of ever more neighbours passes at a
 * bounded rate; what passes is counted, by VE and class. Loaded once and pinned:
 * they stay until the node goes down, whatever ends. A link that the guard does
 * not know sends nothing.
 */
struct vz_netguard {
	/* Descriptors. */
	int nets4, nets6, links, addrs, asking, groups, traffic, from_ve, to_ve;
};
#define VZ_NETGUARD_NONE ((struct vz_netguard){ -1, -1, -1, -1, -1, -1, -1, -1, -1 })

/*
 * Loads what is not there: *ret_fresh says so (may be NULL), and then its
 * classes are to be told it. VZ_E_KERNEL with what the kernel lacks.
 */
int vz_netguard_open(const struct vz_ctx *ctx, struct vz_netguard *ret, bool *ret_fresh,
		     struct vz_err *err);
/* Only what is there: -ENOENT. */
int vz_netguard_find(const struct vz_ctx *ctx, struct vz_netguard *ret);
void vz_netguard_close(struct vz_netguard *g);
#define vz_autonetguard VZ_CLEANUP(vz_netguard_close)

/*
 * Put it on a device of the node, before that is up. A VE's counters begin at
 * `base` when it has none yet (NULL: at 0). Done again it is as well.
 */
int vz_netguard_attach(const struct vz_netguard *g, int dev,
		       const struct vz_guard_link *link,
		       const struct vz_guard_traffic *base, struct vz_err *err);
/* The device is gone: forget it. */
void vz_netguard_forget(const struct vz_netguard *g, int dev);

/* What a VE may send from by venet. */
int vz_netguard_allow(const struct vz_netguard *g, uint32_t veid, const struct vz_ip *ip,
		      struct vz_err *err);
void vz_netguard_forbid(const struct vz_netguard *g, uint32_t veid,
			const struct vz_ip *ip);

/* By what class a network's traffic is counted. */
struct vz_netguard_class {
	struct vz_ip net;
	uint32_t class;
};
/* These and no others. */
int vz_netguard_classes(const struct vz_netguard *g, const struct vz_netguard_class *v,
			size_t n, struct vz_err *err);

/* A VE's counters since they began. -ENOENT: it has none. */
int vz_netguard_traffic(const struct vz_netguard *g, uint32_t veid,
			struct vz_guard_traffic *ret);
/*
 * RUNDIR/proc/bc/VEID/netacct, for the VE whose directory in cgroup2 is
 * group_dir: its counters as text that the kernel makes when it is read. 0 or
 * -errno; -ENOENT: the guard is not loaded, or the kernel does not take that part.
 */
int vz_netguard_show(const struct vz_ctx *ctx, uint32_t veid, int group_dir);
/* By the number of its group. */
void vz_netguard_hide(const struct vz_ctx *ctx, uint32_t veid, uint64_t group);

/* The VE's counters begin anew. */
void vz_netguard_reset(const struct vz_netguard *g, uint32_t veid);

#endif
