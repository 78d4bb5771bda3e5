// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The beancounters' programs. Which of them are loaded is the host's matter:
 * see lib/sys/acct.c. A VE is known by its group in cgroup2.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/acct.h"
#include "bpf/acct_kernel.h"

/* What the headers for user programs have and those for the kernel's don't mix with. */
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_UDP 17
#define SIGRTMIN 32
#define EAGAIN 11
#define ENOMEM 12
#define EINVAL 22
#define ENFILE 23
#define ENOENT 2
#define ENOSPC 28
#define ENOLCK 37
#define ENOBUFS 105
#define NULL ((void *)0)

#include "bpf/acct_bufs.h"
#include "bpf/acct_charge.h"
#include "bpf/acct_group.h"
#include "bpf/acct_mm.h"
#include "bpf/acct_opts.h"
#include "bpf/acct_rules.h"
#include "bpf/acct_sample.h"
#include "bpf/acct_show.h"
#include "bpf/acct_trace.h"

/* -- signals, whose refusals the kernel tells every kernel's programs -- */

#define OVERFLOW_FAIL 3
#define LOSE_INFO 4

SEC("tp_btf/signal_generate")
int BPF_PROG(signal_sent, int sig, struct kernel_siginfo *info, struct task_struct *task,
	     int group_wide, int result)
{
	struct vz_acct_row *row;
	__u64 group;

	if (result != OVERFLOW_FAIL && result != LOSE_INFO)
		return 0;
	row = row_of_task(task, &group);
	if (row)
		refused(&row->c[VZ_UBC_NUMSIGINFO]);
	return 0;
}

/* -- where the kernel counts for a VE: from its first process: no other is met -- */

static __always_inline struct cgroup_subsys_state *css_of(struct task_struct *task,
							  int id)
{
	struct cgroup_subsys_state *css = NULL;
	struct css_set *set = BPF_CORE_READ(task, cgroups);

	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)set + bpf_core_field_offset(set->subsys) +
				      id * sizeof(void *));
	return css;
}

SEC("iter/task")
int learn(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct cgroup_subsys_state *css;
	struct user_namespace *ns;
	struct vz_acct_source *from;
	struct vz_acct_row *row;
	struct ucounts *counts;
	__u64 group;

	row = task ? row_of_task(task, &group) : NULL;
	if (!row)
		return 0;
	/* Of a pool's VE one deeper; it is the same one for all. */
	top_group = group_at(BPF_CORE_READ(task, cgroups, dfl_cgrp), level - 1);
	from = &row->from;
	css = css_of(task, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
	from->memory_id = css ? group_of(css) : 0;
	from->memory = (__u64)css;
	css = css_of(task, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id));
	from->pids_id = css ? group_of(css) : 0;
	from->pids = (__u64)css;
	from->ipc_id = BPF_CORE_READ(task, nsproxy, ipc_ns, ns.inum);
	from->ipc = (__u64)BPF_CORE_READ(task, nsproxy, ipc_ns);
	/* The VE's whole is counted with who made its user namespace. */
	ns = BPF_CORE_READ(task, real_cred, user_ns);
	counts = BPF_CORE_READ(ns, ucounts);
	if (!BPF_CORE_READ(ns, parent) || !counts)
		return 0;
	from->signals_id = BPF_CORE_READ(counts, uid.val);
	/* Root makes others' namespaces, too: its sum says nothing of this VE. */
	if (from->signals_id)
		from->signals = (__u64)counts;
	return 0;
}

/* -- what tools ask for -- */

SEC("syscall")
int command(struct vz_acct_command *ctx)
{
	struct vz_acct_command cmd;
	struct vz_acct_row *row;

	/* The verifier lets nothing but constants be added to `ctx`. */
#pragma unroll
	for (unsigned int i = 0; i < sizeof(cmd) / sizeof(__u64); i++)
		((volatile __u64 *)&cmd)[i] = ((__u64 *)ctx)[i];
	row = bpf_map_lookup_elem(&rows, &cmd.group);
	if (!row)
		return -ENOENT;
	if (cmd.op == VZ_ACCT_BEGIN)
		top_group = 0;
	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		struct vz_acct_count *c = &row->c[i];

		if (!(cmd.mask & VZ_UBC_BIT(i)))
			continue;
		if (cmd.op == VZ_ACCT_LIMITS) {
			c->barrier = cmd.barrier[i];
			c->limit = cmd.limit[i];
			if (VZ_ACCT_BUFS & VZ_UBC_BIT(i) && c->limit != NO_BOUND)
				bufs_limited = 1;
		} else if (cmd.op == VZ_ACCT_SAMPLED) {
			c->held = cmd.limit[i];
			if (i == VZ_UBC_NUMIPTENT)
				bpf_map_delete_elem(&rules_since, &cmd.group);
			raise_max(c, cmd.limit[i]);
		} else if (cmd.op == VZ_ACCT_RAISED) {
			raise_max(c, cmd.barrier[i]);
			if (c->failcnt != VZ_ACCT_UNKNOWN)
				c->failcnt = cmd.limit[i];
		}
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
