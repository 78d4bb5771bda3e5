/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_REPORT_H
#define VZMIGRATE_REPORT_H

#include "tool/log.h"
#include "tool/progress.h"
#include "vzmigrate/exit.h"

/*
 * How a migration goes, told to whoever listens: lines and a bar to a terminal, a
 * JSON object a line to a program (--json), lines to the log file. And how long each
 * part took.
 */
enum phase {
	PHASE_CONNECT,
	PHASE_CHECK,
	PHASE_BEGIN,
	PHASE_COPY, /* the VE may be running */
	PHASE_MEMORY, /* what of its memory goes over early */
	PHASE_STOP, /* from here on it does not */
	PHASE_READY,
	PHASE_DUMP, /* or stands still, from here on */
	PHASE_COPY_LAST,
	PHASE_IMAGES,
	PHASE_PREPARE,
	PHASE_START,
	PHASE_CLEAR, /* it runs there again */
	PHASE__COUNT,
};

struct report {
	bool json, quiet, times;
	int verbose;
	uint32_t veid;
	const char *dest;
	struct vz_logfile log;
	struct vz_progress bar;
	enum phase now; /* PHASE__COUNT: none */
	int64_t since; /* ms: of the phase */
	int64_t ms[PHASE__COUNT]; /* -1: it did not come to that */
	uint64_t total; /* bytes of files */
};

void report_begin(struct report *r, uint32_t veid, const char *dest);
void report_phase(struct report *r, enum phase phase);
/* Of the phase that copies; for struct copy. */
void report_progress(void *report, uint64_t bytes, const char *rate);
/* Something to know, in passing. */
void report_say(struct report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* What is in the way of its going live. */
struct vz_obstacle;
void report_obstacle(struct report *r, const struct vz_obstacle *o);
/* To a program: where a VE is to go; NULL: nowhere. */
void report_plan(uint32_t veid, const char *status, const char *dest);
/* The end: status and, when it failed, why. */
void report_end(struct report *r, int status, const struct vz_err *err);

#endif
