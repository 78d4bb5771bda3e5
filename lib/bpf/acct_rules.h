/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_RULES_H
#define VZ_BPF_ACCT_RULES_H

#include "bpf/acct_charge.h"

/*
 * Rules of nftables, which iptables-nft makes, too: the kernel keeps no count
 * of them and asks nobody before it makes one, but a message of netlink can be
 * refused. How many a VE has is what they were when they were last counted
 * (lib/sys/rules.c) and what it has added since. Who has deleted some since then
 * has fewer than that, nobody knows how many: he is refused nothing until they
 * have been counted again.
 */
#define NETLINK_NETFILTER 12
#define NFNL_SUBSYS_NFTABLES 10
#define NLM_F_REPLACE 0x100
enum { MSG_DELTABLE = 2, MSG_DELCHAIN = 5, MSG_NEWRULE = 6, MSG_DELRULE = 8 };
#define MESSAGES_MAX 65536

struct message {
	__u32 len;
	__u16 type, flags;
	__u32 seq, pid;
};

struct rules_since {
	__s64 added;
	__u32 deleted; /* some, or all */
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VES_MAX);
	__type(key, __u64);
	__type(value, struct rules_since);
} rules_since SEC(".maps");

struct rules_walk {
	void *at, *end;
	struct rules_since found;
};

static long rules_step(__u32 i, struct rules_walk *w)
{
	struct message m;
	__u32 kind;

	if (w->at + sizeof(m) > w->end || bpf_probe_read_kernel(&m, sizeof(m), w->at) ||
	    m.len < sizeof(m))
		return 1;
	w->at += (m.len + 3) & ~3u;
	if (m.type >> 8 != NFNL_SUBSYS_NFTABLES)
		return 0;
	kind = m.type & 255;
	if (kind == MSG_NEWRULE && !(m.flags & NLM_F_REPLACE))
		w->found.added++;
	else if (kind == MSG_DELRULE || kind == MSG_DELCHAIN || kind == MSG_DELTABLE)
		w->found.deleted = 1;
	return 0;
}

SEC("fmod_ret/security_netlink_send")
int BPF_PROG(rules_sent, struct sock *sk, struct sk_buff *skb)
{
	struct rules_since *since, none = { 0 };
	struct rules_walk w = { 0 };
	struct vz_acct_count *c;
	struct vz_acct_row *row;
	__s64 held;
	__u64 group;

	if (BPF_CORE_READ(sk, sk_protocol) != NETLINK_NETFILTER)
		return 0;
	row = row_of_current(&group);
	if (!row)
		return 0;
	c = &row->c[VZ_UBC_NUMIPTENT];
	if (c->limit == NO_BOUND)
		return 0;
	w.at = BPF_CORE_READ(skb, data);
	w.end = w.at + BPF_CORE_READ(skb, len);
	bpf_loop(MESSAGES_MAX, rules_step, &w, 0);
	since = bpf_map_lookup_elem(&rules_since, &group);
	if (!since) {
		bpf_map_update_elem(&rules_since, &group, &none, BPF_NOEXIST);
		since = bpf_map_lookup_elem(&rules_since, &group);
	}
	if (!since)
		return 0;
	if (w.found.deleted)
		since->deleted = 1;
	/* None was counted yet: there were none when it was started. */
	held = c->held == VZ_ACCT_UNKNOWN ? 0 : c->held;
	if (w.found.added && !since->deleted &&
	    held + since->added + w.found.added > c->limit) {
		refused(c);
		return -ENOMEM;
	}
	__sync_fetch_and_add(&since->added, w.found.added);
	return 0;
}

#endif
