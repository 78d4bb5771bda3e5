/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from what was read: pure, so that a test can make it all up. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "ve/why_priv.h"

/* From here on it is worth a word: hundredths of a per cent of the last … s. */
#define PSI_10 1000
#define PSI_60 500
#define PSI_300 500
#define PSI_TOTAL 100 /* the part of all the time: one in a hundred */
#define PSI_LEAST 100000 /* µs */
#define DISK_NEAR 50 /* a fiftieth is left */

struct job {
	const struct vz_why_facts *f;
	const struct vz_why_mark *base;
	int64_t since; /* of the counters */
	int64_t from; /* of what has a time */
	struct vz_whys *list;
};

static struct vz_why *add(struct job *j, enum vz_why_severity severity, const char *kind,
			  const char *what)
{
	struct vz_why *v = realloc(j->list->v, (j->list->n + 1) * sizeof(*v)), *w;

	if (!v) {
		j->list->failed = true;
		return NULL;
	}
	j->list->v = v;
	w = &v[j->list->n++];
	*w = (struct vz_why){ .severity = severity,
			      .kind = kind,
			      .count = VZ_WHY_UNKNOWN,
			      .lost = VZ_WHY_UNKNOWN,
			      .last = VZ_WHY_UNKNOWN,
			      .since = j->since,
			      .value = VZ_WHY_UNKNOWN,
			      .unit = "" };
	snprintf(w->what, sizeof(w->what), "%s", what);
	return w;
}

__attribute__((format(printf, 2, 3))) static void say(struct vz_why *w, const char *fmt,
						      ...)
{
	size_t n = strlen(w->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->text + n, sizeof(w->text) - n, fmt, ap);
	va_end(ap);
}

static void limited_by(struct vz_why *w, const char *limit, uint64_t value,
		       const char *unit)
{
	if (value >= VZ_UNLIMITED)
		return;
	w->limit = limit;
	w->value = value;
	w->unit = unit;
}

/* Of the pool, which counts for all its VEs, and from its first VE's start on. */
static void of_pool(const struct job *j, struct vz_why *w)
{
	snprintf(w->pool, sizeof(w->pool), "%s", j->f->pool);
	if (!j->base)
		w->since = VZ_WHY_UNKNOWN;
}

/* By how much a counter has grown; VZ_WHY_UNKNOWN. */
static int64_t grown(const struct job *j, int counter)
{
	int64_t is = j->f->c.v[counter], was = j->base ? j->base->c.v[counter] : 0;

	if (is == VZ_WHY_UNKNOWN || was == VZ_WHY_UNKNOWN)
		return is;
	if (is >= was)
		return is - was;
	/* A beancounter's failures can be set to 0. */
	return counter >= VZ_WHY_C_UBC ? is : 0;
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* --- beancounters --- */

static const char *const refused[VZ_UBC__COUNT] = {
	[VZ_UBC_KMEMSIZE] = "memory of the kernel",
	[VZ_UBC_LOCKEDPAGES] = "locking of memory",
	[VZ_UBC_PRIVVMPAGES] = "memory to programs (ENOMEM)",
	[VZ_UBC_SHMPAGES] = "shared memory (ENOSPC)",
	[VZ_UBC_NUMPROC] = "new processes and threads (EAGAIN)",
	[VZ_UBC_PHYSPAGES] = "memory",
	[VZ_UBC_VMGUARPAGES] = "memory that is guaranteed",
	[VZ_UBC_OOMGUARPAGES] = "memory that is guaranteed",
	[VZ_UBC_NUMTCPSOCK] = "TCP sockets and connections (ENOBUFS)",
	[VZ_UBC_NUMFLOCK] = "file locks (ENOLCK)",
	[VZ_UBC_NUMPTY] = "pseudo-terminals (ENOSPC)",
	[VZ_UBC_NUMSIGINFO] = "queued signals (EAGAIN)",
	[VZ_UBC_TCPSNDBUF] = "send buffers of TCP",
	[VZ_UBC_TCPRCVBUF] = "receive buffers of TCP",
	[VZ_UBC_OTHERSOCKBUF] = "send buffers of other sockets",
	[VZ_UBC_DGRAMRCVBUF] = "receive buffers of datagrams",
	[VZ_UBC_NUMOTHERSOCK] = "sockets other than TCP's (ENOBUFS)",
	[VZ_UBC_DCACHESIZE] = "entries of the kernel's directory cache",
	[VZ_UBC_NUMFILE] = "open files (ENFILE)",
	[VZ_UBC_NUMIPTENT] = "rules of netfilter (ENOMEM)",
	[VZ_UBC_SWAPPAGES] = "swap",
};

static const char *unit_of(int id)
{
	unsigned int unit = vz_ubc_descs[id].unit;

	return unit == 1 ? "bytes" : unit ? "pages" : "";
}

static uint64_t ubc_limit(const struct vz_why_facts *f, int id)
{
	uint64_t limit = f->ubc[id].limit, barrier = f->ubc[id].barrier;

	if (id == VZ_UBC_NUMPROC && f->pids_max < VZ_UNLIMITED)
		return f->pids_max;
	/* What a program asks for is refused at the barrier. */
	return id == VZ_UBC_PRIVVMPAGES || limit >= VZ_UNLIMITED ? barrier : limit;
}

/* Of memory the groups tell more: find_memory(). */
static bool told_elsewhere(const struct vz_why_facts *f, int id)
{
	return (id == VZ_UBC_PHYSPAGES && f->c.v[VZ_WHY_C_MEM_MAX] >= 0) ||
	       (id == VZ_UBC_SWAPPAGES && f->c.v[VZ_WHY_C_SWAP_MAX] >= 0);
}

static void find_ubc(struct job *j)
{
	for (int id = 0; id < VZ_UBC__COUNT; id++) {
		int64_t n = grown(j, VZ_WHY_C_UBC + id), last;
		struct vz_why *w;

		if (id == VZ_UBC_NUMPROC)
			n = max_of(n, grown(j, VZ_WHY_C_FORKS));
		last = j->f->ubc_last[id];
		if (n <= 0 || told_elsewhere(j->f, id) ||
		    (last != VZ_WHY_UNKNOWN && last < j->from))
			continue;
		w = add(j, VZ_WHY_REFUSED, "beancounter", vz_ubc_descs[id].name);
		if (!w)
			return;
		w->count = n;
		w->last = last;
		limited_by(w, vz_ubc_descs[id].name, ubc_limit(j->f, id), unit_of(id));
		say(w, "was refused %s", refused[id]);
		if (id == VZ_UBC_NUMPROC && j->f->pool_pids < j->f->pids_max) {
			limited_by(w, "numproc", j->f->pool_pids, "");
			snprintf(w->pool, sizeof(w->pool), "%s", j->f->pool);
		}
	}
}

/* --- memory --- */

static void limited_by_oom(const struct job *j, struct vz_why *w, enum vz_why_oom by)
{
	w->pool[0] = 0;
	w->value = VZ_WHY_UNKNOWN;
	w->unit = "";
	w->limit = by == VZ_WHY_OOM_NODE ? "node" : "physpages";
	if (by == VZ_WHY_OOM_VE)
		limited_by(w, "physpages", j->f->mem_max, "bytes");
	if (by != VZ_WHY_OOM_POOL)
		return;
	limited_by(w, "physpages", j->f->pool_mem, "bytes");
	snprintf(w->pool, sizeof(w->pool), "%s", j->f->pool);
}

static void say_oom(struct vz_why *w, enum vz_why_oom by, uint64_t pid)
{
	static const char *const where[] = {
		[VZ_WHY_OOM_VE] = "the VE's memory",
		[VZ_WHY_OOM_POOL] = "the memory of the VE's pool",
		[VZ_WHY_OOM_NODE] = "the node's memory",
	};

	say(w, "was killed, for %s had run out (pid %" PRIu64 ")", where[by], pid);
}

/* One a name: the latest kill of it comes last. */
static struct vz_why *find_name(struct job *j, size_t first,
				const struct vz_why_kill *kill)
{
	for (size_t i = first; i < j->list->n; i++)
		if (!strcmp(j->list->v[i].what, kill->name))
			return &j->list->v[i];
	return add(j, VZ_WHY_KILLED, "oom", kill->name);
}

static void note_kill(const struct job *j, struct vz_why *w,
		      const struct vz_why_kill *kill)
{
	w->since = max_of(j->since, j->from);
	w->count = max_of(w->count, 0) + 1;
	w->last = kill->time;
	w->text[0] = 0;
	limited_by_oom(j, w, kill->by);
	say_oom(w, kill->by, kill->pid);
}

/*
 * How many were killed the group knows; who, the log, if it has not forgotten or
 * left out some. What it has from before is of another time of this VE.
 */
static void find_kills(struct job *j)
{
	const struct vz_why_kills *kills = &j->f->kills;
	int64_t killed = grown(j, VZ_WHY_C_MEM_KILLS), named = 0,
		after = max_of(j->from, j->since);
	size_t first = j->list->n, i = 0;
	struct vz_why *w;

	if (killed >= 0 && (size_t)killed < kills->n)
		i = kills->n - killed;
	if (killed >= 0 && j->from <= j->since)
		after = 0; /* the number says it, and better than two clocks */
	for (; i < kills->n; i++, named++) {
		if (kills->v[i].time < after)
			continue;
		w = find_name(j, first, &kills->v[i]);
		if (!w)
			return;
		note_kill(j, w, &kills->v[i]);
	}
	if (killed <= named)
		return;
	w = add(j, VZ_WHY_KILLED, "oom", named ? "(others)" : "(unknown)");
	if (!w)
		return;
	w->count = killed - named;
	limited_by_oom(j, w, VZ_WHY_OOM_VE);
	say(w, "processes that the kernel's log does not name were killed for memory");
}

/* Memory that is taken back at a limit without anyone's having to wait. */
static bool no_time_lost(const struct job *j)
{
	int64_t us = grown(j, VZ_WHY_C_PSI + 2 * VZ_WHY_PSI_MEMORY);

	return j->f->psi[VZ_WHY_PSI_MEMORY].known && us != VZ_WHY_UNKNOWN &&
	       us < (j->f->now - j->since) * 1000 && us < PSI_LEAST;
}

/* Some kernels of v1 don't count how often: the greatest use tells that it was. */
static bool only_peak(const struct job *j)
{
	return !j->base && j->f->mem_max < VZ_UNLIMITED &&
	       j->f->mem_peak >= j->f->mem_max;
}

static void find_memory(struct job *j)
{
	const struct {
		enum vz_why_counter counter;
		const char *what, *limit, *text;
		uint64_t value;
	} rows[] = {
		{ VZ_WHY_C_MEM_MAX, "physpages", "physpages",
		  "reached its memory: pages were taken back", j->f->mem_max },
		{ VZ_WHY_C_MEM_HIGH, "memory.high", "memory.high",
		  "was above its memory: it had to wait", j->f->mem_high },
		{ VZ_WHY_C_MEM_LOW, "vmguarpages", NULL,
		  "memory that is guaranteed was taken: the node has too little",
		  VZ_UNLIMITED },
		{ VZ_WHY_C_SWAP_MAX, "swappages", "swappages", "reached its swap",
		  j->f->swap_max },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		int64_t n = grown(j, rows[i].counter);
		bool harmless = rows[i].counter == VZ_WHY_C_MEM_MAX && no_time_lost(j);
		struct vz_why *w;

		if (n <= 0 && !(rows[i].counter == VZ_WHY_C_MEM_MAX && only_peak(j)))
			continue;
		w = add(j, harmless ? VZ_WHY_NOTE : VZ_WHY_SLOWED, "memory",
			rows[i].what);
		if (!w)
			return;
		w->count = n > 0 ? n : VZ_WHY_UNKNOWN;
		if (rows[i].limit)
			limited_by(w, rows[i].limit, rows[i].value, "bytes");
		say(w, "%s%s", rows[i].text, harmless ? ", no time was lost" : "");
	}
}

static void find_oom(struct job *j)
{
	int64_t n = grown(j, VZ_WHY_C_MEM_OOM), killed = grown(j, VZ_WHY_C_MEM_KILLS);
	struct vz_why *w;

	if (n <= 0 || killed > 0)
		return;
	w = add(j, VZ_WHY_REFUSED, "memory", "out of memory");
	if (!w)
		return;
	w->count = n;
	limited_by(w, "physpages", j->f->mem_max, "bytes");
	say(w, "was refused memory, and nothing could be killed for it");
}

static void find_swap(struct job *j)
{
	struct vz_why *w;

	if (j->f->swap_used <= 0)
		return;
	w = add(j, VZ_WHY_NOTE, "swap", "swap");
	if (!w)
		return;
	limited_by(w, "swappages", j->f->swap_max, "bytes");
	say(w, "%" PRId64 " KiB of its memory are in swap", j->f->swap_used >> 10);
}

/* --- time --- */

static void find_cpu(struct job *j)
{
	int64_t n = grown(j, VZ_WHY_C_CPU_THROTTLED),
		periods = grown(j, VZ_WHY_C_CPU_PERIODS);
	struct vz_why *w;

	if (n <= 0)
		return;
	w = add(j, VZ_WHY_SLOWED, "cpu", "throttled");
	if (!w)
		return;
	w->count = n;
	w->lost = grown(j, VZ_WHY_C_CPU_LOST);
	limited_by(w, "cpulimit", j->f->cpu_max, "%");
	say(w, "had no CPU time left");
	if (periods > 0)
		say(w, " in %" PRId64 " %% of %" PRId64 " periods",
		    n >= periods ? 100 : n * 100 / periods, periods);
}

static bool is_pressed(const struct job *j, int res, int64_t lost)
{
	const uint64_t *some = j->f->psi[res].some;
	int64_t elapsed = (j->f->now - j->since) * 1000000;

	return some[0] >= PSI_10 || some[1] >= PSI_60 || some[2] >= PSI_300 ||
	       (lost >= PSI_LEAST && lost >= elapsed / PSI_TOTAL);
}

static void say_pressure(struct vz_why *w, const char *for_what, const uint64_t some[3],
			 const uint64_t full[3])
{
	say(w, "waited for %s: %" PRIu64 ".%02" PRIu64 " %% of the last 10 s, ", for_what,
	    some[0] / 100, some[0] % 100);
	say(w,
	    "%" PRIu64 ".%02" PRIu64 " %% of 60 s, %" PRIu64 ".%02" PRIu64 " %% of 300 s",
	    some[1] / 100, some[1] % 100, some[2] / 100, some[2] % 100);
	if (full[0] || full[1] || full[2])
		say(w,
		    "; all of it: %" PRIu64 ".%02" PRIu64 ", %" PRIu64 ".%02" PRIu64
		    ", %" PRIu64 ".%02" PRIu64 " %%",
		    full[0] / 100, full[0] % 100, full[1] / 100, full[1] % 100,
		    full[2] / 100, full[2] % 100);
}

static void limit_pressure(const struct job *j, struct vz_why *w, int res)
{
	if (res == VZ_WHY_PSI_CPU && j->f->cpu_max < VZ_UNLIMITED)
		limited_by(w, "cpulimit", j->f->cpu_max, "%");
	else if (res == VZ_WHY_PSI_MEMORY)
		limited_by(w, "physpages", j->f->mem_max, "bytes");
	else if (res == VZ_WHY_PSI_IO && j->f->io_bytes < VZ_UNLIMITED)
		limited_by(w, "iolimit", j->f->io_bytes, "bytes/s");
	else if (res == VZ_WHY_PSI_IO)
		limited_by(w, "iopslimit", j->f->io_ops, "/s");
}

static void find_pressure(struct job *j)
{
	static const char *const what[] = { "cpu", "memory", "io" };
	static const char *const for_what[] = { "CPU", "memory", "disks" };
	bool known = false;
	struct vz_why *w;

	for (int i = 0; i < VZ_WHY_PSI__COUNT; i++) {
		int64_t lost = grown(j, VZ_WHY_C_PSI + 2 * i);

		known |= j->f->psi[i].known;
		if (!j->f->psi[i].known || !is_pressed(j, i, lost))
			continue;
		w = add(j, VZ_WHY_SLOWED, "pressure", what[i]);
		if (!w)
			return;
		w->lost = lost;
		limit_pressure(j, w, i);
		say_pressure(w, for_what[i], j->f->psi[i].some, j->f->psi[i].full);
	}
	w = known ? NULL : add(j, VZ_WHY_NOTE, "pressure", "unknown");
	if (w)
		say(w, "this kernel does not measure who waits for what: boot it with "
		       "psi=1");
}

/* --- the rest --- */

static void find_disk(struct job *j, bool inodes, uint64_t total, uint64_t avail)
{
	struct vz_why *w;

	if (!total || avail > total / DISK_NEAR)
		return;
	w = add(j, avail ? VZ_WHY_NOTE : VZ_WHY_REFUSED, "disk",
		inodes ? "inodes" : "space");
	if (!w)
		return;
	limited_by(w, inodes ? "diskinodes" : "diskspace", total, inodes ? "" : "bytes");
	if (!avail)
		say(w, "is full: %s (ENOSPC)",
		    inodes ? "no more files can be made" : "nothing can be written");
	else if (inodes)
		say(w, "%" PRIu64 " more files can be made", avail);
	else
		say(w, "%" PRIu64 " KiB are left", avail >> 10);
}

static void find_net(struct job *j)
{
	int64_t guard = grown(j, VZ_WHY_C_NET_GUARD),
		dropped = grown(j, VZ_WHY_C_RATE_DROPPED),
		waited = grown(j, VZ_WHY_C_RATE_WAITED);
	struct vz_why *w;

	w = guard > 0 ? add(j, VZ_WHY_REFUSED, "net", "foreign") : NULL;
	if (w) {
		w->count = guard;
		say(w, "sent packets from an address or MAC that is not its own");
	}
	w = dropped > 0 || waited > 0 ? add(j, VZ_WHY_SLOWED, "net", "rate") : NULL;
	if (w) {
		w->count = max_of(dropped, 0);
		limited_by(w, "rate", j->f->rate, "bytes/s");
		say(w, "packets were dropped, and %" PRId64 " times one had to wait",
		    max_of(waited, 0));
	}
}

static void find_ve(struct job *j)
{
	struct vz_why *w = j->f->disabled ? add(j, VZ_WHY_NOTE, "ve", "disabled") : NULL;

	if (w)
		say(w, "DISABLED=yes: once it is down it is not started again");
	w = j->f->reboots ? add(j, VZ_WHY_NOTE, "ve", "reboots") : NULL;
	if (w) {
		w->count = j->f->reboots;
		say(w,
		    "rebooted soon after its start, over and over: it will be left down");
	}
}

/* --- the pool --- */

static void find_pool_cpu(struct job *j)
{
	int64_t n = grown(j, VZ_WHY_C_POOL_THROTTLED),
		periods = grown(j, VZ_WHY_C_POOL_PERIODS);
	struct vz_why *w;

	w = n > 0 ? add(j, VZ_WHY_SLOWED, "pool", "throttled") : NULL;
	if (!w)
		return;
	of_pool(j, w);
	w->count = n;
	w->lost = grown(j, VZ_WHY_C_POOL_LOST);
	limited_by(w, "cpulimit", j->f->pool_cpu, "%");
	say(w, "its pool had no CPU time left");
	if (periods > 0)
		say(w, " in %" PRId64 " %% of %" PRId64 " periods",
		    n >= periods ? 100 : n * 100 / periods, periods);
}

static void find_pool(struct job *j)
{
	int64_t memory = grown(j, VZ_WHY_C_POOL_MEM_MAX),
		forks = grown(j, VZ_WHY_C_POOL_FORKS);
	struct vz_why *w;

	find_pool_cpu(j);
	w = memory > 0 ? add(j, no_time_lost(j) ? VZ_WHY_NOTE : VZ_WHY_SLOWED, "pool",
			     "physpages")
		       : NULL;
	if (w) {
		of_pool(j, w);
		w->count = memory;
		limited_by(w, "physpages", j->f->pool_mem, "bytes");
		say(w, "its pool reached its memory: pages were taken back");
	}
	w = forks > 0 ? add(j, VZ_WHY_REFUSED, "pool", "numproc") : NULL;
	if (w) {
		of_pool(j, w);
		w->count = forks;
		limited_by(w, "numproc", j->f->pool_pids, "");
		say(w, "its pool was refused new processes and threads (EAGAIN)");
	}
}

void vz_why_find(const struct vz_why_facts *f, const struct vz_why_mark *base,
		 int64_t since, struct vz_whys *ret)
{
	struct job j = { f, base, base ? base->time : f->started, since, ret };

	ret->since = max_of(j.since, since);
	find_kills(&j);
	find_ubc(&j);
	find_oom(&j);
	find_memory(&j);
	find_cpu(&j);
	find_pressure(&j);
	if (f->disk.known)
		find_disk(&j, false, f->disk.total, f->disk.avail);
	if (f->inodes.known)
		find_disk(&j, true, f->inodes.total, f->inodes.avail);
	find_pool(&j);
	find_net(&j);
	find_swap(&j);
	find_ve(&j);
}

/* Of what slowed, what cost most time; else what came most often. */
static int compare(const void *pa, const void *pb)
{
	const struct vz_why *a = pa, *b = pb;
	int64_t x = a->count, y = b->count;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->severity == VZ_WHY_SLOWED && a->lost != b->lost) {
		x = a->lost;
		y = b->lost;
	}
	return x != y ? (x > y ? -1 : 1) : strcmp(a->what, b->what);
}

void vz_why_sort(struct vz_whys *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}
