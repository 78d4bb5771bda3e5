// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What VEs may set of netfilter (NETFILTER). The kernel asks a VE's root for
 * one capability, which opens all of it: so rules are looked at on their way to
 * the kernel, from its own copy of them, that the VE can't change any more.
 *
 * nftables' come by netlink, and are walked as the kernel itself will: what it
 * would not parse is not parsed, and what could be read in two ways is refused.
 * The older tables' come as a socket's option, of which a program sees a page.
 */
#include <linux/bpf.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netlink.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/nf.h"
#include "bpf/nf_names.h"

#define EPERM 1
#define NULL ((void *)0)
#define GROUPS_MAX 65536
#define LEVELS 32 /* of groups, below which no VE's is */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sock {
	__u16 sk_protocol;
};
struct sk_buff {
	unsigned int len;
	unsigned char *data;
};
#pragma clang attribute pop

/* VEs that may not do all. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GROUPS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} groups SEC(".maps");

/* --- nftables --- */

#define NFNL_CTNETLINK 1
#define NFNL_CTNETLINK_EXP 2
#define NFNL_CTNETLINK_TIMEOUT 8
#define NFNL_CTHELPER 9
#define NFNL_NFTABLES 10
#define NFGENMSG_LEN 4
#define TYPE_MASK 0x3fff /* of an attribute, less its flags */

/* What an attribute is in. */
enum kind {
	MESSAGES,
	RULE,
	CHAIN,
	SET,
	ELEMENTS, /* a message of them */
	ELEMENT_LIST,
	ELEMENT,
	OBJECT,
	EXPR_LIST,
	EXPR,
	COMPAT_DATA, /* of an expression that wraps a match or a target */
	DYNSET_DATA,
	OTHER_DATA,
	SKIP = OTHER_DATA,
};

#define DEPTH 16 /* twice as deep as any rule is */

struct container {
	__u32 end;
	__u16 kind;
	__u16 data; /* an expression's: what its data is; 0: not named yet */
};
struct walk {
	const unsigned char *skb;
	__u32 pos, refuse;
	__u32 depth, verdict;
	struct container at[DEPTH] __attribute__((aligned(8)));
};

struct head { /* of an attribute */
	__u16 len, type;
};

static __always_inline __u32 align(__u32 n)
{
	return (n + 3) & ~3u;
}

static __always_inline struct container *top(struct walk *w)
{
	return &w->at[w->depth & (DEPTH - 1)];
}

static __always_inline void refuse(struct walk *w)
{
	w->verdict = 1;
}

static __always_inline void descend(struct walk *w, __u32 from, __u32 end, enum kind kind)
{
	struct container *c;

	if (w->depth >= DEPTH - 1) {
		refuse(w);
		return;
	}
	w->depth++;
	c = top(w);
	c->end = end;
	c->kind = kind;
	c->data = 0;
	w->pos = from;
}

static __always_inline void read_name(struct walk *w, __u32 len, struct name *n)
{
	__u32 size = len - sizeof(struct head);

	n->w[0] = n->w[1] = 0;
	if (size > NAME_LEN)
		size = NAME_LEN;
	bpf_probe_read_kernel(n, size & 31, w->skb + w->pos + sizeof(struct head));
	cut(n);
}

static __always_inline void look_at_name(struct walk *w, __u32 len, struct name *n)
{
	read_name(w, len, n);
	if (needs(n) & w->refuse)
		refuse(w);
}

/* Named once and before its data, as every program does it. */
static __always_inline enum kind see_expr(struct walk *w, const struct head *h)
{
	struct container *c = top(w);
	struct name n;

	if (h->type == NFTA_EXPR_DATA) {
		if (!c->data)
			refuse(w);
		return c->data;
	}
	if (h->type != NFTA_EXPR_NAME)
		return SKIP;
	if (c->data)
		refuse(w);
	look_at_name(w, h->len, &n);
	c->data = IS(&n, "match") || IS(&n, "target") ? COMPAT_DATA
		  : IS(&n, "dynset")		      ? DYNSET_DATA
						      : OTHER_DATA;
	return SKIP;
}

static __always_inline void see_object(struct walk *w)
{
	__u32 type = 0;

	bpf_probe_read_kernel(&type, sizeof(type), w->skb + w->pos + sizeof(struct head));
	type = bpf_ntohl(type);
	if (w->refuse & VZ_NF_TRACKING &&
	    (type == NFT_OBJECT_CT_HELPER || type == NFT_OBJECT_CONNLIMIT ||
	     type == NFT_OBJECT_CT_TIMEOUT || type == NFT_OBJECT_CT_EXPECT ||
	     type == NFT_OBJECT_SYNPROXY))
		refuse(w);
}

/* What is in an attribute; what matters by itself is looked at. */
static __always_inline enum kind see(struct walk *w, enum kind in, const struct head *h)
{
	struct name n;

	switch (in) {
	case RULE:
		return h->type == NFTA_RULE_EXPRESSIONS ? EXPR_LIST : SKIP;
	case CHAIN:
		if (h->type == NFTA_CHAIN_TYPE)
			look_at_name(w, h->len, &n);
		return SKIP;
	case SET:
		return h->type == NFTA_SET_EXPR		 ? EXPR
		       : h->type == NFTA_SET_EXPRESSIONS ? EXPR_LIST
							 : SKIP;
	case ELEMENTS:
		return h->type == NFTA_SET_ELEM_LIST_ELEMENTS ? ELEMENT_LIST : SKIP;
	case ELEMENT_LIST:
		return ELEMENT;
	case ELEMENT:
		return h->type == NFTA_SET_ELEM_EXPR	      ? EXPR
		       : h->type == NFTA_SET_ELEM_EXPRESSIONS ? EXPR_LIST
							      : SKIP;
	case OBJECT:
		if (h->type == NFTA_OBJ_TYPE)
			see_object(w);
		return SKIP;
	case EXPR_LIST:
		return EXPR;
	case EXPR:
		return see_expr(w, h);
	case COMPAT_DATA:
		if (h->type == NFTA_MATCH_NAME)
			look_at_name(w, h->len, &n);
		return SKIP;
	case DYNSET_DATA:
		return h->type == NFTA_DYNSET_EXPR	    ? EXPR
		       : h->type == NFTA_DYNSET_EXPRESSIONS ? EXPR_LIST
							    : SKIP;
	default:
		return SKIP;
	}
}

static __always_inline void leave(struct walk *w)
{
	w->pos = align(top(w)->end);
	w->depth--;
}

static __always_inline enum kind kind_of(struct walk *w, __u16 type)
{
	switch (type >> 8) {
	case NFNL_CTNETLINK:
	case NFNL_CTNETLINK_EXP:
	case NFNL_CTNETLINK_TIMEOUT:
	case NFNL_CTHELPER:
		if (w->refuse & VZ_NF_TRACKING)
			refuse(w);
		return SKIP;
	case NFNL_NFTABLES:
		break;
	default:
		return SKIP;
	}
	switch (type & 0xff) {
	case NFT_MSG_NEWRULE:
		return RULE;
	case NFT_MSG_NEWCHAIN:
		return CHAIN;
	case NFT_MSG_NEWSET:
		return SET;
	case NFT_MSG_NEWSETELEM:
		return ELEMENTS;
	case NFT_MSG_NEWOBJ:
		return OBJECT;
	}
	return SKIP;
}

/* 1: there are no more. */
static __always_inline long next_message(struct walk *w)
{
	struct nlmsghdr h = { 0 };
	__u32 end = w->at[0].end, left = end - w->pos;
	enum kind kind;

	if (w->pos >= end || left < sizeof(h))
		return 1;
	bpf_probe_read_kernel(&h, sizeof(h), w->skb + w->pos);
	if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > left)
		return 1;
	kind = kind_of(w, h.nlmsg_type);
	if (kind == SKIP || h.nlmsg_len < sizeof(h) + NFGENMSG_LEN)
		w->pos += align(h.nlmsg_len);
	else
		descend(w, w->pos + sizeof(h) + NFGENMSG_LEN, w->pos + h.nlmsg_len, kind);
	return w->verdict != 0;
}

static long step(__u32 i, void *data)
{
	struct walk *w = data;
	struct container *c = top(w);
	struct head h = { 0 };
	enum kind kind;
	__u32 at = w->pos;

	if (!w->depth)
		return next_message(w);
	if (at + sizeof(h) <= c->end)
		bpf_probe_read_kernel(&h, sizeof(h), w->skb + at);
	/* Also where the kernel parses no further. */
	if (h.len < sizeof(h) || h.len > c->end - at) {
		leave(w);
		return 0;
	}
	h.type &= TYPE_MASK;
	kind = see(w, c->kind, &h);
	if (kind == SKIP)
		w->pos = at + align(h.len);
	else
		descend(w, at + sizeof(h), at + h.len, kind);
	return w->verdict != 0;
}

static __always_inline __u32 refused_to_current(void)
{
	__u32 *refuse;
	__u64 group;

	/* A VE's group is above those that it makes itself. */
	for (int level = 1; level < LEVELS; level++) {
		group = bpf_get_current_ancestor_cgroup_id(level);
		if (!group)
			break;
		refuse = bpf_map_lookup_elem(&groups, &group);
		if (refuse)
			return *refuse;
	}
	return 0;
}

/*
 * 0, of which the verifier does not know that. Up to 6.6 it looks at one step only,
 * from the state before the first, and takes out what that one can't come to.
 */
volatile __u64 zero;

static __always_inline void begin(struct walk *w)
{
	w->pos = zero;
	w->depth = zero;
	w->verdict = zero;
	for (int i = 0; i < DEPTH; i++)
		*(volatile __u64 *)&w->at[i] = zero;
}
_Static_assert(sizeof(struct container) == sizeof(__u64), "begin() writes it at once");

static __always_inline int look_at_message(struct sock *sk, struct sk_buff *skb)
{
	struct walk w;

	if (sk->sk_protocol != NETLINK_NETFILTER)
		return 0;
	w.refuse = refused_to_current();
	if (!w.refuse)
		return 0;
	begin(&w);
	w.skb = skb->data;
	w.at[0].end = skb->len;
	/* Each step goes on by four bytes, or ends what an earlier one began. */
	return bpf_loop(skb->len, step, &w, 0) < 0 || w.verdict ? -EPERM : 0;
}

/* Where "bpf" is among the kernel's security modules. */
SEC("lsm/netlink_send")
int BPF_PROG(sent_lsm, struct sock *sk, struct sk_buff *skb, int ret)
{
	return ret ? ret : look_at_message(sk, skb);
}

/*
 * Where it is not. The kernel passes a program of this kind by that is called
 * while it runs on the same CPU: on one that is booted with preempt=full a VE's
 * threads may bring that about, on others they can't.
 */
SEC("fmod_ret/security_netlink_send")
int BPF_PROG(sent, struct sock *sk, struct sk_buff *skb, int ret)
{
	return ret ? ret : look_at_message(sk, skb);
}

/* --- the older tables --- */

#define SOL_IP 0
#define SOL_IPV6 41
#define SO_SET_REPLACE 64 /* IPT_… and IP6T_… */
#define PAGE 4096
#define MATCH_MIN 32 /* a match's or a target's header; they begin at fours */

struct search {
	const __u8 *rules;
	int refuse, found;
};

/* A size, and a name: what is no size is no match, but text of a comment, say. */
static long look_for_match(__u32 i, void *data)
{
	struct search *s = data;
	const __u8 *p = s->rules + 4 * i;
	struct name n = { 0 };
	__u16 size = 0;

	bpf_probe_read_kernel(&size, sizeof(size), p);
	if (size < MATCH_MIN || size > PAGE)
		return 0;
	bpf_probe_read_kernel(&n, sizeof(n), p + sizeof(size));
	cut(&n);
	s->found = needs(&n) & s->refuse;
	return s->found != 0;
}

/* The kernel has copied them, and takes them from there. */
static __always_inline int has_refused(struct bpf_sockopt *ctx, int refuse)
{
	struct search s = { .rules = ctx->optval, .refuse = refuse };
	__u32 len = ctx->optlen;
	struct name n = { 0 };

	/* Less is none, to the kernel as well. */
	if (len < sizeof(__u16) + NAME_LEN)
		return 0;
	bpf_probe_read_kernel(&n, sizeof(n), s.rules);
	cut(&n);
	if (IS(&n, "nat"))
		return 1;
	if (refuse & VZ_NF_TRACKING)
		bpf_loop((len - sizeof(__u16) - NAME_LEN) / 4 + 1, look_for_match, &s, 0);
	return s.found;
}

static __always_inline int look_at_option(struct bpf_sockopt *ctx, int refuse)
{
	int rules = ctx->optname == SO_SET_REPLACE &&
		    (ctx->level == SOL_IP || ctx->level == SOL_IPV6);
	int len = ctx->optlen;

	if (rules)
		/* More than a page can't be looked at, and the VE could change it after. */
		return len <= PAGE && !has_refused(ctx, refuse);
	/* The verifier wants the member's place in the instruction. */
	barrier_var(ctx);
	if (len > PAGE)
		ctx->optlen = 0; /* as it is */
	return 1;
}

SEC("cgroup/setsockopt")
int tables_stateless(struct bpf_sockopt *ctx)
{
	return look_at_option(ctx, VZ_NF_TRACKING | VZ_NF_NAT);
}

SEC("cgroup/setsockopt")
int tables_stateful(struct bpf_sockopt *ctx)
{
	return look_at_option(ctx, VZ_NF_NAT);
}

char LICENSE[] SEC("license") = "GPL";
