/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_CHARGE_H
#define VZ_BPF_ACCT_CHARGE_H

#include "bpf/acct_rows.h"

/*
 * The rows of VEs and what is charged to them. Who allocates an object owns
 * it until it is freed, whoever has it by then and wherever the owner has
 * gone: so an object's address leads to the row that it was charged to.
 */

/* Until the loader has said how many there can be on this host. */
#define OBJECTS_MAX 65536

struct owner {
	__u64 group;
	__u32 id; /* enum vz_ubc_id */
	__u32 pad;
	__s64 n;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OBJECTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct owner);
} owners SEC(".maps");

/* An object that could not be noted: from now on the counter is not known. */
static __always_inline void lost(struct vz_acct_row *row, __u32 id)
{
	/* Should two meet here, the next one that is lost says it again. */
	row->cgroup1 |= VZ_ACCT_LOST(id);
}

static __always_inline void raise_max(struct vz_acct_count *c, __s64 n)
{
	__s64 max = c->maxheld;

	for (int i = 0; i < 8 && n > max; i++) {
		__s64 was = __sync_val_compare_and_swap(&c->maxheld, max, n);

		if (was == max)
			break;
		max = was;
	}
}

static __always_inline void refused(struct vz_acct_count *c)
{
	__sync_fetch_and_add(&c->failcnt, 1);
	c->last_fail = bpf_ktime_get_boot_ns();
}

/* 0, or -1: over the bound, refused and not charged. */
static __always_inline int charge(struct vz_acct_count *c, __s64 n, __s64 bound)
{
	__s64 held = __sync_fetch_and_add(&c->held, n) + n;

	if (held > bound) {
		__sync_fetch_and_add(&c->held, -n);
		refused(c);
		return -1;
	}
	raise_max(c, held);
	return 0;
}

static __always_inline void uncharge(const struct owner *o)
{
	struct vz_acct_row *row = bpf_map_lookup_elem(&rows, &o->group);

	if (row && o->id < VZ_UBC__COUNT)
		__sync_fetch_and_add(&row->c[o->id].held, -o->n);
}

/*
 * An object that nobody owns, or that is freed twice, is none of ours: freeing
 * is done by two programs each, since the kernel passes over one that an
 * interrupt finds at work.
 */
static __always_inline void disown(const void *object)
{
	__u64 key = (__u64)object;
	struct owner *o = bpf_map_lookup_elem(&owners, &key), was;

	if (!o)
		return;
	was = *o;
	if (!bpf_map_delete_elem(&owners, &key))
		uncharge(&was);
}

#define PTMX ((5u << 20) | 2) /* the device of terminals' masters, in the kernel */
#define NO_BOUND 0x7fffffffffffffffLL

/* 0, or -1: refused. */
static __always_inline int own(const void *object, struct vz_acct_row *row, __u64 group,
			       __u32 id, __s64 bound)
{
	struct owner o = { .group = group, .id = id, .n = 1 };
	__u64 key = (__u64)object;

	if (id >= VZ_UBC__COUNT || charge(&row->c[id], 1, bound))
		return -1;
	if (!bpf_map_update_elem(&owners, &key, &o, BPF_NOEXIST))
		return 0;
	/* The end of what was at this address before has been missed. */
	disown(object);
	if (bpf_map_update_elem(&owners, &key, &o, BPF_NOEXIST)) {
		__sync_fetch_and_add(&row->c[id].held, -1);
		lost(row, id);
	}
	return 0;
}

/* The row that owns an object, and what it counts as there. */
static __always_inline struct vz_acct_row *row_of(const void *object, struct owner *ret)
{
	__u64 key = (__u64)object;
	struct owner *o = bpf_map_lookup_elem(&owners, &key);

	if (!o || o->id >= VZ_UBC__COUNT)
		return NULL;
	*ret = *o;
	return bpf_map_lookup_elem(&rows, &ret->group);
}

/* By all of the VE: what its namespace's owner has queued; 0 when not known. */
static __always_inline __s64 queued_signals(const struct vz_acct_row *row)
{
	struct ucounts *counts = (void *)row->from.signals;
	__s64 n = 0;

	if (!counts || BPF_CORE_READ(counts, uid.val) != row->from.signals_id)
		return 0;
	bpf_probe_read_kernel(
		&n, sizeof(n),
		(void *)counts + bpf_core_field_offset(counts->rlimit) +
			sizeof(long) * bpf_core_enum_value(enum rlimit_type,
							   UCOUNT_RLIMIT_SIGPENDING));
	return n;
}

static __always_inline __u32 socket_counter(int family, int type)
{
	return (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM
		       ? VZ_UBC_NUMTCPSOCK
		       : VZ_UBC_NUMOTHERSOCK;
}

#endif
