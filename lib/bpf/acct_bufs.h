/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_BUFS_H
#define VZ_BPF_ACCT_BUFS_H

#include "bpf/acct_charge.h"

/*
 * What sockets have in flight. A limit is kept in two ways: no socket is given
 * a larger buffer than the VE's limit (programs of its group, on every kernel),
 * and what all of its datagram and local sockets hold together is kept within
 * it, where the kernel asks before it takes more. TCP is not refused anything:
 * its windows follow its buffers.
 *
 * The kernel keeps a sum for each socket, none for a VE. So each socket's is
 * remembered as it was last seen, and the VE's sum follows the differences: when
 * something is taken, and when it is freed, where that can be seen. Two at once may
 * make a sum differ a little, and where no freeing is seen it only grows: so before
 * anything is refused all that is remembered of the VE is looked at again, for no more
 * than a tenth of the time.
 *
 * All VEs' sockets are remembered in one map. None has more than its share of it, so
 * that who floods it refuses himself only; a socket of another one for which there is
 * no room has the limit by itself.
 */
enum { SENT, RECEIVED, DIRECTIONS };

struct flight {
	__u64 group;
	__s64 n[DIRECTIONS];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OBJECTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64); /* struct sock's address */
	__type(value, struct flight);
} flights SEC(".maps");

/* Of all that can be remembered, what one VE may take. Set by the loader. */
const volatile __u32 flights_share = OBJECTS_MAX / 16;
/* Whether it is seen when what was sent is freed. */
const volatile __u32 frees_are_seen = 0;

struct in_flight {
	__s64 n[DIRECTIONS];
	__s64 sockets;
	__u64 looked; /* CLOCK_BOOTTIME ns, later the longer it took */
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct in_flight);
} in_flight SEC(".maps");

/* Some VE has or had a limit on these: until then all programs here are idle. */
__u32 bufs_limited;

/*
 * What the kernel takes for a message, where it does not say: its text with
 * headers and what it shares with copies, in a piece of a power of two, and
 * struct sk_buff. A long one takes less, which is seen with the next.
 */
static __always_inline __s64 true_size(__u32 len)
{
	__u32 n = len + 448 - 1;

	if (len > 65536)
		return (__s64)len + 1024;
	n |= n >> 1;
	n |= n >> 2;
	n |= n >> 4;
	n |= n >> 8;
	n |= n >> 16;
	return (__s64)n + 1 + 256;
}

/* How long what is received is not looked at again: packets come by themselves. */
#define LOOK_NS 1000000

static __always_inline __s64 in_buffer(struct sock *sk, int direction)
{
	int n = 0;

	if (direction == RECEIVED)
		return BPF_CORE_READ(sk, sk_backlog.rmem_alloc.counter);
	/* One is the socket's own, as long as it is open. */
	bpf_core_read(&n, sizeof(n), &sk->sk_wmem_alloc);
	return n > 0 ? n - 1 : 0;
}

static __always_inline void note(struct in_flight *all, struct flight *f, int direction,
				 __s64 n)
{
	__s64 was = __sync_lock_test_and_set(&f->n[direction], n);

	__sync_fetch_and_add(&all->n[direction], n - was);
}

struct look {
	struct in_flight *all;
	__u64 group;
	int direction;
};

static long look_again(struct bpf_map *map, __u64 *key, struct flight *f, struct look *l)
{
	int direction = l->direction;

	if (f->group != l->group)
		return 0;
	if (direction == SENT)
		note(l->all, f, SENT, in_buffer((void *)*key, SENT));
	else
		note(l->all, f, RECEIVED, in_buffer((void *)*key, RECEIVED));
	return 0;
}

static __always_inline struct in_flight *in_flight_of(__u64 group)
{
	struct in_flight none = { 0 }, *all = bpf_map_lookup_elem(&in_flight, &group);

	if (all)
		return all;
	bpf_map_update_elem(&in_flight, &group, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&in_flight, &group);
}

/* The socket ends, and what it had in flight is no longer the VE's. */
static __always_inline void forget_flight(const void *sk)
{
	__u64 key = (__u64)sk;
	struct in_flight *all;
	struct flight *f, was;

	if (!bufs_limited)
		return;
	f = bpf_map_lookup_elem(&flights, &key);
	if (!f)
		return;
	was = *f;
	if (bpf_map_delete_elem(&flights, &key))
		return;
	all = bpf_map_lookup_elem(&in_flight, &was.group);
	if (!all)
		return;
	__sync_fetch_and_add(&all->sockets, -1);
	__sync_fetch_and_add(&all->n[SENT], -was.n[SENT]);
	__sync_fetch_and_add(&all->n[RECEIVED], -was.n[RECEIVED]);
}

static __always_inline struct flight *flight_of(struct sock *sk, __u64 group,
						struct in_flight *all)
{
	struct flight new = { .group = group }, *f;
	__u64 key = (__u64)sk;

	f = bpf_map_lookup_elem(&flights, &key);
	if (f && f->group == group)
		return f;
	/* Another VE's, whose end was missed. */
	if (f)
		forget_flight(sk);
	if (all->sockets >= flights_share ||
	    bpf_map_update_elem(&flights, &key, &new, BPF_NOEXIST))
		return NULL;
	__sync_fetch_and_add(&all->sockets, 1);
	return bpf_map_lookup_elem(&flights, &key);
}

/*
 * Is it time to look again? Where frees are seen, and where packets come by
 * themselves, a refusal in vain is none that anybody waits for.
 */
static __always_inline int may_look(const struct in_flight *all, int direction, __u64 now)
{
	__s64 since = now - all->looked;

	if (direction == RECEIVED)
		return since >= LOOK_NS;
	return !frees_are_seen || since >= 0;
}

/* No room to note it: it is bound as if it were the VE's only one, or not at all. */
static __always_inline int takes_unnoted(const struct vz_acct_count *c,
					 const struct in_flight *all, __s64 n)
{
	return all && all->sockets < flights_share && n <= c->limit;
}

/*
 * 0: `more` may come to what a socket of the VE's has in flight; -1: refused.
 * `direction` is a constant where it is called.
 */
static __always_inline int may_take(struct vz_acct_count *c, __u64 group, struct sock *sk,
				    int direction, __s64 more)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct in_flight *all = in_flight_of(group);
	struct flight *f = all ? flight_of(sk, group, all) : NULL;
	struct look l = { all, group, direction };
	__s64 n = in_buffer(sk, direction);

	if (!all || !f) {
		if (takes_unnoted(c, all, n + more))
			return 0;
		refused(c);
		return -1;
	}
	note(all, f, direction, n);
	if (all->n[direction] + more > c->limit && may_look(all, direction, now)) {
		all->looked = now;
		bpf_for_each_map_elem(&flights, look_again, &l, 0);
		/* Who floods a VE has no more than a tenth of a CPU look. */
		all->looked = now + 9 * (bpf_ktime_get_boot_ns() - now);
	}
	if (all->n[direction] + more > c->limit) {
		refused(c);
		return -1;
	}
	note(all, f, direction, n + more);
	raise_max(c, all->n[direction]);
	return 0;
}

/* -- where the kernel takes programs on its functions -- */

SEC("fmod_ret/security_socket_sendmsg")
int BPF_PROG(message_sent, struct socket *sock, struct msghdr *msg, int size)
{
	struct vz_acct_count *c;
	struct vz_acct_row *row;
	struct owner o;
	struct sock *sk;
	__s64 more;

	if (!bufs_limited)
		return 0;
	sk = BPF_CORE_READ(sock, sk);
	row = sk ? row_of(sk, &o) : NULL;
	if (!row || o.id != VZ_UBC_NUMOTHERSOCK)
		return 0;
	c = &row->c[VZ_UBC_OTHERSOCKBUF];
	if (c->limit == NO_BOUND)
		return 0;
	/* A stream takes as much of it as there is room for: at the limit none. */
	more = BPF_CORE_READ(sk, sk_type) == SOCK_STREAM ? 1 : true_size(size);
	return may_take(c, o.group, sk, SENT, more) ? -ENOBUFS : 0;
}

/* A message has been read, or thrown away. */
SEC("fentry/sock_wfree")
int BPF_PROG(message_freed, struct sk_buff *skb)
{
	struct in_flight *all;
	struct flight *f;
	struct sock *sk;
	__s64 n;
	__u64 key;

	if (!bufs_limited)
		return 0;
	sk = skb->sk;
	key = (__u64)sk;
	f = bpf_map_lookup_elem(&flights, &key);
	all = f ? bpf_map_lookup_elem(&in_flight, &f->group) : NULL;
	if (!f || !all)
		return 0;
	n = in_buffer(sk, SENT) - skb->truesize;
	note(all, f, SENT, n > 0 ? n : 0);
	return 0;
}

/* What is dropped here is lost as on any full queue. */
SEC("fmod_ret/security_sock_rcv_skb")
int BPF_PROG(datagram_came, struct sock *sk, struct sk_buff *skb)
{
	struct vz_acct_count *c;
	struct vz_acct_row *row;
	struct owner o;
	int family;

	if (!bufs_limited)
		return 0;
	row = row_of(sk, &o);
	if (!row || o.id != VZ_UBC_NUMOTHERSOCK)
		return 0;
	c = &row->c[VZ_UBC_DGRAMRCVBUF];
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (c->limit == NO_BOUND || (family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_type) != SOCK_DGRAM)
		return 0;
	return may_take(c, o.group, sk, RECEIVED, BPF_CORE_READ(skb, truesize)) ? -ENOBUFS
										: 0;
}

/* A datagram has been read. */
SEC("fexit/skb_consume_udp")
int BPF_PROG(datagram_read, struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct in_flight *all;
	struct flight *f;

	f = bufs_limited ? bpf_map_lookup_elem(&flights, &key) : NULL;
	all = f ? bpf_map_lookup_elem(&in_flight, &f->group) : NULL;
	if (f && all)
		note(all, f, RECEIVED, in_buffer(sk, RECEIVED));
	return 0;
}

#endif
