/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of each counter on this host, and how: words for administrators. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/acct.h"

#define EXACT VZ_ACCT_IS_EXACT
#define SAMPLED VZ_ACCT_IS_SAMPLED
#define APPROXIMATE VZ_ACCT_IS_APPROXIMATE
#define UNKNOWN VZ_ACCT_IS_UNKNOWN

/*
 * With the pin of a program that is there a counter is known the first way,
 * else the second. No pin: as the groups of memory are, v2 or v1.
 */
static const struct {
	const char *pin;
	struct vz_acct_about with, without;
} about[VZ_UBC__COUNT] = {
	[VZ_UBC_KMEMSIZE] = { NULL,
			      { SAMPLED, false, "memory.stat kernel, 2 s old at most" },
			      { EXACT, false, "memory.kmem.usage_in_bytes" } },
	[VZ_UBC_LOCKEDPAGES] = { NULL,
				 { SAMPLED, false, "locked_vm of the VE's processes",
				   "RLIMIT_MEMLOCK, of each process: ENOMEM" },
				 { SAMPLED, false, "locked_vm of the VE's processes",
				   "RLIMIT_MEMLOCK, of each process: ENOMEM" } },
	[VZ_UBC_PRIVVMPAGES] = { "memory_asked",
				 { EXACT, true, "each change of an address space",
				   "vm_enough_memory: ENOMEM" },
				 { SAMPLED, false,
				   "data and stack of the VE's processes" } },
	[VZ_UBC_SHMPAGES] = { "segment_asked",
			      { EXACT, true, "segments of the VE's IPC namespace",
				"shm_alloc: ENOSPC" },
			      { EXACT, false, "segments of the VE's IPC namespace",
				"kernel.shmall: ENOSPC" } },
	[VZ_UBC_NUMPROC] = { "fork_asked",
			     { EXACT, true, "pids.current", "pids.max: EAGAIN" },
			     { EXACT, true, "pids.current", "pids.max: EAGAIN" } },
	[VZ_UBC_PHYSPAGES] = { NULL,
			       { EXACT, true, "memory.current",
				 "memory.max: reclaim, OOM killer" },
			       { EXACT, true, "memory.usage_in_bytes",
				 "memory.limit_in_bytes: reclaim, OOM killer" } },
	[VZ_UBC_VMGUARPAGES] = { "memory_asked",
				 { APPROXIMATE, true, "privvmpages", "memory.low" },
				 { APPROXIMATE, true, "privvmpages, sampled",
				   "memory.low" } },
	[VZ_UBC_OOMGUARPAGES] = { NULL,
				  { EXACT, true,
				    "memory and swap in use; failcnt: "
				    "processes that were killed",
				    "memory.min, oom_score_adj" },
				  { EXACT, false,
				    "memory and swap in use; failcnt: "
				    "processes that were killed",
				    "oom_score_adj" } },
	[VZ_UBC_NUMTCPSOCK] = { "socket_made",
				{ EXACT, true, "each socket made, cloned, freed",
				  "ENOBUFS; connections are dropped" },
				{ EXACT, true, "programs of the VE's group",
				  "ENOBUFS; connections are dropped" } },
	[VZ_UBC_NUMFLOCK] = { "lock_made",
			      { EXACT, true, "each lock taken and freed", "ENOLCK" },
			      { SAMPLED, false, "locks of the VE's open files" } },
	[VZ_UBC_NUMPTY] = { "terminal_made",
			    { EXACT, true, "each terminal made and freed", "ENOSPC" },
			    { SAMPLED, false, "open masters",
			      "devpts max=: ENOSPC (its root can raise it)" } },
	[VZ_UBC_NUMSIGINFO] = { "signal_asked",
				{ EXACT, true, "the kernel's count with the VE's user",
				  "task_kill, RLIMIT_SIGPENDING: EAGAIN" },
				{ EXACT, false, "the kernel's count with the VE's user",
				  "RLIMIT_SIGPENDING: EAGAIN" } },
	[VZ_UBC_TCPSNDBUF] = { NULL,
			       { SAMPLED, true, "sockets of the VE's processes",
				 "SO_SNDBUF, tcp_wmem: of each socket" },
			       { SAMPLED, true, "sockets of the VE's processes",
				 "SO_SNDBUF, tcp_wmem: of each socket" } },
	[VZ_UBC_TCPRCVBUF] = { NULL,
			       { SAMPLED, true, "sockets of the VE's processes",
				 "SO_RCVBUF, tcp_rmem: of each socket" },
			       { SAMPLED, true, "sockets of the VE's processes",
				 "SO_RCVBUF, tcp_rmem: of each socket" } },
	[VZ_UBC_OTHERSOCKBUF] = { "message_sent",
				  { SAMPLED, true, "sockets of the VE's processes",
				    "ENOBUFS; SO_SNDBUF: of each socket" },
				  { SAMPLED, true, "sockets of the VE's processes",
				    "SO_SNDBUF: of each socket" } },
	[VZ_UBC_DGRAMRCVBUF] = { "datagram_came",
				 { SAMPLED, true, "sockets of the VE's processes",
				   "datagrams of UDP are dropped; SO_RCVBUF: of each "
				   "socket" },
				 { SAMPLED, true, "sockets of the VE's processes",
				   "datagrams of UDP are dropped; SO_RCVBUF: of each "
				   "socket" } },
	[VZ_UBC_NUMOTHERSOCK] = { "socket_made",
				  { EXACT, true, "each socket made and freed",
				    "ENOBUFS" },
				  { SAMPLED, true, "sockets of the VE's processes",
				    "UDP's and the like: ENOBUFS" } },
	[VZ_UBC_DCACHESIZE] = { NULL,
				{ APPROXIMATE, false,
				  "memory.stat slab_reclaimable, 2 s old at most" },
				{ UNKNOWN, false, "groups of version 1 do not tell" } },
	[VZ_UBC_NUMFILE] = { "file_made",
			     { EXACT, true, "each file opened and closed", "ENFILE" },
			     { SAMPLED, false, "open files of the VE's processes" } },
	[VZ_UBC_NUMIPTENT] = { "rules_sent",
			       { SAMPLED, true, "rules of the VE's network namespace",
				 "ENOMEM" },
			       { SAMPLED, true, "rules of the VE's network namespace",
				 "tables of the older iptables: ENOMEM" } },
	[VZ_UBC_SWAPPAGES] = { NULL,
			       { EXACT, true, "memory.swap.current",
				 "memory.swap.max: OOM killer" },
			       { EXACT, true, "memory.memsw less memory",
				 "memory.memsw.limit_in_bytes: OOM killer" } },
};

static bool is_pinned(const struct vz_ctx *ctx, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bpf/" VZ_ACCT_VERSION "/%s", ctx->rundir, name);
	return !access(path, F_OK);
}

/* Those that a program on sockets' options bounds. */
static bool is_of_options(enum vz_ubc_id id)
{
	return id == VZ_UBC_NUMIPTENT ||
	       (id >= VZ_UBC_TCPSNDBUF && id <= VZ_UBC_DGRAMRCVBUF);
}

void vz_acct_describe(const struct vz_ctx *ctx, enum vz_ubc_id id, bool memory_v1,
		      struct vz_acct_about *ret)
{
	static const struct vz_acct_about nothing = { UNKNOWN, false,
						      "no programs: see vzubc(8)" };
	bool with = about[id].pin ? is_pinned(ctx, about[id].pin) : !memory_v1;

	*ret = with ? about[id].with : about[id].without;
	/* Groups of version 1 have no such guarantee. */
	if (id == VZ_UBC_VMGUARPAGES && memory_v1)
		*ret = (struct vz_acct_about){ ret->how, false, ret->source };
	if (is_pinned(ctx, "seal")) {
		/* What limits is left out where the kernel refuses it. */
		if (is_of_options(id) && !is_pinned(ctx, "group_option_set"))
			ret->enforced = NULL;
		return;
	}
	/* What groups count needs no programs: see ve/ubcgroups.h. */
	if (id == VZ_UBC_NUMPROC || id == VZ_UBC_PHYSPAGES ||
	    (id == VZ_UBC_SWAPPAGES && !memory_v1))
		return;
	/* What groups enforce, they do without being counted; programs don't. */
	if (id == VZ_UBC_NUMTCPSOCK || id == VZ_UBC_NUMOTHERSOCK || is_of_options(id))
		ret->enforced = NULL;
	ret->how = nothing.how;
	ret->source = nothing.source;
}
