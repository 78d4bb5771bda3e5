/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_NF_NAMES_H
#define VZ_BPF_NF_NAMES_H

/*
 * What netfilter calls that which tracks connections or translates addresses:
 * expressions of nftables, and matches and targets of the older tables, which
 * nftables takes, too.
 */
#define NAME_LEN 16 /* two words, padded with zeros; none of ours is longer */

struct name {
	__u64 w[2];
};

/* "text", as the words of a string that is padded with zeros. */
#define BYTE(s, i) ((__u64)((i) < sizeof(s) - 1 ? (__u8)(s)[(i) % sizeof(s)] : 0))
#define WORD(s, at)                                                                      \
	(BYTE(s, at) | BYTE(s, (at) + 1) << 8 | BYTE(s, (at) + 2) << 16 |                \
	 BYTE(s, (at) + 3) << 24 | BYTE(s, (at) + 4) << 32 | BYTE(s, (at) + 5) << 40 |   \
	 BYTE(s, (at) + 6) << 48 | BYTE(s, (at) + 7) << 56)
#define IS(n, s) ((n)->w[0] == WORD(s, 0) && (n)->w[1] == WORD(s, 8))

/* Which of VZ_NF_… it takes. */
static __always_inline int needs(const struct name *n)
{
	if (IS(n, "nat") || IS(n, "masq") || IS(n, "redir") || IS(n, "SNAT") ||
	    IS(n, "DNAT") || IS(n, "MASQUERADE") || IS(n, "REDIRECT") || IS(n, "NETMAP"))
		return VZ_NF_TRACKING | VZ_NF_NAT;
	if (IS(n, "ct") || IS(n, "notrack") || IS(n, "connlimit") || IS(n, "synproxy") ||
	    IS(n, "flow_offload") || IS(n, "conntrack") || IS(n, "state") ||
	    IS(n, "helper") || IS(n, "connmark") || IS(n, "connbytes") ||
	    IS(n, "connlabel") || IS(n, "cluster") || IS(n, "ipvs") || IS(n, "CT") ||
	    IS(n, "NOTRACK") || IS(n, "CONNMARK") || IS(n, "CONNSECMARK") ||
	    IS(n, "SYNPROXY") || IS(n, "CLUSTERIP"))
		return VZ_NF_TRACKING;
	return 0;
}

#define LOWS 0x0101010101010101ull

/* The bytes of a word before its first zero. */
static __always_inline __u64 before_zero(__u64 w)
{
	__u64 zeros = (w - LOWS) & ~w & LOWS << 7;

	return zeros ? ((zeros & -zeros) >> 7) - 1 : ~0ull;
}

/* What is behind its end is nobody's. */
static __always_inline void cut(struct name *n)
{
	__u64 mask = before_zero(n->w[0]);

	n->w[0] &= mask;
	n->w[1] = ~mask ? 0 : n->w[1] & before_zero(n->w[1]);
}

#endif
