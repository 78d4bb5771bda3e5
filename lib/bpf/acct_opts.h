/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_OPTS_H
#define VZ_BPF_ACCT_OPTS_H

#include "bpf/acct_group.h"

/*
 * What a VE asks of the kernel by options of its sockets and by its sysctls:
 * buffers' sizes, tables of iptables. Programs of its own group, on every kernel.
 */

#define SOL_IP 0
#define SOL_SOCKET 1
#define SOL_IPV6 41
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_SNDBUFFORCE 32
#define SO_RCVBUFFORCE 33
#define IPT_SO_SET_REPLACE 64 /* IPv6's is the same */
#define ARPT_SO_SET_REPLACE 96

static __always_inline void bound_buffer(struct bpf_sockopt *ctx, struct vz_acct_row *row,
					 int sends)
{
	struct bpf_sock *sk = ctx->sk;
	int *value = ctx->optval;
	__s64 limit;

	if ((void *)(value + 1) > ctx->optval_end || !sk)
		return;
	if (is_tcp(sk->family, sk->type))
		limit = sends ? row->c[VZ_UBC_TCPSNDBUF].limit
			      : row->c[VZ_UBC_TCPRCVBUF].limit;
	else if (!sends && sk->type == SOCK_DGRAM)
		limit = row->c[VZ_UBC_DGRAMRCVBUF].limit;
	else
		limit = row->c[VZ_UBC_OTHERSOCKBUF].limit;
	/* The kernel doubles what it is told, and has a least size of its own. */
	if ((__u32)*value > (__u64)limit / 2)
		*value = (__u64)limit / 2;
}

/* The start of struct ipt_replace, of IPv6's and of ARP's. */
struct table {
	char name[32];
	__u32 hooks;
	__u32 entries;
};

/* How many rules each of a VE's tables was last given. */
struct table_key {
	__u64 group, netns;
	__u32 level, what;
	char name[32];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct table_key);
	__type(value, __u32);
} tables SEC(".maps");

/* All of a VE's tables together. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VES_MAX);
	__type(key, __u64);
	__type(value, __s64);
} table_sums SEC(".maps");

/* 0, or -1: the VE would have more rules than it may. */
static __always_inline int replace_table(struct bpf_sockopt *ctx, __u64 group,
					 struct vz_acct_row *row)
{
	struct table_key key = { .group = group,
				 .level = ctx->level,
				 .what = ctx->optname };
	struct vz_acct_count *c = &row->c[VZ_UBC_NUMIPTENT];
	struct table *t = ctx->optval;
	__s64 none = 0, *sum, more;
	__u32 entries, *was;

	if ((void *)(t + 1) > ctx->optval_end)
		return 0;
	entries = t->entries;
	key.netns = bpf_get_netns_cookie(ctx);
	__builtin_memcpy(key.name, t->name, sizeof(key.name));
	was = bpf_map_lookup_elem(&tables, &key);
	more = (__s64)entries - (was ? *was : 0);
	sum = bpf_map_lookup_elem(&table_sums, &group);
	if (!sum) {
		bpf_map_update_elem(&table_sums, &group, &none, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&table_sums, &group);
	}
	if (more > 0 && (sum ? *sum : 0) + more > c->limit) {
		refused(c);
		return -1;
	}
	bpf_map_update_elem(&tables, &key, &entries, BPF_ANY);
	if (sum)
		__sync_fetch_and_add(sum, more);
	return 0;
}

SEC("cgroup/setsockopt")
int group_option_set(struct bpf_sockopt *ctx)
{
	int replaces = (ctx->level == SOL_IP && (ctx->optname == IPT_SO_SET_REPLACE ||
						 ctx->optname == ARPT_SO_SET_REPLACE)) ||
		       (ctx->level == SOL_IPV6 && ctx->optname == IPT_SO_SET_REPLACE);
	__u64 *group = bpf_get_local_storage(&own_group, 0);
	struct vz_acct_row *row = bpf_map_lookup_elem(&rows, group);

	if (row && replaces && replace_table(ctx, *group, row)) {
		bpf_set_retval(-ENOMEM);
		return 0;
	}
	if (row && ctx->level == SOL_SOCKET) {
		if (ctx->optname == SO_SNDBUF || ctx->optname == SO_SNDBUFFORCE)
			bound_buffer(ctx, row, 1);
		else if (ctx->optname == SO_RCVBUF || ctx->optname == SO_RCVBUFFORCE)
			bound_buffer(ctx, row, 0);
	}
	/* Of a long one only the start is seen here: the kernel takes what it was given. */
	if (ctx->optlen > 4096)
		ctx->optlen = 0;
	return 1;
}

#define SYSCTL_NAME 24
#define WINDOW 24 /* in which a number is looked for; none has so many digits */

/* The compiler knows the text, so that nothing is left of it but its letters. */
#define IS_NAME(name, text)                                                              \
	({                                                                               \
		int _same = 1;                                                           \
		_Pragma("unroll") for (unsigned int _i = 0; _i < sizeof(text); _i++)     \
			_same &= (name)[_i] == (text)[_i];                               \
		_same;                                                                   \
	})

static __always_inline __s64 limit_of_sysctl(const char *name, struct vz_acct_row *row)
{
	if (IS_NAME(name, "net/ipv4/tcp_wmem"))
		return row->c[VZ_UBC_TCPSNDBUF].limit;
	if (IS_NAME(name, "net/ipv4/tcp_rmem"))
		return row->c[VZ_UBC_TCPRCVBUF].limit;
	if (IS_NAME(name, "kernel/shmall"))
		return row->c[VZ_UBC_SHMPAGES].limit;
	return NO_BOUND;
}

/* Of the limits that are in the VE's own sysctls it may have less, and no more. */
SEC("cgroup/sysctl")
int group_sysctl_set(struct bpf_sysctl *ctx)
{
	char name[SYSCTL_NAME] = "", text[64] = "";
	struct vz_acct_row *row;
	unsigned long value;
	__s64 limit;
	int at = 0, len;

	if (!ctx->write)
		return 1;
	row = row_of_group();
	if (!row || bpf_sysctl_get_name(ctx, name, sizeof(name), 0) <= 0)
		return 1;
	limit = limit_of_sysctl(name, row);
	if (limit == NO_BOUND)
		return 1;
	/* What is too long to be read here is refused: there may be anything in it. */
	len = bpf_sysctl_get_new_value(ctx, text, sizeof(text));
	if (len < 0 || len > (int)sizeof(text) - WINDOW)
		return 0;
	for (int i = 0; i < 3; i++) {
		int n;

		if (at < 0 || at >= (int)sizeof(text) - WINDOW)
			break;
		n = bpf_strtoul(text + at, WINDOW, 0, &value);
		/* No number there: nor behind it, where the kernel goes on over blanks. */
		if (n <= 0)
			return n == -EINVAL && at + WINDOW >= len;
		/* It may go on. */
		if (n >= WINDOW)
			return 0;
		if ((__s64)value < 0 || (__s64)value > limit)
			return 0;
		at += n;
	}
	return 1;
}

#endif
