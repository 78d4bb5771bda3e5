// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * On the node's end of a VE's link: `from_ve` sees all that the VE sends before
 * anything else of the node does, `to_ve` all that it is sent.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/acct_kernel.h"
#include "bpf/net.h"

#define LINKS_MAX 65536
#define ADDRS_MAX (1 << 20)
#define NETS_MAX 65536
#define ARP_SENDER 8 /* of its MAC, in an ARP message */
#define AF_INET 2
#define AF_INET6 10
#define NULL ((void *)0)

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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); /* VEID */
	__type(value, struct vz_guard_asking);
} asking SEC(".maps");

/* Which VE's is a group of cgroup2, for who reads its file. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} groups SEC(".maps");

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

/* --- what makes the node, or others, keep an entry about a neighbour --- */

/*
 * An entry for each address that is asked for, or asks, stays for a while, and
 * all VEs and the node have one table of a bounded size.
 */
static __always_inline enum verdict may_ask(const struct vz_guard_link *link)
{
	struct vz_guard_asking *a = bpf_map_lookup_elem(&asking, &link->veid);
	__u64 now = bpf_ktime_get_ns(), more;

	if (!a)
		return GOOD;
	more = (now - a->since) / VZ_GUARD_ASK_NS;
	if (more) {
		a->since = more > VZ_GUARD_ASK_MOST ? now
						    : a->since + more * VZ_GUARD_ASK_NS;
		more += a->left;
		a->left = more > VZ_GUARD_ASK_MOST ? VZ_GUARD_ASK_MOST : more;
	}
	if (!a->left)
		return BAD;
	/* Two at once may pass as one: it is a rate, not a count. */
	a->left--;
	return GOOD;
}

/*
 * Most packets go where the last one went, and the way there is not looked up for each.
 * Two CPUs may write at once: at worst a packet passes that was to be counted.
 */
#define WAY_NS 1000000000ull

static __always_inline int is_last_way(const struct vz_guard_link *link, __u32 family,
				       const __u8 *to)
{
	const __u64 *a = (const __u64 *)link->way, *b = (const __u64 *)to;

	return link->way_family == family && a[0] == b[0] && a[1] == b[1] &&
	       bpf_ktime_get_coarse_ns() < link->way_until;
}

static __always_inline void note_way(struct vz_guard_link *link, __u32 family,
				     const __u8 *to)
{
	link->way_family = family;
	__builtin_memcpy(link->way, to, sizeof(link->way));
	link->way_until = bpf_ktime_get_coarse_ns() + WAY_NS;
}

/* What the node would have to ask its network for. */
static __always_inline enum verdict is_known_there(struct __sk_buff *skb,
						   struct vz_guard_link *link)
{
	struct bpf_fib_lookup way = { .ifindex = skb->ifindex };
	/* The lookup writes where the address was; of IPv4 the rest is zeros. */
	__u8 to[16] __attribute__((aligned(8))) = { 0 };
	int v4 = skb->protocol == bpf_htons(ETH_P_IP), r;

	way.family = v4 ? AF_INET : AF_INET6;
	r = v4 ? bpf_skb_load_bytes(skb, DST4, to, 4)
	       : bpf_skb_load_bytes(skb, DST6, to, 16);
	if (r)
		return BAD;
	if (is_last_way(link, way.family, to))
		return GOOD;
	__builtin_memcpy(way.ipv6_dst, to, sizeof(to));
	r = v4 ? bpf_skb_load_bytes(skb, SRC4, &way.ipv4_src, 4)
	       : bpf_skb_load_bytes(skb, SRC6, way.ipv6_src, 16);
	if (r)
		return BAD;
	if (bpf_fib_lookup(skb, &way, sizeof(way), 0) == BPF_FIB_LKUP_RET_NO_NEIGH)
		return may_ask(link);
	note_way(link, way.family, to);
	return GOOD;
}

static __always_inline int same_mac(const __u8 *a, const __u8 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) |
		 (a[4] ^ b[4]) | (a[5] ^ b[5]));
}

/* IPv6's headers before what it carries, and what neighbours tell each other. */
enum {
	HOPOPTS = 0,
	ROUTING = 43,
	ICMPV6 = 58,
	DSTOPTS = 60,
	ND_FIRST = 133, /* router solicitation, advertisement, neighbour's, redirect */
	ND_LAST = 137,
	ND_SOURCE_MAC = 1,
	ND_TARGET_MAC = 2,
	HEADERS_MAX = 6,
	OPTIONS_MAX = 16,
};
struct option {
	__u8 type, len; /* in eights of bytes */
};

/* Where ICMPv6 begins; 0: it is something else, -1: who knows. */
static __always_inline int find_icmp6(struct __sk_buff *skb)
{
	int at = ETH_HLEN + 40;
	__u8 head[2], next = 0;

	bpf_skb_load_bytes(skb, ETH_HLEN + 6, &next, 1);
	for (int i = 0; i < HEADERS_MAX; i++) {
		if (next == ICMPV6)
			return at;
		/* A fragment's is not taken from anybody (RFC 6980). */
		if (next != HOPOPTS && next != ROUTING && next != DSTOPTS)
			return 0;
		if (bpf_skb_load_bytes(skb, at, head, 2))
			return 0;
		next = head[0];
		at += (head[1] + 1) * 8;
	}
	return -1;
}

/* As ARP's: the MACs that it tells others to use. */
static __always_inline enum verdict nd_is_its_own(struct __sk_buff *skb,
						  const struct vz_guard_link *link)
{
	int at = find_icmp6(skb);
	struct option o;
	__u8 type, mac[6];

	if (at <= 0)
		return at ? BAD : GOOD;
	if (bpf_skb_load_bytes(skb, at, &type, 1) || type < ND_FIRST || type > ND_LAST)
		return GOOD;
	at += type == 133 ? 8 : type == 134 ? 16 : type == ND_LAST ? 40 : 24;
	for (int i = 0; i < OPTIONS_MAX; i++) {
		if (bpf_skb_load_bytes(skb, at, &o, sizeof(o)))
			return may_ask(link);
		if (!o.len)
			return BAD;
		if ((o.type == ND_SOURCE_MAC || o.type == ND_TARGET_MAC) &&
		    (bpf_skb_load_bytes(skb, at + 2, mac, 6) ||
		     !same_mac(mac, link->mac)))
			return BAD;
		at += o.len * 8;
	}
	return BAD;
}

static __always_inline enum verdict mac_is_its_own(struct __sk_buff *skb,
						   const struct vz_guard_link *link)
{
	__u8 mac[6];

	if (bpf_skb_load_bytes(skb, ETH_ALEN, mac, 6) || !same_mac(mac, link->mac))
		return BAD;
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return nd_is_its_own(skb, link);
	if (skb->protocol != bpf_htons(ETH_P_ARP))
		return GOOD;
	return !bpf_skb_load_bytes(skb, ETH_HLEN + ARP_SENDER, mac, 6) &&
			       same_mac(mac, link->mac)
		       ? may_ask(link)
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
	if (link->kind == VZ_LINK_VENET) {
		verdict = source_is_its_own(skb, link);
		if (verdict == GOOD)
			verdict = is_known_there(skb, link);
	} else if (link->mac_filter) {
		verdict = mac_is_its_own(skb, link);
	}
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

/* --- RUNDIR/proc/bc/VEID/netacct --- */

#define CPUS_MAX 8192

struct sum {
	__u32 veid, class;
	struct vz_guard_count in, out, dropped;
};

static __always_inline void add(struct vz_guard_count *to, const struct vz_guard_count *c)
{
	to->packets += c->packets;
	to->bytes += c->bytes;
}

static long add_cpu(__u32 cpu, void *data)
{
	struct sum *s = data;
	struct vz_guard_traffic *t = bpf_map_lookup_percpu_elem(&traffic, &s->veid, cpu);

	if (!t)
		return 1;
	add(&s->in, &t->in[s->class & (VZ_TRAFFIC_CLASSES - 1)]);
	add(&s->out, &t->out[s->class & (VZ_TRAFFIC_CLASSES - 1)]);
	add(&s->dropped, &t->dropped);
	return 0;
}

SEC("iter/cgroup")
int netacct(struct bpf_iter__cgroup *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct cgroup *group = ctx->cgroup;
	struct sum s = { 0 };
	__u32 *veid;
	__u64 id;

	if (!group)
		return 0;
	id = BPF_CORE_READ(group, kn, id);
	veid = bpf_map_lookup_elem(&groups, &id);
	if (!veid)
		return 0;
	for (int i = 0; i < VZ_TRAFFIC_CLASSES; i++) {
		s = (struct sum){ .veid = *veid, .class = i };
		bpf_loop(CPUS_MAX, add_cpu, &s, 0);
		if (!i)
			BPF_SEQ_PRINTF(seq, "%20s %20llu\n%20s %20llu\n",
				       "dropped_packets", s.dropped.packets,
				       "dropped_bytes", s.dropped.bytes);
		if (!s.in.packets && !s.out.packets && i)
			continue;
		BPF_SEQ_PRINTF(seq, "%17s_%02d %20llu\n%17s_%02d %20llu\n", "in_packets",
			       i, s.in.packets, "in_bytes", i, s.in.bytes);
		BPF_SEQ_PRINTF(seq, "%17s_%02d %20llu\n%17s_%02d %20llu\n", "out_packets",
			       i, s.out.packets, "out_bytes", i, s.out.bytes);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
