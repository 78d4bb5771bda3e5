/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_H
#define VZ_BPF_ACCT_H

#include <linux/types.h>

/*
 * What the accounting programs (lib/bpf/acct.bpf.c) and who loads, feeds and
 * reads them have in common. A change of any structure is a new version of the
 * pins.
 */
#define VZ_ACCT_VERSION "acct-2"

/*
 * The beancounters, in the order of their rows in /proc/user_beancounters: each is
 * ROW(ID, NAME), and DUMMY a row that OpenVZ has kept for one that is no more.
 */
#define VZ_UBC_EACH(ROW, DUMMY)                                                          \
	ROW(KMEMSIZE, "kmemsize    ")                                                    \
	ROW(LOCKEDPAGES, "lockedpages ")                                                 \
	ROW(PRIVVMPAGES, "privvmpages ")                                                 \
	ROW(SHMPAGES, "shmpages    ")                                                    \
	DUMMY                                                                            \
	ROW(NUMPROC, "numproc     ")                                                     \
	ROW(PHYSPAGES, "physpages   ")                                                   \
	ROW(VMGUARPAGES, "vmguarpages ")                                                 \
	ROW(OOMGUARPAGES, "oomguarpages")                                                \
	ROW(NUMTCPSOCK, "numtcpsock  ")                                                  \
	ROW(NUMFLOCK, "numflock    ")                                                    \
	ROW(NUMPTY, "numpty      ")                                                      \
	ROW(NUMSIGINFO, "numsiginfo  ")                                                  \
	ROW(TCPSNDBUF, "tcpsndbuf   ")                                                   \
	ROW(TCPRCVBUF, "tcprcvbuf   ")                                                   \
	ROW(OTHERSOCKBUF, "othersockbuf")                                                \
	ROW(DGRAMRCVBUF, "dgramrcvbuf ")                                                 \
	ROW(NUMOTHERSOCK, "numothersock")                                                \
	ROW(DCACHESIZE, "dcachesize  ")                                                  \
	ROW(NUMFILE, "numfile     ")                                                     \
	DUMMY                                                                            \
	DUMMY                                                                            \
	DUMMY                                                                            \
	ROW(NUMIPTENT, "numiptent   ")                                                   \
	ROW(SWAPPAGES, "swappages   ")

#define VZ_UBC_ENUM(id, name) VZ_UBC_##id,
enum vz_ubc_id { VZ_UBC_EACH(VZ_UBC_ENUM, ) VZ_UBC__COUNT };
#undef VZ_UBC_ENUM
#define VZ_UBC_BIT(id) (1u << (id))

/* Those that are looked at with each message, once a VE has a limit of one. */
#define VZ_ACCT_BUFS (VZ_UBC_BIT(VZ_UBC_OTHERSOCKBUF) | VZ_UBC_BIT(VZ_UBC_DGRAMRCVBUF))

/* A number that can't be measured: INT64_MIN. */
#define VZ_ACCT_UNKNOWN (-0x7fffffffffffffffLL - 1)

struct vz_acct_count {
	__s64 held, maxheld, barrier, limit, failcnt;
	__u64 last_fail; /* CLOCK_BOOTTIME ns of the last refusal; 0: none */
};

/*
 * Where the kernel keeps what it counts by itself for a VE: addresses of its
 * structures, each with the number by which a reader knows that it still is
 * what it was. 0: not there.
 */
struct vz_acct_source {
	__u64 memory, memory_id; /* struct mem_cgroup; its group's number */
	__u64 pids, pids_id; /* struct pids_cgroup */
	__u64 ipc, ipc_id; /* struct ipc_namespace; its inode */
	__u64 signals, signals_id; /* struct ucounts of the VE's; its uid */
};

/* By the number of the VE's group in cgroup2. */
struct vz_acct_row {
	__u32 veid;
	__u32 cgroup1; /* bits: 1 memory, 2 pids are v1's; and VZ_ACCT_LOST() */
	__u64 sampled; /* CLOCK_BOOTTIME ns of the last sampling; 0: never */
	struct vz_acct_source from;
	struct vz_acct_count c[VZ_UBC__COUNT];
};
#define VZ_ACCT_MEMORY_V1 1u
#define VZ_ACCT_PIDS_V1 2u
/* An object of this counter could not be noted: how many there are is not known. */
#define VZ_ACCT_LOST(id) (1u << (8 + (id)))

/* What the reader of all VEs' counters gets, one after the other. */
struct vz_acct_record {
	__u64 group;
	__u32 veid;
	__u32 pad;
	__u64 sampled;
	struct vz_acct_count c[VZ_UBC__COUNT];
};

/* What a task's sample adds up. */
struct vz_acct_sums {
	__u32 turn;
	__u32 pad;
	__s64 v[VZ_UBC__COUNT];
};

/* What the program `command` is told; it answers by its return value, 0 or -errno. */
enum vz_acct_op {
	VZ_ACCT_BEGIN, /* a VE that is to be looked for, until it is learned, everywhere */
	VZ_ACCT_LIMITS, /* barriers and limits of a row */
	VZ_ACCT_SAMPLED, /* numbers that were counted elsewhere, in held */
	VZ_ACCT_RAISED, /* of a VE's life before: barrier is maxheld, limit failcnt */
};
struct vz_acct_command {
	__u32 op;
	__u32 mask; /* VZ_UBC_BIT(): which counters it is about */
	__u64 group;
	__s64 barrier[VZ_UBC__COUNT], limit[VZ_UBC__COUNT];
};

#endif
