// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * On the node's end of a VE's link: `from_ve` sees all that the VE sends before
 * anything else of the node does, `to_ve` all that it is sent.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/net.h"

#define LINKS_MAX 65536
#define ADDRS_MAX (1 << 20)
#define NETS_MAX 65536
#define ARP_SENDER 8 /* of its MAC, in an ARP message */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct vz_guard_link);
} links SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ADDRS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vz_guard_addr);
	__type(value, __u8);
} addrs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); /* VEID */
	__type(value, struct vz_guard_traffic);
} traffic SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, NETS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vz_guard_net4);
	__type(value, __u32);
} nets4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, NETS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vz_guard_net6);
	__type(value, __u32);
} nets6 SEC(".maps");

/* IPv4's and IPv6's source and destination, after the Ethernet header. */
enum {
	SRC4 = ETH_HLEN + 12,
	DST4 = ETH_HLEN + 16,
	SRC6 = ETH_HLEN + 8,
	DST6 = ETH_HLEN + 24
};

static __always_inline void count(struct __sk_buff *skb, struct vz_guard_count *c)
{
	__u32 len = skb->wire_len > skb->len ? skb->wire_len : skb->len;

	c->packets += skb->gso_segs ? skb->gso_segs : 1;
	c->bytes += len > ETH_HLEN ? len - ETH_HLEN : 0;
}

static __always_inline __u32 class_of(struct __sk_buff *skb, int at4, int at6)
{
	struct vz_guard_net4 net4 = { .bits = 32 };
	struct vz_guard_net6 net6 = { .bits = 128 };
	__u32 *class = NULL;

	if (skb->protocol == bpf_htons(ETH_P_IP) &&
	    !bpf_skb_load_bytes(skb, at4, net4.addr, 4))
		class = bpf_map_lookup_elem(&nets4, &net4);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6) &&
		 !bpf_skb_load_bytes(skb, at6, net6.addr, 16))
		class = bpf_map_lookup_elem(&nets6, &net6);
	return class && *class < VZ_TRAFFIC_CLASSES ? *class : 0;
}

/* What IPv6 tells its link by itself: useless on this one, but no wrong. */
static __always_inline int of_the_link(const __u8 *a)
{
	const __u32 *w = (const __u32 *)a;

	return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || !(w[0] | w[1] | w[2] | w[3]);
}

enum verdict { BAD, GOOD, USELESS };

static __always_inline enum verdict source_is_its_own(struct __sk_buff *skb,
						      const struct vz_guard_link *link)
{
	struct vz_guard_addr key = { .veid = link->veid };

	/* A tag would hide what is inside from this, but not from the node. */
	if (skb->vlan_present)
		return BAD;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		key.family = 4;
		if (bpf_skb_load_bytes(skb, SRC4, key.addr, 4))
			return BAD;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		key.family = 6;
		if (bpf_skb_load_bytes(skb, SRC6, key.addr, 16))
			return BAD;
		if (of_the_link(key.addr))
			return USELESS;
	} else {
		return BAD;
	}
	return bpf_map_lookup_elem(&addrs, &key) ? GOOD : BAD;
}

static __always_inline int same_mac(const __u8 *a, const __u8 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) |
		 (a[4] ^ b[4]) | (a[5] ^ b[5]));
}

static __always_inline enum verdict mac_is_its_own(struct __sk_buff *skb,
						   const struct vz_guard_link *link)
{
	__u8 mac[6];

	if (bpf_skb_load_bytes(skb, ETH_ALEN, mac, 6) || !same_mac(mac, link->mac))
		return BAD;
	if (skb->protocol != bpf_htons(ETH_P_ARP))
		return GOOD;
	return !bpf_skb_load_bytes(skb, ETH_HLEN + ARP_SENDER, mac, 6) &&
			       same_mac(mac, link->mac)
		       ? GOOD
		       : BAD;
}

SEC("tc")
int from_ve(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct vz_guard_link *link = bpf_map_lookup_elem(&links, &ifindex);
	struct vz_guard_traffic *t;
	enum verdict verdict = GOOD;

	if (!link)
		return TC_ACT_SHOT;
	t = bpf_map_lookup_elem(&traffic, &link->veid);
	if (link->kind == VZ_LINK_VENET)
		verdict = source_is_its_own(skb, link);
	else if (link->mac_filter)
		verdict = mac_is_its_own(skb, link);
	if (verdict == BAD && t)
		count(skb, &t->dropped);
	if (verdict != GOOD)
		return TC_ACT_SHOT;
	if (t)
		count(skb, &t->out[class_of(skb, DST4, DST6) & (VZ_TRAFFIC_CLASSES - 1)]);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int to_ve(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct vz_guard_link *link = bpf_map_lookup_elem(&links, &ifindex);
	struct vz_guard_traffic *t =
		link ? bpf_map_lookup_elem(&traffic, &link->veid) : NULL;

	if (t)
		count(skb, &t->in[class_of(skb, SRC4, SRC6) & (VZ_TRAFFIC_CLASSES - 1)]);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
