/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_KERNEL_H
#define VZ_BPF_ACCT_KERNEL_H

/*
 * What is looked at of the kernel's structures: members only, their places are
 * taken from the running kernel's BTF (CO-RE). `___`: another version's.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	long long counter;
} atomic64_t;
typedef struct {
	int counter;
} atomic_t;

struct list_head {
	struct list_head *next;
};

/* -- groups -- */
struct kernfs_node {
	__u64 id;
};
struct cgroup;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct task_cputime {
	__u64 stime, utime;
	unsigned long long sum_exec_runtime;
};
struct cgroup_base_stat {
	struct task_cputime cputime;
	__u64 ntime;
};
struct cgroup_root;
struct cgroup {
	struct cgroup_subsys_state self;
	struct cgroup_root *root;
	struct kernfs_node *kn;
	int level;
	struct cgroup_subsys_state *subsys[16];
	struct cgroup_base_stat bstat;
	struct cgroup *ancestors[];
};
struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};
enum cgroup_subsys_id { memory_cgrp_id = 4, io_cgrp_id = 5, pids_cgrp_id = 11 };

struct page_counter {
	atomic64_t usage;
	unsigned long watermark, failcnt, max;
	_Bool track_failcnt;
};
enum memcg_memory_event { MEMCG_MAX = 2, MEMCG_OOM_KILL = 4, MEMCG_SWAP_MAX = 7 };
enum memcg_stat_item { MEMCG_KMEM = 47, MEMCG_NR_STAT = 50 };
enum node_stat_item { NR_SLAB_RECLAIMABLE_B = 5, NR_SHMEM = 21 };
struct memcg_vmstats {
	long state[50];
};
struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory, swap, memsw, kmem;
	struct memcg_vmstats *vmstats;
	atomic64_t memory_events[9];
};
struct pids_cgroup {
	struct cgroup_subsys_state css;
	atomic64_t counter, limit;
	__s64 watermark;
	atomic64_t events_limit;
};
struct pids_cgroup___two {
	atomic64_t events_local[2];
};

/* What is read from and written to disks, and in which group's name. */
struct blkcg {
	struct cgroup_subsys_state css;
};
struct blkcg_gq {
	struct blkcg *blkcg;
};
struct bvec_iter {
	unsigned int bi_size;
};
struct bio {
	unsigned int bi_opf;
	struct bvec_iter bi_iter;
	struct blkcg_gq *bi_blkg;
};

/* -- tasks -- */
struct ns_common {
	unsigned int inum;
};
typedef struct {
	unsigned int val;
} kuid_t;
enum rlimit_type { UCOUNT_RLIMIT_SIGPENDING = 2 };
struct ucounts {
	kuid_t uid;
	atomic64_t rlimit[4];
};
struct user_namespace {
	struct ucounts *ucounts;
	int level;
	struct user_namespace *parent;
};
struct cred {
	struct user_namespace *user_ns;
};
struct ipc_namespace {
	unsigned long shm_tot;
	struct ns_common ns;
};
struct timespec64 {
	long long tv_sec;
	long tv_nsec;
};
struct timens_offsets {
	struct timespec64 boottime;
};
struct time_namespace {
	struct timens_offsets offsets;
};
struct nsproxy {
	struct ipc_namespace *ipc_ns;
	struct time_namespace *time_ns;
};
struct upid {
	int nr;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};
struct task_io_accounting {
	__u64 rchar, wchar, syscr, syscw, read_bytes, write_bytes, cancelled_write_bytes;
};
struct rw_semaphore {
	atomic64_t count;
};
struct mm_struct {
	unsigned long data_vm, stack_vm, locked_vm;
	struct rw_semaphore mmap_lock;
};
struct sigpending {
	struct list_head list;
};
struct signal_struct {
	struct list_head thread_head;
	struct sigpending shared_pending;
};
struct task_struct {
	struct css_set *cgroups;
	struct mm_struct *mm;
	int pid, tgid;
	unsigned int flags;
	struct signal_struct *signal;
	struct sigpending pending;
	const struct cred *real_cred;
	struct nsproxy *nsproxy;
	struct list_head tasks, thread_node;
	struct task_struct *group_leader, *real_parent;
	struct pid *thread_pid;
	__u64 start_boottime;
	struct task_io_accounting ioac;
};
struct pt_regs {
	unsigned long orig_ax;
};

/* -- files, locks, sockets -- */
struct inode;
struct file_lock_context {
	struct list_head flc_flock, flc_posix;
};
struct inode {
	unsigned int i_rdev;
	struct file_lock_context *i_flctx;
};
struct file {
	unsigned int f_mode;
	struct inode *f_inode;
};
struct file_lock_core {
	struct list_head flc_list;
	struct file *flc_file;
};
struct file_lock {
	struct list_head fl_list;
	struct file *fl_file;
};
struct in6_addr {
	unsigned char a[16];
};
struct sock_common {
	unsigned short skc_family;
	unsigned char skc_state;
	__u64 skc_addrpair;
	__u32 skc_portpair;
	struct in6_addr skc_v6_daddr;
};
struct request_sock {
	struct sock_common __req_common;
};
struct sock {
	struct sock_common __sk_common;
	unsigned short sk_type, sk_protocol;
	int sk_wmem_queued;
	atomic_t sk_wmem_alloc;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
};
struct socket {
	short type;
	struct sock *sk;
};
struct sk_buff {
	struct sock *sk;
	unsigned int len, truesize;
	unsigned char *data;
};
struct msghdr;
struct pts_fs_info;
struct ipc_params {
	int flg;
	union {
		unsigned long size;
	} u;
};
struct kern_ipc_perm;
struct kernel_siginfo {
	int si_code;
};

/* -- iterators -- */
struct seq_file {
	long long index;
};
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id, seq_num;
};
struct bpf_map;
struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key, *value;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};
struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
};

#pragma clang attribute pop

#endif
