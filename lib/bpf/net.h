/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_NET_H
#define VZ_BPF_NET_H

/*
 * What the filter of VEs' links and who sets it have in common. A change of
 * any of these is a new version of the pins: see VZ_NETGUARD_VERSION.
 */
#define VZ_NETGUARD_VERSION "net-3"

#define VZ_TRAFFIC_CLASSES 16 /* 0: what no line of networks_classes names */

enum vz_link_kind {
	VZ_LINK_VENET, /* IP from the VE's addresses only */
	VZ_LINK_VETH, /* Ethernet; with mac_filter from the VE's MAC only */
};

/* By the index of the node's end. */
struct vz_guard_link {
	__u32 veid;
	__u8 kind;
	__u8 mac_filter;
	__u8 mac[6];
	/* The programs' own: where the last packet by venet went, and needed no asking. */
	__u32 way_family;
	__u8 way[16];
	__u64 way_until;
};

/* An address that a VE may send from by venet; IPv4 fills the first four bytes. */
struct vz_guard_addr {
	__u32 veid;
	__u32 family; /* 4 or 6 */
	__u8 addr[16];
};

struct vz_guard_count {
	__u64 packets, bytes;
};
struct vz_guard_traffic {
	struct vz_guard_count in[VZ_TRAFFIC_CLASSES]; /* to the VE */
	struct vz_guard_count out[VZ_TRAFFIC_CLASSES]; /* from the VE */
	/* From the VE: from what is not its own, or asking too often. */
	struct vz_guard_count dropped;
};

/*
 * How often a VE may make others ask, or keep, who its neighbour is: so many at
 * once, and one for each piece of time.
 */
#define VZ_GUARD_ASK_MOST 1024
#define VZ_GUARD_ASK_NS 10000000ull /* 100 a second */
struct vz_guard_asking {
	__u64 since; /* as bpf_ktime_get_ns() */
	__u64 left;
};

/* Keys of the networks' tries: bits, then the address in network order. */
struct vz_guard_net4 {
	__u32 bits;
	__u8 addr[4];
};
struct vz_guard_net6 {
	__u32 bits;
	__u8 addr[16];
};

#endif
