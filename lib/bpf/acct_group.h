/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_GROUP_H
#define VZ_BPF_ACCT_GROUP_H

#include "bpf/acct_bufs.h"

/*
 * For kernels that take no programs on their functions: what programs of a
 * VE's own group in cgroup2 can count: TCP sockets, and what other sockets of the
 * Internet's families there are. They go when the group does.
 */

/* On whose group a program is put: the number of that group. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, __u64);
} own_group SEC(".maps");

/*
 * Of sockets that were accepted: whether they are charged. They may end in two
 * ways, one after the other; one that was made by its owner is released, once.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} accepted SEC(".maps");

static __always_inline struct vz_acct_row *row_of_group(void)
{
	__u64 *group = bpf_get_local_storage(&own_group, 0);

	return bpf_map_lookup_elem(&rows, group);
}

/*
 * How many sockets of UDP and the like a VE has. Local ones are not seen, so that
 * these are not all that numothersock is about; but when they alone are as many as
 * may be, the next one is too many.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __s64);
} inet_others SEC(".maps");

static __always_inline int other_made(void)
{
	__u64 *group = bpf_get_local_storage(&own_group, 0);
	struct vz_acct_row *row = bpf_map_lookup_elem(&rows, group);
	__s64 none = 0, *n;

	if (!row)
		return 1;
	n = bpf_map_lookup_elem(&inet_others, group);
	if (!n) {
		bpf_map_update_elem(&inet_others, group, &none, BPF_NOEXIST);
		n = bpf_map_lookup_elem(&inet_others, group);
	}
	if (!n)
		return 1;
	if (__sync_fetch_and_add(n, 1) < row->c[VZ_UBC_NUMOTHERSOCK].limit)
		return 1;
	__sync_fetch_and_add(n, -1);
	refused(&row->c[VZ_UBC_NUMOTHERSOCK]);
	bpf_set_retval(-ENOBUFS);
	return 0;
}

static __always_inline void other_freed(void)
{
	__u64 *group = bpf_get_local_storage(&own_group, 0);
	__s64 *n = bpf_map_lookup_elem(&inet_others, group);

	if (n)
		__sync_fetch_and_add(n, -1);
}

static __always_inline int is_tcp(__u32 family, __u32 type)
{
	return (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM;
}

SEC("cgroup/sock_create")
int group_socket_made(struct bpf_sock *sk)
{
	struct vz_acct_row *row;
	struct vz_acct_count *c;

	if (!is_tcp(sk->family, sk->type))
		return other_made();
	row = row_of_group();
	if (!row)
		return 1;
	c = &row->c[VZ_UBC_NUMTCPSOCK];
	if (!charge(c, 1, c->limit))
		return 1;
	bpf_set_retval(-ENOBUFS);
	return 0;
}

static __always_inline void let_go(void)
{
	struct vz_acct_row *row = row_of_group();

	if (row)
		__sync_fetch_and_add(&row->c[VZ_UBC_NUMTCPSOCK].held, -1);
}

SEC("cgroup/sock_release")
int group_socket_freed(struct bpf_sock *sk)
{
	__u64 *charged;

	if (!is_tcp(sk->family, sk->type)) {
		other_freed();
		forget_flight(sk);
		return 1;
	}
	charged = bpf_sk_storage_get(&accepted, sk, NULL, 0);
	if (!charged || __sync_lock_test_and_set(charged, 0))
		let_go();
	return 1;
}

SEC("sockops")
int group_socket_state(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct vz_acct_count *c;
	struct vz_acct_row *row;
	__u64 *charged;

	if (!sk)
		return 1;
	if (ops->op == BPF_SOCK_OPS_STATE_CB && ops->args[1] == BPF_TCP_CLOSE) {
		charged = bpf_sk_storage_get(&accepted, sk, NULL, 0);
		if (charged && __sync_lock_test_and_set(charged, 0))
			let_go();
		return 1;
	}
	if (ops->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	row = row_of_group();
	charged =
		row ? bpf_sk_storage_get(&accepted, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE)
		    : NULL;
	if (!charged || !row) {
		if (row)
			lost(row, VZ_UBC_NUMTCPSOCK);
		return 1;
	}
	*charged = 1;
	c = &row->c[VZ_UBC_NUMTCPSOCK];
	raise_max(c, __sync_fetch_and_add(&c->held, 1) + 1);
	bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags |
					       BPF_SOCK_OPS_STATE_CB_FLAG);
	return 1;
}

/* Who asks for a connection once more counts once. */
struct asker {
	__u32 veid;
	__u32 ports;
	__u32 from[4];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct asker);
	__type(value, __u64);
} askers SEC(".maps");
#define ASKER_LIFE_NS (130ull * 1000000000)

static __always_inline int has_asked(struct __sk_buff *skb, __u32 veid)
{
	struct asker key = { .veid = veid };
	__u64 now = bpf_ktime_get_boot_ns(), *was;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		__u8 first = 0;

		bpf_skb_load_bytes(skb, 12, key.from, 4);
		bpf_skb_load_bytes(skb, 0, &first, 1);
		bpf_skb_load_bytes(skb, (first & 15) * 4, &key.ports, 4);
	} else {
		bpf_skb_load_bytes(skb, 8, key.from, 16);
		bpf_skb_load_bytes(skb, 40, &key.ports, 4);
	}
	was = bpf_map_lookup_elem(&askers, &key);
	if (was && now - *was < ASKER_LIFE_NS)
		return 1;
	bpf_map_update_elem(&askers, &key, &now, BPF_ANY);
	return 0;
}

/* A datagram has its text, and what the kernel needs to keep it. */
static __always_inline int datagram_fits(struct __sk_buff *skb, struct bpf_sock *sk)
{
	__u64 *group = bpf_get_local_storage(&own_group, 0);
	struct vz_acct_row *row = bpf_map_lookup_elem(&rows, group);
	struct vz_acct_count *c;
	struct sock *at = NULL;

	if (!row)
		return 1;
	c = &row->c[VZ_UBC_DGRAMRCVBUF];
	/* Read, since the verifier lets nobody look behind what it knows of a socket. */
	bpf_probe_read_kernel(&at, sizeof(at), &sk);
	return c->limit == NO_BOUND ||
	       !may_take(c, *group, at, RECEIVED, true_size(skb->len));
}

/*
 * What comes for a listener of a VE that has all its sockets is dropped, and so
 * is a datagram for which the VE has no room.
 */
SEC("cgroup_skb/ingress")
int group_connection_asked(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;
	struct vz_acct_count *c;
	struct vz_acct_row *row;

	if (!sk)
		return 1;
	if (bufs_limited && sk->protocol == IPPROTO_UDP)
		return datagram_fits(skb, sk);
	if (sk->state != BPF_TCP_LISTEN)
		return 1;
	row = row_of_group();
	if (!row)
		return 1;
	c = &row->c[VZ_UBC_NUMTCPSOCK];
	if (c->held < c->limit)
		return 1;
	if (!has_asked(skb, row->veid))
		refused(c);
	return 0;
}

#endif
