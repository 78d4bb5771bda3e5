/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_SAMPLE_H
#define VZ_BPF_ACCT_SAMPLE_H

/*
 * Sampling: a walk over all tasks and their files adds up, for each VE, what
 * nothing counts while it happens. `begin` starts a turn, reading the pinned
 * walks adds up, `end` puts the sums into the rows. What tasks share counts
 * once, with whom the walk meets first. Sockets that no task has open (not yet
 * accepted, in flight in a message) are not seen.
 */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct vz_acct_sums);
} sums SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OBJECTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} seen SEC(".maps");

__u32 turn;
/* There was more than can be told apart: this turn says nothing. */
__u32 too_many;

/* Counters that are sampled here: those that no program counts exactly. */
const volatile __u32 sampled_mask = 0;

static __always_inline int first_seen(const void *object)
{
	__u64 key = (__u64)object;
	__u32 now = turn, *was = bpf_map_lookup_elem(&seen, &key);

	if (was && *was == now)
		return 0;
	if (!bpf_map_update_elem(&seen, &key, &now, BPF_ANY))
		return 1;
	too_many = 1;
	return 0;
}

static __always_inline struct vz_acct_sums *sums_of_task(struct task_struct *task)
{
	struct vz_acct_sums new = { .turn = turn }, *s;
	__u64 group;

	if (!row_of_task(task, &group))
		return NULL;
	s = bpf_map_lookup_elem(&sums, &group);
	if (s && s->turn == new.turn)
		return s;
	bpf_map_update_elem(&sums, &group, &new, BPF_ANY);
	s = bpf_map_lookup_elem(&sums, &group);
	if (!s)
		too_many = 1;
	return s;
}

/* -- lists of the kernel -- */

#define LIST_MAX 65536

struct list_walk {
	struct list_head *head, *at;
	__u64 file_offset; /* of an entry's file behind its node; 0: count all */
	__u64 file;
	__s64 n;
};

static long list_step(__u32 i, struct list_walk *w)
{
	struct list_head *at = w->at;
	__u64 file = 0;

	if (!at || at == w->head)
		return 1;
	if (w->file_offset)
		bpf_probe_read_kernel(&file, sizeof(file), (void *)at + w->file_offset);
	w->n += file == w->file;
	w->at = BPF_CORE_READ(at, next);
	return 0;
}

static __always_inline __s64 list_count(struct list_head *head, __u64 offset, __u64 file)
{
	struct list_walk w = { head, BPF_CORE_READ(head, next), offset, file, 0 };

	bpf_loop(LIST_MAX, list_step, &w, 0);
	return w.n;
}

/* -- tasks -- */

static __always_inline void add_memory(struct vz_acct_sums *s, struct mm_struct *mm)
{
	if (!first_seen(mm))
		return;
	s->v[VZ_UBC_PRIVVMPAGES] +=
		BPF_CORE_READ(mm, data_vm) + BPF_CORE_READ(mm, stack_vm);
	s->v[VZ_UBC_LOCKEDPAGES] += BPF_CORE_READ(mm, locked_vm);
}

static __always_inline void add_signals(struct vz_acct_sums *s, struct task_struct *task)
{
	struct signal_struct *shared = BPF_CORE_READ(task, signal);

	s->v[VZ_UBC_NUMSIGINFO] += list_count(&task->pending.list, 0, 0);
	if (shared && first_seen(shared))
		s->v[VZ_UBC_NUMSIGINFO] += list_count(&shared->shared_pending.list, 0, 0);
}

SEC("iter/task")
int walk_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct vz_acct_sums *s = task ? sums_of_task(task) : NULL;
	struct mm_struct *mm;

	if (!s)
		return 0;
	mm = BPF_CORE_READ(task, mm);
	if (mm)
		add_memory(s, mm);
	if (sampled_mask & VZ_UBC_BIT(VZ_UBC_NUMSIGINFO))
		add_signals(s, task);
	return 0;
}

/* -- files -- */

static __always_inline void add_locks(struct vz_acct_sums *s, struct file *file)
{
	struct file_lock_context *locks = BPF_CORE_READ(file, f_inode, i_flctx);
	__u64 offset;

	if (!locks)
		return;
	if (bpf_core_type_exists(struct file_lock_core))
		offset = bpf_core_field_offset(struct file_lock_core, flc_file) -
			 bpf_core_field_offset(struct file_lock_core, flc_list);
	else
		offset = bpf_core_field_offset(struct file_lock, fl_file) -
			 bpf_core_field_offset(struct file_lock, fl_list);
	s->v[VZ_UBC_NUMFLOCK] += list_count(&locks->flc_flock, offset, (__u64)file) +
				 list_count(&locks->flc_posix, offset, (__u64)file);
}

static __always_inline void add_socket(struct vz_acct_sums *s, struct socket *sock)
{
	struct sock *sk = BPF_CORE_READ(sock, sk);
	int family, type, received, sent = 0;

	if (!sk)
		return;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	type = BPF_CORE_READ(sk, sk_type);
	received = BPF_CORE_READ(sk, sk_backlog.rmem_alloc.counter);
	if (socket_counter(family, type) == VZ_UBC_NUMTCPSOCK) {
		s->v[VZ_UBC_NUMTCPSOCK]++;
		s->v[VZ_UBC_TCPSNDBUF] += BPF_CORE_READ(sk, sk_wmem_queued);
		s->v[VZ_UBC_TCPRCVBUF] += received;
		return;
	}
	s->v[VZ_UBC_NUMOTHERSOCK]++;
	/* One is the socket's own, as long as it is open. */
	bpf_core_read(&sent, sizeof(sent), &sk->sk_wmem_alloc);
	s->v[VZ_UBC_OTHERSOCKBUF] += sent > 0 ? sent - 1 : 0;
	if (type == SOCK_DGRAM)
		s->v[VZ_UBC_DGRAMRCVBUF] += received;
	else
		s->v[VZ_UBC_OTHERSOCKBUF] += received;
}

SEC("iter/task_file")
int walk_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct vz_acct_sums *s;
	struct socket *sock;

	if (!task || !file)
		return 0;
	s = sums_of_task(task);
	if (!s || !first_seen(file))
		return 0;
	s->v[VZ_UBC_NUMFILE]++;
	if (sampled_mask & VZ_UBC_BIT(VZ_UBC_NUMFLOCK))
		add_locks(s, file);
	/* A terminal lives as long as its master is open. */
	if (BPF_CORE_READ(file, f_inode, i_rdev) == PTMX)
		s->v[VZ_UBC_NUMPTY]++;
	sock = bpf_sock_from_file(file);
	if (sock)
		add_socket(s, sock);
	return 0;
}

/* -- the turn's end -- */

static long put_sums(struct bpf_map *map, __u64 *group, struct vz_acct_row *row,
		     void *unused)
{
	struct vz_acct_sums none = { .turn = turn }, *s;

	s = bpf_map_lookup_elem(&sums, group);
	if (!s || s->turn != none.turn)
		s = &none;
	row->sampled = bpf_ktime_get_boot_ns();
	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		if (!(sampled_mask & VZ_UBC_BIT(i)))
			continue;
		/* Rather no number than one that has not all in it. */
		row->c[i].held = too_many ? VZ_ACCT_UNKNOWN : s->v[i];
		raise_max(&row->c[i], row->c[i].held);
	}
	return 0;
}

/* VEs come and go, and what was theirs is not to fill the maps. */
static long drop_sums(struct bpf_map *map, __u64 *group, struct vz_acct_sums *s,
		      void *unused)
{
	if (!bpf_map_lookup_elem(&rows, group))
		bpf_map_delete_elem(&sums, group);
	return 0;
}

static long drop_in_flight(struct bpf_map *map, __u64 *group, struct in_flight *all,
			   void *unused)
{
	if (!bpf_map_lookup_elem(&rows, group))
		bpf_map_delete_elem(&in_flight, group);
	return 0;
}

static long drop_others(struct bpf_map *map, __u64 *group, __s64 *n, void *unused)
{
	if (!bpf_map_lookup_elem(&rows, group))
		bpf_map_delete_elem(&inet_others, group);
	return 0;
}

SEC("syscall")
int sample_begin(void *ctx)
{
	too_many = 0;
	__sync_fetch_and_add(&turn, 1);
	return 0;
}

SEC("syscall")
int sample_end(void *ctx)
{
	bpf_for_each_map_elem(&rows, put_sums, NULL, 0);
	bpf_for_each_map_elem(&sums, drop_sums, NULL, 0);
	bpf_for_each_map_elem(&in_flight, drop_in_flight, NULL, 0);
	bpf_for_each_map_elem(&inet_others, drop_others, NULL, 0);
	return too_many ? -ENOSPC : 0;
}

#endif
