/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_WHY_PRIV_H
#define VZ_VE_WHY_PRIV_H

#include "res/ubc.h"
#include "sys/cgroup.h"
#include "ve/state.h"
#include "ve/why.h"

/*
 * Between the files of ve/why: what was read (why_groups.c, why_kmsg.c,
 * why_net.c), what was marked (why_mark.c), and what follows (why_find.c).
 */

/* What only grows while a VE runs. */
enum vz_why_counter {
	VZ_WHY_C_FORKS, /* refused by pids.max */
	VZ_WHY_C_MEM_LOW,
	VZ_WHY_C_MEM_HIGH,
	VZ_WHY_C_MEM_MAX,
	VZ_WHY_C_MEM_OOM,
	VZ_WHY_C_MEM_KILLS,
	VZ_WHY_C_SWAP_MAX,
	VZ_WHY_C_CPU_PERIODS,
	VZ_WHY_C_CPU_THROTTLED,
	VZ_WHY_C_CPU_LOST, /* µs, on all CPUs together */
	VZ_WHY_C_PSI, /* µs; some and full of CPU, memory and IO */
	VZ_WHY_C_NET_GUARD = VZ_WHY_C_PSI + 6, /* packets, as the rest */
	VZ_WHY_C_RATE_DROPPED,
	VZ_WHY_C_RATE_WAITED,
	/* of the pool, of all its VEs together */
	VZ_WHY_C_POOL_FORKS,
	VZ_WHY_C_POOL_MEM_MAX,
	VZ_WHY_C_POOL_PERIODS,
	VZ_WHY_C_POOL_THROTTLED,
	VZ_WHY_C_POOL_LOST,
	VZ_WHY_C_UBC, /* failcnt, by enum vz_ubc_id */
	VZ_WHY_C__COUNT = VZ_WHY_C_UBC + VZ_UBC__COUNT,
};
struct vz_why_counters {
	int64_t v[VZ_WHY_C__COUNT]; /* VZ_WHY_UNKNOWN */
};
/* The name that a counter has in the mark's file. */
const char *vz_why_counter_key(int counter, char buf[48]);

enum vz_why_psi { VZ_WHY_PSI_CPU, VZ_WHY_PSI_MEMORY, VZ_WHY_PSI_IO, VZ_WHY_PSI__COUNT };
/* Shares of the last 10, 60 and 300 s, in hundredths of a per cent. */
struct vz_why_pressure {
	bool known;
	uint64_t some[3], full[3];
};

/* Whose memory had run out when a process was killed. */
enum vz_why_oom { VZ_WHY_OOM_VE, VZ_WHY_OOM_POOL, VZ_WHY_OOM_NODE };
struct vz_why_kill {
	char name[64]; /* printable */
	uint64_t pid;
	int64_t time; /* seconds since 1970 */
	enum vz_why_oom by;
};
struct vz_why_kills {
	struct vz_why_kill *v; /* in the order of the log */
	size_t n;
};

struct vz_why_facts {
	int64_t now, started; /* seconds since 1970 */
	struct vz_why_counters c;
	struct vz_limit ubc[VZ_UBC__COUNT]; /* of what `c` has of them */
	int64_t ubc_last[VZ_UBC__COUNT]; /* when refused; seconds since 1970 */
	struct vz_why_pressure psi[VZ_WHY_PSI__COUNT];
	/* Limits in force, VZ_UNLIMITED when there is none. */
	uint64_t pids_max, mem_max, mem_high, swap_max; /* bytes */
	uint64_t mem_peak; /* bytes, 0: unknown */
	uint64_t cpu_max; /* hundredths of one CPU */
	char pool[32]; /* its name; "": it is in none */
	uint64_t pool_pids, pool_mem, pool_cpu; /* as those above */
	uint64_t io_bytes, io_ops; /* a second */
	uint64_t rate; /* bytes a second */
	int64_t swap_used; /* bytes */
	struct {
		bool known;
		uint64_t total, avail; /* bytes, or inodes */
	} disk, inodes;
	struct vz_why_kills kills;
	bool disabled;
	uint32_t reboots;
};
/* All unknown. */
void vz_why_facts_init(struct vz_why_facts *f);
void vz_why_facts_done(struct vz_why_facts *f);
#define vz_autowhyfacts VZ_CLEANUP(vz_why_facts_done)

/* What the VE's groups say. */
void vz_why_read_groups(const struct vz_cg *cg, struct vz_why_facts *f);
/* And those of the pool in which it is, as the name of its group says. */
void vz_why_read_pool(const struct vz_cg *cg, struct vz_why_facts *f);

/* What its links dropped. */
void vz_why_read_net(const struct vz_ve *ve, struct vz_why_facts *f);

/*
 * The kernel's log, from a file: processes of this group, or of one below it,
 * that the OOM killer took. It holds names of the VE's choice; what decides is
 * the process's id in the VE's range. 0 or -errno.
 */
struct vz_why_whose {
	const char *cgroup; /* "vz/101" */
	uid_t uid; /* its first */
};
int vz_why_read_kmsg(const char *path, const struct vz_why_whose *whose,
		     struct vz_why_kills *ret);
/* One record of it. 1: it tells of a kill in that group, with the kernel's time. */
int vz_why_parse_kill(const char *record, const struct vz_why_whose *whose,
		      struct vz_why_kill *ret, int64_t *ret_us);

/* RUNDIR/VEID/why: the counters at one moment of one run of the VE. */
struct vz_why_mark {
	int64_t time;
	struct vz_why_counters c;
};
int vz_why_mark_save(const struct vz_ctx *ctx, uint32_t veid, uint64_t init_start,
		     const struct vz_why_facts *f, struct vz_err *err);
int vz_why_mark_load(const struct vz_ctx *ctx, uint32_t veid, uint64_t init_start,
		     struct vz_why_mark *ret, struct vz_err *err);

/* Everything that is worth saying, unsorted; base: NULL since the start. */
void vz_why_find(const struct vz_why_facts *f, const struct vz_why_mark *base,
		 int64_t since, struct vz_whys *ret);
void vz_why_sort(struct vz_whys *l);

#endif
