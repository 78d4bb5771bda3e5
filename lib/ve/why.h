/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_WHY_H
#define VZ_VE_WHY_H

#include <stdint.h>

#include "ve/ve.h"

/*
 * What a VE was refused or slowed by: beancounters, limits of its groups, the
 * OOM killer, pressure, its disk and its links. Only looked at: no lock is
 * taken, and the VE's files are not entered.
 */

#define VZ_WHY_UNKNOWN INT64_MIN

enum vz_why_severity {
	VZ_WHY_NOTE, /* nothing was denied, but it is good to know */
	VZ_WHY_SLOWED,
	VZ_WHY_REFUSED,
	VZ_WHY_KILLED,
};

/* One finding. What is not known is VZ_WHY_UNKNOWN. */
struct vz_why {
	enum vz_why_severity severity;
	const char *kind; /* beancounter, oom, memory, cpu, pressure, disk, net … */
	char what[80]; /* the counter, or the name of the process that was killed */
	int64_t count; /* how often */
	int64_t lost; /* time, in µs */
	int64_t last; /* when last, in seconds since 1970 */
	int64_t since; /* what `count` and `lost` count from; unknown: a pool's age */
	const char *limit; /* whose fault it was, as `set` names it; NULL: none's */
	char pool[32]; /* it is of this pool; "": the VE's own */
	int64_t value; /* of that limit */
	const char *unit; /* of that value: "bytes", "pages", "%" …; "" */
	char text[200];
};

/* The findings, the worst first. */
struct vz_whys {
	struct vz_why *v;
	size_t n;
	int64_t since; /* the VE's start, or what was asked for */
	bool failed; /* memory ran out */
};
void vz_whys_done(struct vz_whys *l);
#define vz_autowhys VZ_CLEANUP(vz_whys_done)

/*
 * Counters begin with the VE's start: its groups are new with each. What has
 * come since another moment is known of what has a time (`TIME`), or when the
 * counters were marked at that moment.
 */
struct vz_why_ask {
	enum { VZ_WHY_SINCE_START, VZ_WHY_SINCE_TIME, VZ_WHY_SINCE_MARK } since;
	int64_t time; /* seconds since 1970, of VZ_WHY_SINCE_TIME */
	bool mark; /* remember the present counters for the next question */
	const char *kmsg; /* NULL: the kernel's log, /dev/kmsg */
};
/* VZ_E_NOTRUNNING; VZ_E_VALUE: nothing is marked; VZ_E_BADCONF: a bad mark. */
int vz_why_read(const struct vz_ve *ve, const struct vz_why_ask *ask, struct vz_whys *ret,
		struct vz_err *err);

/*
 * A moment in words: `2026-11-21 08:00[:00]`, `2026-11-21`, `08:00[:00]` (today),
 * `@SECONDS`, `30s`, `10m`, `2h`, `1d` (ago). 0 or -EINVAL.
 */
int vz_why_parse_time(const char *word, int64_t now, int64_t *ret);

#endif
