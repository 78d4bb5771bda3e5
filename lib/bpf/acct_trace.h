/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_TRACE_H
#define VZ_BPF_ACCT_TRACE_H

/*
 * The exact tier: programs that the kernel calls where it allocates and frees
 * (fmod_ret on what asks the security modules, fentry, fexit). They work
 * whether `bpf` is among the kernel's security modules or not.
 */

/* -- files -- */

SEC("fmod_ret/security_file_alloc")
int BPF_PROG(file_made, struct file *file)
{
	__u64 group;
	struct vz_acct_row *row = row_of_current(&group);

	if (!row)
		return 0;
	return own(file, row, group, VZ_UBC_NUMFILE, row->c[VZ_UBC_NUMFILE].limit)
		       ? -ENFILE
		       : 0;
}

SEC("fentry/security_file_free")
int BPF_PROG(file_freed, struct file *file)
{
	disown(file);
	return 0;
}

SEC("fentry/security_file_free")
int BPF_PROG(file_freed_2, struct file *file)
{
	disown(file);
	return 0;
}

/* -- sockets -- */

SEC("fmod_ret/security_socket_post_create")
int BPF_PROG(socket_made, struct socket *sock, int family, int type, int protocol,
	     int kern)
{
	__u32 id = socket_counter(family, type);
	struct vz_acct_row *row;
	struct sock *sk;
	__u64 group;

	if (kern)
		return 0;
	row = row_of_current(&group);
	sk = row ? BPF_CORE_READ(sock, sk) : NULL;
	if (!sk || !row)
		return 0;
	return own(sk, row, group, id, row->c[id].limit) ? -ENOBUFS : 0;
}

/* A connection that is accepted belongs to who listens. */
SEC("fentry/security_sk_clone")
int BPF_PROG(socket_cloned, struct sock *from, struct sock *to)
{
	struct owner o;
	struct vz_acct_row *row = row_of(from, &o);

	if (row)
		own(to, row, o.group, o.id, NO_BOUND);
	return 0;
}

/* A SYN that comes again is refused again, and counts once. */
struct syn {
	__u64 listener, addrs;
	__u32 ports;
	__u8 from[16];
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct syn);
	__type(value, __u64);
} syns SEC(".maps");
#define SYN_LIFE_NS (130ull * 1000000000)

static __always_inline int is_repeated(struct sock *listener, struct request_sock *req)
{
	struct syn key = { .listener = (__u64)listener };
	__u64 now = bpf_ktime_get_boot_ns(), *was;

	key.ports = BPF_CORE_READ(req, __req_common.skc_portpair);
	if (BPF_CORE_READ(req, __req_common.skc_family) == AF_INET6)
		bpf_core_read(key.from, sizeof(key.from),
			      &req->__req_common.skc_v6_daddr);
	else
		key.addrs = BPF_CORE_READ(req, __req_common.skc_addrpair);
	was = bpf_map_lookup_elem(&syns, &key);
	if (was && now - *was < SYN_LIFE_NS)
		return 1;
	bpf_map_update_elem(&syns, &key, &now, BPF_ANY);
	return 0;
}

SEC("fmod_ret/security_inet_conn_request")
int BPF_PROG(connection_asked, struct sock *listener, void *skb, struct request_sock *req)
{
	struct vz_acct_count *c;
	struct owner o;
	struct vz_acct_row *row = row_of(listener, &o);

	if (!row || o.id >= VZ_UBC__COUNT)
		return 0;
	c = &row->c[o.id];
	if (c->held < c->limit)
		return 0;
	if (!is_repeated(listener, req))
		refused(c);
	return -ENOBUFS;
}

/* The server's end is made by the client; it is the server's. */
SEC("fmod_ret/security_unix_stream_connect")
int BPF_PROG(unix_connected, struct sock *sk, struct sock *other, struct sock *newsk)
{
	struct owner o;
	struct vz_acct_row *row = row_of(other, &o);

	if (!row)
		return 0;
	return own(newsk, row, o.group, VZ_UBC_NUMOTHERSOCK,
		   row->c[VZ_UBC_NUMOTHERSOCK].limit)
		       ? -ENOBUFS
		       : 0;
}

SEC("fentry/security_sk_free")
int BPF_PROG(socket_freed, struct sock *sk)
{
	forget_flight(sk);
	disown(sk);
	return 0;
}

SEC("fentry/security_sk_free")
int BPF_PROG(socket_freed_2, struct sock *sk)
{
	forget_flight(sk);
	disown(sk);
	return 0;
}

/* -- file locks -- */

#define UNLOCK 2 /* F_UNLCK */

SEC("fmod_ret/security_file_lock")
int BPF_PROG(lock_asked, struct file *file, unsigned int type)
{
	struct vz_acct_count *c;
	struct vz_acct_row *row;
	__u64 group;

	if (type == UNLOCK)
		return 0;
	row = row_of_current(&group);
	if (!row)
		return 0;
	c = &row->c[VZ_UBC_NUMFLOCK];
	if (c->held < c->limit)
		return 0;
	refused(c);
	return -ENOLCK;
}

SEC("fentry/locks_copy_lock")
int BPF_PROG(lock_made, struct file_lock *lock, struct file_lock *from)
{
	__u64 group;
	struct vz_acct_row *row = row_of_current(&group);

	if (row)
		own(lock, row, group, VZ_UBC_NUMFLOCK, NO_BOUND);
	return 0;
}

SEC("fentry/locks_unlink_lock_ctx")
int BPF_PROG(lock_freed, struct file_lock *lock)
{
	disown(lock);
	return 0;
}

/* -- pseudo-terminals -- */

/* A terminal's key: its file system's address with its index above it. */
static __always_inline void *terminal(const void *ctx, int index)
{
	__u64 fs = 0;

	/* Read, since the verifier lets nobody reckon with a pointer. */
	bpf_probe_read_kernel(&fs, sizeof(fs), ctx);
	return (void *)(fs ^ ((__u64)index << 48));
}

static __always_inline int terminal_asked(void)
{
	struct vz_acct_count *c;
	struct vz_acct_row *row;
	__u64 group;

	row = row_of_current(&group);
	/* The console is made before the VE is known, and is none of its terminals. */
	if (!row || !row->from.ipc)
		return 0;
	c = &row->c[VZ_UBC_NUMPTY];
	if (c->held < c->limit)
		return 0;
	refused(c);
	return -ENOSPC;
}

/* What a file system opens below a file counts as nobody's: FMODE_NOACCOUNT. */
#define NOACCOUNT 0x20000000

/* One program for two matters: each costs all that is opened on the node. */
SEC("fmod_ret/security_file_open")
int BPF_PROG(file_opened, struct file *file)
{
	if (file->f_mode & NOACCOUNT)
		disown(file);
	return file->f_inode->i_rdev == PTMX ? terminal_asked() : 0;
}

SEC("fexit/devpts_new_index")
int BPF_PROG(terminal_made, struct pts_fs_info *fs, int index)
{
	__u64 group;
	struct vz_acct_row *row = row_of_current(&group);

	if (!row || !row->from.ipc)
		return 0;
	if (index == -ENOSPC)
		refused(&row->c[VZ_UBC_NUMPTY]);
	else if (index >= 0)
		own(terminal(ctx, index), row, group, VZ_UBC_NUMPTY, NO_BOUND);
	return 0;
}

SEC("fentry/devpts_kill_index")
int BPF_PROG(terminal_freed, struct pts_fs_info *fs, int index)
{
	disown(terminal(ctx, index));
	return 0;
}

/* -- System V shared memory -- */

/* How much the segment has that a thread is making just now, in pages. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} segments SEC(".maps");

SEC("fentry/newseg")
int BPF_PROG(segment_begun, struct ipc_namespace *ns, struct ipc_params *params)
{
	__u64 group, task = bpf_get_current_task(), want;

	if (!row_of_current(&group))
		return 0;
	want = (BPF_CORE_READ(params, u.size) + 4095) >> 12;
	want += BPF_CORE_READ(ns, shm_tot);
	bpf_map_update_elem(&segments, &task, &want, BPF_ANY);
	return 0;
}

SEC("fmod_ret/security_shm_alloc")
int BPF_PROG(segment_asked, struct kern_ipc_perm *perm)
{
	__u64 group, task = bpf_get_current_task(), *want;
	struct vz_acct_row *row = row_of_current(&group);

	want = row ? bpf_map_lookup_elem(&segments, &task) : NULL;
	if (!want || !row)
		return 0;
	return (__s64)*want > row->c[VZ_UBC_SHMPAGES].limit ? -ENOSPC : 0;
}

SEC("fexit/newseg")
int BPF_PROG(segment_ended, struct ipc_namespace *ns, struct ipc_params *params, int ret)
{
	__u64 group, task = bpf_get_current_task(), *want;
	struct vz_acct_row *row = row_of_current(&group);

	if (!row)
		return 0;
	want = bpf_map_lookup_elem(&segments, &task);
	if (ret == -ENOSPC)
		refused(&row->c[VZ_UBC_SHMPAGES]);
	else if (ret >= 0 && want)
		raise_max(&row->c[VZ_UBC_SHMPAGES], *want);
	bpf_map_delete_elem(&segments, &task);
	return 0;
}

/* -- queued signals: what the kernel counts with the namespace's owner -- */

SEC("fmod_ret/security_task_kill")
int BPF_PROG(signal_asked, struct task_struct *task, struct kernel_siginfo *info, int sig)
{
	struct vz_acct_count *c;
	struct vz_acct_row *row;
	__u64 group;

	/* What is neither sigqueue(3) nor a timer needs no place in a queue. */
	if ((unsigned long)info <= 2 || sig < SIGRTMIN)
		return 0;
	if (BPF_CORE_READ(info, si_code) >= 0)
		return 0;
	row = row_of_task(task, &group);
	if (!row)
		return 0;
	c = &row->c[VZ_UBC_NUMSIGINFO];
	/* Where the kernel has no sum of the VE's own: by the last sample. */
	if ((row->from.signals ? queued_signals(row) : c->held) < c->limit)
		return 0;
	refused(c);
	return -EAGAIN;
}

/* -- processes: the group of pids counts and refuses -- */

SEC("fexit/pids_can_fork")
int BPF_PROG(fork_asked, struct task_struct *task, struct css_set *set, int ret)
{
	struct pids_cgroup *pids;
	struct vz_acct_row *row;
	__u64 group;

	if (ret != -EAGAIN)
		return 0;
	row = row_of_current(&group);
	pids = row ? (void *)row->from.pids : NULL;
	/* A limit that the VE itself has set on a part of it is its own affair. */
	if (row && pids &&
	    BPF_CORE_READ(pids, counter.counter) >= BPF_CORE_READ(pids, limit.counter))
		refused(&row->c[VZ_UBC_NUMPROC]);
	return 0;
}

#endif
