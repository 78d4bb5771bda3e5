/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_ROWS_H
#define VZ_BPF_ACCT_ROWS_H

/*
 * The rows of VEs, and whose row a task's is: for the programs that count and
 * for those that only show.
 */

#define VES_MAX 65536

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct vz_acct_row);
} rows SEC(".maps");

/* How deep below cgroup2's root VEs' groups are; those of pools one deeper. */
const volatile __u32 level = 2;

static __always_inline __u64 group_of(struct cgroup_subsys_state *css)
{
	return BPF_CORE_READ(css, cgroup, kn, id);
}

/*
 * Below which group all VEs' are, so that the node's own processes are told by one
 * look. 0: not known just now (see `learn`).
 */
__u64 top_group;

static __always_inline struct vz_acct_row *row_of_current(__u64 *group)
{
	__u64 top = top_group;
	struct vz_acct_row *row;

	if (top && bpf_get_current_ancestor_cgroup_id(level - 1) != top)
		return NULL;
	*group = bpf_get_current_ancestor_cgroup_id(level);
	if (!*group)
		return NULL;
	row = bpf_map_lookup_elem(&rows, group);
	if (row)
		return row;
	*group = bpf_get_current_ancestor_cgroup_id(level + 1);
	return *group ? bpf_map_lookup_elem(&rows, group) : NULL;
}

static __always_inline __u64 group_at(struct cgroup *cgroup, __u32 at)
{
	struct cgroup *ancestor = NULL;

	if (BPF_CORE_READ(cgroup, level) < (int)at)
		return 0;
	bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[at & 31]);
	return BPF_CORE_READ(ancestor, kn, id);
}

/* The number of the VE's group that a group is or is below, and its row. */
static __always_inline struct vz_acct_row *row_of_cgroup(struct cgroup *cgroup,
							 __u64 *group)
{
	struct vz_acct_row *row;

	*group = group_at(cgroup, level);
	row = *group ? bpf_map_lookup_elem(&rows, group) : NULL;
	if (row)
		return row;
	*group = group_at(cgroup, level + 1);
	return *group ? bpf_map_lookup_elem(&rows, group) : NULL;
}

/* The same of any task. */
static __always_inline struct vz_acct_row *row_of_task(struct task_struct *task,
						       __u64 *group)
{
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	return cgroup ? row_of_cgroup(cgroup, group) : NULL;
}

/*
 * Whether an iterator over rows is at its start, where a head belongs. It ends
 * with no row, which is at the start when there were none.
 */
static __always_inline int at_start(struct bpf_iter_meta *meta, const void *row)
{
	return !meta->seq_num && (row || !meta->seq->index);
}

#endif
