/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/validate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#define KIB 1024u
#define PAGE 4096u
/* Of each open file in the directory cache; of each process in the kernel. */
#define FILE_DCACHE 384u
#define PROC_KMEM (40 * KIB)
#define PROC_FILES 32u
#define SOCK_BUF 2560u
/* What buffers of other sockets have at the very least. */
#define SOCK_LEAST (32 * KIB)

struct rule;
typedef bool (*rule_fn)(const struct vz_validator *v, const struct rule *rule,
			struct vz_breach *ret);

struct rule {
	rule_fn broken;
	enum vz_param_id id, other; /* other: what a formula counts */
	enum vz_breach_level level;
	uint64_t least; /* of a barrier */
};

/* -- numbers: what is unlimited stays so -- */

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a >= VZ_UNLIMITED || b >= VZ_UNLIMITED - a ? VZ_UNLIMITED : a + b;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	__uint128_t v = (__uint128_t)a * b;

	return v > VZ_UNLIMITED ? VZ_UNLIMITED : v;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t barrier_of(const struct vz_validator *v, enum vz_param_id id)
{
	return vz_cfg_limit(v->cfg, id).barrier;
}

/* How many processes there are on average. */
static uint64_t average_procs(const struct vz_validator *v)
{
	if (vz_cfg_has(v->cfg, VZ_P_AVNUMPROC))
		return barrier_of(v, VZ_P_AVNUMPROC);
	return barrier_of(v, VZ_P_NUMPROC) / 2;
}

/* A barrier that is too low: it goes up, and takes the limit with it. */
static void raise_barrier(struct vz_breach *b, uint64_t barrier)
{
	b->fix.limit = plus(b->now.limit, barrier - b->now.barrier);
	b->fix.barrier = barrier;
}

__attribute__((format(printf, 2, 3))) static bool say(struct vz_breach *b,
						      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->text, sizeof(b->text), fmt, ap);
	va_end(ap);
	return true;
}

/* -- the rules; each knows b->now, and b->fix is the same before the call -- */

static bool is_missing(const struct vz_validator *v, const struct rule *rule,
		       struct vz_breach *b)
{
	if (vz_cfg_has(v->cfg, rule->id))
		return false;
	b->missing = true;
	return say(b, "must be given");
}

static bool not_equal(const struct vz_validator *v, const struct rule *rule,
		      struct vz_breach *b)
{
	if (b->now.barrier == b->now.limit)
		return false;
	b->fix.barrier = b->fix.limit = max(b->now.barrier, b->now.limit);
	return say(b, "barrier and limit must be the same");
}

static bool not_ordered(const struct vz_validator *v, const struct rule *rule,
			struct vz_breach *b)
{
	if (!vz_cfg_has(v->cfg, rule->id) || b->now.barrier <= b->now.limit)
		return false;
	b->fix.limit = b->now.barrier;
	return say(b, "the barrier must not be above the limit");
}

/* Disk limits count where there are quotas. */
static bool disk_not_ordered(const struct vz_validator *v, const struct rule *rule,
			     struct vz_breach *b)
{
	if (!vz_cfg_bool(v->cfg, VZ_P_DISK_QUOTA) || !not_ordered(v, rule, b))
		return false;
	return say(b, "the soft limit must not be above the hard one");
}

static bool limited(const struct vz_validator *v, const struct rule *rule,
		    struct vz_breach *b)
{
	if (b->now.limit == VZ_UNLIMITED)
		return false;
	b->fix.limit = VZ_UNLIMITED;
	return say(b, "the limit must be unlimited");
}

static bool barrier_not_zero(const struct vz_validator *v, const struct rule *rule,
			     struct vz_breach *b)
{
	if (!b->now.barrier)
		return false;
	b->fix.barrier = 0;
	return say(b, "the barrier must be 0");
}

/* Advice comes after the rule on the same barrier, and not beside it. */
static bool barrier_low(const struct vz_validator *v, const struct rule *rule,
			struct vz_breach *b)
{
	if (b->now.barrier >= rule->least ||
	    (rule->level == VZ_BREACH_ADVICE && b->now.barrier < SOCK_LEAST))
		return false;
	raise_barrier(b, rule->least);
	return say(b, "the barrier should be at least %" PRIu64, rule->least);
}

/* Between barrier and limit each socket has room for one packet. */
static bool gap_small(const struct vz_validator *v, const struct rule *rule,
		      struct vz_breach *b)
{
	uint64_t gap = times(barrier_of(v, rule->other), SOCK_BUF);

	if (b->now.limit == VZ_UNLIMITED ||
	    (b->now.limit >= b->now.barrier && b->now.limit - b->now.barrier >= gap))
		return false;
	b->fix.limit = plus(b->now.barrier, gap);
	return say(b,
		   "the limit must be above the barrier by at least %" PRIu64
		   ", 2560 for each %s",
		   gap, vz_params[rule->other].opt[0].name);
}

static bool few_files(const struct vz_validator *v, const struct rule *rule,
		      struct vz_breach *b)
{
	uint64_t sockets = plus(
		plus(barrier_of(v, VZ_P_NUMTCPSOCK), barrier_of(v, VZ_P_NUMOTHERSOCK)),
		barrier_of(v, VZ_P_NUMPTY));
	uint64_t least = max(times(average_procs(v), PROC_FILES), sockets);

	if (b->now.barrier >= least)
		return false;
	b->fix.barrier = b->fix.limit = least;
	return say(b,
		   "should be at least %" PRIu64
		   ": 32 for each of avnumproc, and all sockets and terminals",
		   least);
}

static bool small_dcache(const struct vz_validator *v, const struct rule *rule,
			 struct vz_breach *b)
{
	uint64_t least = times(barrier_of(v, VZ_P_NUMFILE), FILE_DCACHE);

	if (b->now.limit >= least)
		return false;
	b->fix.limit = least;
	return say(b, "the limit should be at least %" PRIu64 ", 384 for each numfile",
		   least);
}

static bool small_kmem(const struct vz_validator *v, const struct rule *rule,
		       struct vz_breach *b)
{
	uint64_t least = plus(times(average_procs(v), PROC_KMEM),
			      vz_cfg_limit(v->cfg, VZ_P_DCACHESIZE).limit);

	if (b->now.barrier >= least)
		return false;
	raise_barrier(b, least);
	return say(b,
		   "the barrier must be at least %" PRIu64
		   ": 40960 for each of avnumproc, and dcachesize's limit",
		   least);
}

static bool below_guarantee(const struct vz_validator *v, const struct rule *rule,
			    struct vz_breach *b)
{
	uint64_t least = barrier_of(v, VZ_P_VMGUARPAGES);

	if (b->now.barrier >= least)
		return false;
	b->fix.barrier = least;
	b->fix.limit = max(b->now.limit, least);
	return say(b, "the barrier should be at least that of vmguarpages, %" PRIu64,
		   least);
}

static bool beyond_node(const struct vz_validator *v, const struct rule *rule,
			struct vz_breach *b)
{
	bool ram = rule->id == VZ_P_PHYSPAGES;
	uint64_t most;

	if (!v->machine)
		return false;
	most = (ram ? v->machine->ram : v->machine->swap) / PAGE;
	if (b->now.limit <= most)
		return false;
	b->fix.limit = most;
	return say(b, "the limit should be at most the node's %s, %" PRIu64 " pages",
		   ram ? "RAM" : "swap space", most);
}

/* clang-format off */
#define NEEDS(p) { is_missing, VZ_P_##p }
#define EQUAL(p) { not_equal, VZ_P_##p }
#define ORDER(p) { not_ordered, VZ_P_##p }
#define LEAST(p, n) { barrier_low, VZ_P_##p, 0, VZ_BREACH_WARNING, n }
#define BETTER(p, n) { barrier_low, VZ_P_##p, 0, VZ_BREACH_ADVICE, n }
#define DISK { disk_not_ordered, VZ_P_DISKSPACE }, { disk_not_ordered, VZ_P_DISKINODES }

static const struct rule classic[] = {
	NEEDS(NUMPROC), NEEDS(NUMTCPSOCK), NEEDS(NUMOTHERSOCK), NEEDS(VMGUARPAGES),
	NEEDS(KMEMSIZE), NEEDS(TCPSNDBUF), NEEDS(TCPRCVBUF), NEEDS(OTHERSOCKBUF),
	NEEDS(DGRAMRCVBUF), NEEDS(OOMGUARPAGES), NEEDS(PRIVVMPAGES), NEEDS(LOCKEDPAGES),
	NEEDS(SHMPAGES), NEEDS(PHYSPAGES), NEEDS(NUMFILE), NEEDS(NUMFLOCK),
	NEEDS(NUMPTY), NEEDS(NUMSIGINFO), NEEDS(DCACHESIZE), NEEDS(NUMIPTENT),

	EQUAL(NUMPROC), EQUAL(NUMTCPSOCK), EQUAL(NUMOTHERSOCK),
	{ limited, VZ_P_VMGUARPAGES },
	ORDER(KMEMSIZE), ORDER(TCPSNDBUF), ORDER(TCPRCVBUF), ORDER(OTHERSOCKBUF),
	ORDER(DGRAMRCVBUF),
	{ limited, VZ_P_OOMGUARPAGES },
	ORDER(PRIVVMPAGES), ORDER(LOCKEDPAGES),
	EQUAL(SHMPAGES),
	{ barrier_not_zero, VZ_P_PHYSPAGES }, { limited, VZ_P_PHYSPAGES },
	EQUAL(NUMFILE),
	ORDER(NUMFLOCK),
	EQUAL(NUMPTY), EQUAL(NUMSIGINFO),
	ORDER(DCACHESIZE),
	EQUAL(NUMIPTENT),
	ORDER(AVNUMPROC),
	DISK,

	{ few_files, VZ_P_NUMFILE, 0, VZ_BREACH_WARNING },
	{ small_dcache, VZ_P_DCACHESIZE, 0, VZ_BREACH_WARNING },
	{ small_kmem, VZ_P_KMEMSIZE },
	{ below_guarantee, VZ_P_PRIVVMPAGES, 0, VZ_BREACH_WARNING },
	LEAST(TCPSNDBUF, 64 * KIB),
	{ gap_small, VZ_P_TCPSNDBUF, VZ_P_NUMTCPSOCK },
	LEAST(TCPRCVBUF, 64 * KIB),
	{ gap_small, VZ_P_TCPRCVBUF, VZ_P_NUMTCPSOCK, VZ_BREACH_WARNING },
	LEAST(OTHERSOCKBUF, SOCK_LEAST), BETTER(OTHERSOCKBUF, 129 * KIB),
	{ gap_small, VZ_P_OTHERSOCKBUF, VZ_P_NUMOTHERSOCK },
	LEAST(DGRAMRCVBUF, SOCK_LEAST), BETTER(DGRAMRCVBUF, 129 * KIB),
};

/* Beside RAM and swap a VE starts with what is in order. */
static const struct rule vswap[] = {
	NEEDS(PHYSPAGES), NEEDS(SWAPPAGES),

	{ barrier_not_zero, VZ_P_PHYSPAGES },
	{ beyond_node, VZ_P_PHYSPAGES, 0, VZ_BREACH_WARNING },
	{ barrier_not_zero, VZ_P_SWAPPAGES },
	{ beyond_node, VZ_P_SWAPPAGES, 0, VZ_BREACH_WARNING },
	ORDER(KMEMSIZE), ORDER(LOCKEDPAGES), ORDER(PRIVVMPAGES), ORDER(SHMPAGES),
	ORDER(NUMPROC), ORDER(VMGUARPAGES), ORDER(OOMGUARPAGES), ORDER(NUMTCPSOCK),
	ORDER(NUMFLOCK), ORDER(NUMPTY), ORDER(NUMSIGINFO), ORDER(TCPSNDBUF),
	ORDER(TCPRCVBUF), ORDER(OTHERSOCKBUF), ORDER(DGRAMRCVBUF), ORDER(NUMOTHERSOCK),
	ORDER(DCACHESIZE), ORDER(NUMFILE), ORDER(NUMIPTENT),
	DISK,
};
/* clang-format on */

bool vz_validate_vswap(const struct vz_cfg *cfg)
{
	return vz_cfg_has(cfg, VZ_P_PHYSPAGES) &&
	       vz_cfg_limit(cfg, VZ_P_PHYSPAGES).limit != VZ_UNLIMITED;
}

static bool is_broken(const struct vz_validator *v, const struct rule *rule,
		      struct vz_breach *ret)
{
	struct vz_breach b = { .id = rule->id, .level = rule->level };

	b.now = b.fix = vz_cfg_limit(v->cfg, rule->id);
	if (!rule->broken(v, rule, &b))
		return false;
	*ret = b;
	return true;
}

bool vz_validate_next(struct vz_validator *v, struct vz_breach *ret)
{
	const struct rule *rules = v->vswap ? vswap : classic;
	size_t n = v->vswap ? VZ_ARRAY_SIZE(vswap) : VZ_ARRAY_SIZE(classic);

	while (v->next < n) {
		const struct rule *rule = &rules[v->next++];

		if (v->missing && rule->broken != is_missing)
			break;
		if (is_broken(v, rule, ret)) {
			v->missing |= ret->missing;
			return true;
		}
	}
	return false;
}

static size_t put(char *buf, size_t size, uint64_t v)
{
	return v >= VZ_UNLIMITED ? snprintf(buf, size, "unlimited")
				 : snprintf(buf, size, "%" PRIu64, v);
}

void vz_breach_value(const struct vz_limit *v, char buf[static 48])
{
	size_t n = put(buf, 47, v->barrier);

	buf[n++] = ':';
	put(buf + n, 48 - n, v->limit);
}

int vz_breach_repair(const struct vz_breach *b, struct vz_cfg *cfg, struct vz_err *err)
{
	char text[48];

	vz_breach_value(&b->fix, text);
	return vz_cfg_set(cfg, b->id, text, err);
}
