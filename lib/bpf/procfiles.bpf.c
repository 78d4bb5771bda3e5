// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The /proc-like files beside the beancounters, as text that is made when one
 * is read: vz/veinfo, vz/vestat, vz/vswap and bc/VEID/ioacct. The rows are the
 * accounting programs': see lib/bpf/acct.h, lib/sys/procfiles.c.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/acct.h"
#include "bpf/acct_kernel.h"
#include "bpf/procfiles.h"

#define NULL ((void *)0)

#include "bpf/acct_rows.h"

#define NS_PER_S 1000000000ull
#define NS_PER_JIFFY (NS_PER_S / 100)

/* What the kernel offers: set before loading. */
const volatile _Bool flush_by_css = 0, flush_by_group = 0, group_by_id = 0;

extern void css_rstat_flush(struct cgroup_subsys_state *css) __ksym __weak;
extern void cgroup_rstat_flush(struct cgroup *group) __ksym __weak;
extern struct cgroup *bpf_cgroup_from_id(__u64 id) __ksym __weak;
extern void bpf_cgroup_release(struct cgroup *group) __ksym __weak;

/* Whether who reads may see this VE: its processes see their own only. */
static __always_inline int is_shown(__u64 group)
{
	__u64 own;

	return !row_of_current(&own) || own == group;
}

/* -- vz/veinfo -- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vz_procfiles_addr_key);
	__type(value, struct vz_procfiles_addr);
} addresses SEC(".maps");

struct addr_walk {
	struct seq_file *seq;
	__u32 veid;
};

static long put_address(__u32 i, struct addr_walk *w)
{
	struct vz_procfiles_addr_key key = { w->veid, i };
	struct vz_procfiles_addr *a = bpf_map_lookup_elem(&addresses, &key);

	if (!a || a->len > sizeof(a->text))
		return 1;
	bpf_seq_write(w->seq, a->text, a->len);
	return 0;
}

SEC("iter/bpf_map_elem")
int veinfo(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct vz_acct_row *row = ctx->value;
	struct pids_cgroup *pids;
	__u64 *group = ctx->key;
	struct addr_walk w;

	if (!row || !group || !is_shown(*group))
		return 0;
	pids = (void *)row->from.pids;
	if (pids && group_of(&pids->css) == row->from.pids_id)
		BPF_SEQ_PRINTF(seq, "%10u %5u %5llu", row->veid, 0,
			       BPF_CORE_READ(pids, counter.counter));
	else
		BPF_SEQ_PRINTF(seq, "%10u %5u     -", row->veid, 0);
	w = (struct addr_walk){ seq, row->veid };
	bpf_loop(1 << 16, put_address, &w, 0);
	BPF_SEQ_PRINTF(seq, "\n");
	return 0;
}

/* -- vz/vswap -- */

SEC("iter/bpf_map_elem")
int vswap(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct vz_acct_row *row = ctx->value;
	__u64 *group = ctx->key, ram, swap;
	struct mem_cgroup *memory;

	if (at_start(ctx->meta, row))
		BPF_SEQ_PRINTF(seq, "Version: 1.0\n"
				    "      VEID                  ram            ram_limit"
				    "                 swap           swap_limit\n");
	if (!row || !group || !is_shown(*group))
		return 0;
	memory = (void *)row->from.memory;
	if (!memory || group_of(&memory->css) != row->from.memory_id) {
		BPF_SEQ_PRINTF(seq, "%10u %20s %20lld %20s %20lld\n", row->veid, "-",
			       row->c[VZ_UBC_PHYSPAGES].limit, "-",
			       row->c[VZ_UBC_SWAPPAGES].limit);
		return 0;
	}
	ram = BPF_CORE_READ(memory, memory.usage.counter);
	if (row->cgroup1 & VZ_ACCT_MEMORY_V1) {
		/* The sum of both is read after one of them. */
		swap = BPF_CORE_READ(memory, memsw.usage.counter);
		swap = swap > ram ? swap - ram : 0;
	} else {
		swap = BPF_CORE_READ(memory, swap.usage.counter);
	}
	BPF_SEQ_PRINTF(seq, "%10u %20llu %20lld %20llu %20lld\n", row->veid, ram,
		       row->c[VZ_UBC_PHYSPAGES].limit, swap,
		       row->c[VZ_UBC_SWAPPAGES].limit);
	return 0;
}

/* -- vz/vestat: once a VE, as its first process is met -- */

static __always_inline int is_first_of_ve(struct task_struct *task, __u64 group)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct task_struct *parent;
	__u32 level_of_pid;
	__u64 of_parent;
	int nr = 0;

	level_of_pid = BPF_CORE_READ(pid, level);
	if (!level_of_pid)
		return 0;
	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level_of_pid * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, nr));
	if (nr != 1)
		return 0;
	/* The first of a namespace that the VE made has its parent in the VE. */
	parent = BPF_CORE_READ(task, real_parent);
	return !row_of_task(parent, &of_parent) || of_parent != group;
}

/* What CPUs have counted since the last time comes to the group's sum. */
static __always_inline void flush(struct cgroup *group)
{
	if (flush_by_css)
		css_rstat_flush(&group->self);
	else if (flush_by_group)
		cgroup_rstat_flush(group);
}

/* Nanoseconds. */
struct cpu_time {
	__u64 user, nice, system, used;
};

static __always_inline void read_cpu(struct cgroup *group, struct cpu_time *ret)
{
	flush(group);
	ret->user = BPF_CORE_READ(group, bstat.cputime.utime);
	ret->system = BPF_CORE_READ(group, bstat.cputime.stime);
	ret->used = BPF_CORE_READ(group, bstat.cputime.sum_exec_runtime);
	/* Older ones don't tell it from the rest of user. */
	ret->nice = 0;
	if (bpf_core_field_exists(group->bstat.ntime))
		ret->nice = BPF_CORE_READ(group, bstat.ntime);
	ret->user -= ret->nice;
}

static __always_inline int cpu_of(struct task_struct *task, __u64 id,
				  struct cpu_time *ret)
{
	struct cgroup *group;

	if (group_by_id) {
		group = bpf_cgroup_from_id(id);
		if (!group)
			return -1;
		read_cpu(group, ret);
		bpf_cgroup_release(group);
		return 0;
	}
	group = task->cgroups->dfl_cgrp;
	for (int i = 0; i < 32; i++) {
		if (group->kn->id == id) {
			read_cpu(group, ret);
			return 0;
		}
		if (group->level <= (int)level)
			break;
		group = group->self.parent->cgroup;
	}
	return -1;
}

/* As the VE's own clock has it, which goes on where a suspended one stopped. */
static __always_inline __u64 uptime_of(struct task_struct *task)
{
	__u64 now = bpf_ktime_get_boot_ns();
	__s64 s = BPF_CORE_READ(task, nsproxy, time_ns, offsets.boottime.tv_sec);
	__s64 ns = BPF_CORE_READ(task, nsproxy, time_ns, offsets.boottime.tv_nsec);

	return s || ns ? now + s * NS_PER_S + ns
		       : now - BPF_CORE_READ(task, start_boottime);
}

SEC("iter.s/task")
int vestat(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct cpu_time cpu = { 0 };
	struct vz_acct_row *row;
	__u64 group, uptime;

	if (!ctx->meta->seq_num) {
		BPF_SEQ_PRINTF(seq, "%-251s\n", "Version: 2.2");
		BPF_SEQ_PRINTF(seq,
			       "%20s %20s %20s %20s %20s %20s %20s %20s %20s %20s %20s "
			       "%20s\n",
			       "VEID", "user", "nice", "system", "uptime", "idle", "strv",
			       "uptime", "used", "maxlat", "totlat", "numsched");
	}
	row = task ? row_of_task(task, &group) : NULL;
	if (!row || !is_first_of_ve(task, group) || !is_shown(group) ||
	    cpu_of(task, group, &cpu))
		return 0;
	uptime = uptime_of(task);
	BPF_SEQ_PRINTF(seq,
		       "%20u %20llu %20llu %20llu %20llu %20s %20s %20llu %20llu %20s "
		       "%20s %20s\n",
		       row->veid, cpu.user / NS_PER_JIFFY, cpu.nice / NS_PER_JIFFY,
		       cpu.system / NS_PER_JIFFY, uptime / NS_PER_JIFFY, "-", "-", uptime,
		       cpu.used, "-", "-", "-");
	return 0;
}

/* -- bc/VEID/ioacct -- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct vz_procfiles_io);
} io SEC(".maps");

/* Tasks that are in `io` already, until they are gone for good. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8);
} ended SEC(".maps");

static __always_inline struct vz_procfiles_io *io_of(__u64 group)
{
	struct vz_procfiles_io none = { 0 }, *sum = bpf_map_lookup_elem(&io, &group);

	if (sum)
		return sum;
	bpf_map_update_elem(&io, &group, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&io, &group);
}

static __always_inline void add_task(struct task_struct *task, __u64 v[VZ_IO_WRITTEN])
{
	v[VZ_IO_READ] += BPF_CORE_READ(task, ioac.read_bytes);
	v[VZ_IO_DIRTY] += BPF_CORE_READ(task, ioac.write_bytes);
	v[VZ_IO_CANCEL] += BPF_CORE_READ(task, ioac.cancelled_write_bytes);
	v[VZ_IO_READS] += BPF_CORE_READ(task, ioac.syscr);
	v[VZ_IO_READ_CHARS] += BPF_CORE_READ(task, ioac.rchar);
	v[VZ_IO_WRITES] += BPF_CORE_READ(task, ioac.syscw);
	v[VZ_IO_WRITE_CHARS] += BPF_CORE_READ(task, ioac.wchar);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_ended, struct task_struct *task)
{
	__u64 group, key = (__u64)task, v[VZ_IO_WRITTEN] = { 0 };
	struct vz_procfiles_io *sum;
	__u8 is = 1;

	if (!row_of_task(task, &group))
		return 0;
	sum = io_of(group);
	/* As long as it is not noted it is counted as one that lives. */
	if (!sum || bpf_map_update_elem(&ended, &key, &is, BPF_ANY))
		return 0;
	add_task(task, v);
	for (int i = 0; i < VZ_IO_WRITTEN; i++)
		__sync_fetch_and_add(&sum->past[i], v[i]);
	return 0;
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(task_freed, struct task_struct *task)
{
	__u64 key = (__u64)task;

	bpf_map_delete_elem(&ended, &key);
	return 0;
}

#define OP_WRITES 1 /* a bit that all of these have */
#define OP_DISCARD 3
#define OP_SECURE_ERASE 5

/* Groups of v1 don't know in whose name pages are written: these are left out. */
SEC("tp_btf/block_bio_queue")
int BPF_PROG(bio_queued, struct bio *bio)
{
	struct cgroup *of = BPF_CORE_READ(bio, bi_blkg, blkcg, css.cgroup);
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 op = BPF_CORE_READ(bio, bi_opf) & 255;
	struct vz_procfiles_io *sum;
	__u64 group;

	if (!of || !(op & OP_WRITES) || op == OP_DISCARD || op == OP_SECURE_ERASE ||
	    BPF_CORE_READ(of, root) != BPF_CORE_READ(task, cgroups, dfl_cgrp, root))
		return 0;
	if (!row_of_cgroup(of, &group))
		return 0;
	sum = io_of(group);
	if (sum)
		__sync_fetch_and_add(&sum->past[VZ_IO_WRITTEN],
				     BPF_CORE_READ(bio, bi_iter.bi_size));
	return 0;
}

#define TASKS_MAX (4 << 20)

/* Syncs: where the kernel takes programs on its functions. */
const volatile _Bool syncs_are_counted = 0;

static __always_inline int sync_begins(__u32 id)
{
	struct vz_procfiles_io *sum;
	__u64 group;

	sum = row_of_current(&group) ? io_of(group) : NULL;
	if (sum)
		__sync_fetch_and_add(&sum->begun[id], 1);
	return 0;
}

static __always_inline int sync_ends(__u32 id)
{
	struct vz_procfiles_io *sum;
	__u64 group;

	sum = row_of_current(&group) ? io_of(group) : NULL;
	if (sum)
		__sync_fetch_and_add(&sum->done[id], 1);
	return 0;
}

SEC("fentry/ksys_sync")
int sync_begun(void *ctx)
{
	return sync_begins(VZ_SYNC);
}

SEC("fexit/ksys_sync")
int sync_done(void *ctx)
{
	return sync_ends(VZ_SYNC);
}

SEC("fentry/__x64_sys_fsync")
int file_sync_begun(void *ctx)
{
	return sync_begins(VZ_SYNC_FILE);
}

SEC("fexit/__x64_sys_fsync")
int file_sync_done(void *ctx)
{
	return sync_ends(VZ_SYNC_FILE);
}

SEC("fentry/__x64_sys_fdatasync")
int data_sync_begun(void *ctx)
{
	return sync_begins(VZ_SYNC_DATA);
}

SEC("fexit/__x64_sys_fdatasync")
int data_sync_done(void *ctx)
{
	return sync_ends(VZ_SYNC_DATA);
}

SEC("fentry/ksys_sync_file_range")
int range_sync_begun(void *ctx)
{
	return sync_begins(VZ_SYNC_RANGE);
}

SEC("fexit/ksys_sync_file_range")
int range_sync_done(void *ctx)
{
	return sync_ends(VZ_SYNC_RANGE);
}

struct io_walk {
	struct task_struct *start, *leader, *task;
	__u64 group;
	__u64 v[VZ_IO__COUNT];
};

#define from_list(at, member)                                                            \
	((void *)(at)-bpf_core_field_offset(struct task_struct, member))

static __always_inline int is_in(struct task_struct *task, __u64 group)
{
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	return group_at(cgroup, level) == group || group_at(cgroup, level + 1) == group;
}

static __always_inline void add_io(struct io_walk *w)
{
	struct task_struct *task = w->task;
	__u64 key = (__u64)task;

	if (!is_in(task, w->group) || bpf_map_lookup_elem(&ended, &key))
		return;
	add_task(task, w->v);
}

/* Threads of a process one by one, then the next process: the kernel's own lists. */
static long io_step(__u32 i, struct io_walk *w)
{
	struct task_struct *task = w->task, *leader = w->leader;
	struct list_head *next, *head;

	add_io(w);
	head = (void *)BPF_CORE_READ(leader, signal) +
	       bpf_core_field_offset(struct signal_struct, thread_head);
	next = BPF_CORE_READ(task, thread_node.next);
	if (next && next != head) {
		w->task = from_list(next, thread_node);
		return 0;
	}
	next = BPF_CORE_READ(leader, tasks.next);
	if (!next)
		return 1;
	w->leader = from_list(next, tasks);
	w->task = w->leader;
	return w->leader == w->start;
}

static __always_inline void put_io(struct seq_file *seq, const char *name, __u64 value)
{
	if (value == (__u64)VZ_ACCT_UNKNOWN)
		BPF_SEQ_PRINTF(seq, "\t%-20s %21s\n", name, "-");
	else
		BPF_SEQ_PRINTF(seq, "\t%-20s %21llu\n", name, value);
}

/* Whether what goes to disks goes in this group's name. */
static __always_inline int writes_in_its_name(struct cgroup *group)
{
	void *css = NULL;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, io_cgrp_id))
		bpf_probe_read_kernel(
			&css, sizeof(css),
			(void *)group + bpf_core_field_offset(group->subsys) +
				bpf_core_enum_value(enum cgroup_subsys_id, io_cgrp_id) *
					sizeof(void *));
	return css != NULL;
}

static __always_inline void put_syncs(struct seq_file *seq,
				      const struct vz_procfiles_io *sum)
{
	static const char *const total[] = { "syncs_total", "fsyncs_total",
					     "fdatasyncs_total", "range_syncs_total" };
	static const char *const active[] = { "syncs_active", "fsyncs_active",
					      "fdatasyncs_active", "range_syncs_active" };

#pragma unroll
	for (unsigned int i = 0; i < VZ_SYNC__COUNT; i++)
		put_io(seq, total[i],
		       syncs_are_counted ? sum->begun[i] : (__u64)VZ_ACCT_UNKNOWN);
#pragma unroll
	for (unsigned int i = 0; i < VZ_SYNC__COUNT; i++) {
		/* One that was under way when counting began has an end only. */
		__u64 done = sum->done[i], begun = sum->begun[i];

		put_io(seq, active[i],
		       !syncs_are_counted ? (__u64)VZ_ACCT_UNKNOWN
		       : begun > done	  ? begun - done
					  : 0);
	}
}

static __always_inline void put_all_io(struct seq_file *seq, const __u64 *v,
				       const struct vz_procfiles_io *sum)
{
	put_io(seq, "read", v[VZ_IO_READ]);
	put_io(seq, "write", v[VZ_IO_WRITTEN]);
	put_io(seq, "dirty", v[VZ_IO_DIRTY]);
	put_io(seq, "cancel", v[VZ_IO_CANCEL]);
	/* Nothing is written whose task is not known. */
	put_io(seq, "missed", 0);
	put_syncs(seq, sum);
	put_io(seq, "vfs_reads", v[VZ_IO_READS]);
	put_io(seq, "vfs_read_chars", v[VZ_IO_READ_CHARS]);
	put_io(seq, "vfs_writes", v[VZ_IO_WRITES]);
	put_io(seq, "vfs_write_chars", v[VZ_IO_WRITE_CHARS]);
	put_io(seq, "io_pbs", VZ_ACCT_UNKNOWN);
}

SEC("iter/cgroup")
int ioacct(struct bpf_iter__cgroup *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cgroup *group = ctx->cgroup;
	struct vz_procfiles_io *sum;
	struct io_walk w = { 0 };

	if (!group)
		return 0;
	w.group = BPF_CORE_READ(group, kn, id);
	sum = io_of(w.group);
	if (!sum)
		return 0;
	w.start = w.leader = w.task = BPF_CORE_READ(task, group_leader);
	__builtin_memcpy(w.v, sum->past, sizeof(w.v));
	bpf_loop(TASKS_MAX, io_step, &w, 0);
	/* What ended meanwhile may be in neither: then the last reading was nearer. */
	for (int i = 0; i < VZ_IO__COUNT; i++) {
		if (w.v[i] < sum->shown[i])
			w.v[i] = sum->shown[i];
		sum->shown[i] = w.v[i];
	}
	if (!writes_in_its_name(group))
		w.v[VZ_IO_WRITTEN] = VZ_ACCT_UNKNOWN;
	put_all_io(ctx->meta->seq, w.v, sum);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
