/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZTOP_H
#define VZTOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "res/ubc.h"
#include "sys/cgroup.h"
#include "tool/cols.h"
#include "tool/frame.h"

enum { PSI_CPU, PSI_MEMORY, PSI_IO, PSI__COUNT };

/* What is not known is -1. */
struct ve {
	uint32_t id;
	char name[64]; /* its name, else its host name, else "" */
	char pool[64]; /* "": none */
	bool frozen;
	int64_t started; /* CLOCK_BOOTTIME, seconds */
	int64_t up; /* seconds */
	int64_t cpu_ns; /* used since it was started */
	int64_t cpu; /* since the sample before: thousandths of a per cent of one CPU */
	int64_t pressure[PSI__COUNT]; /* thousandths of a per cent, over 10 seconds */
	int64_t failures, new_failures; /* of all counters */
	const struct vz_ubc *ubc; /* NULL: there is none */
};

struct node {
	int64_t up; /* seconds */
	char load[32];
	unsigned int cpus;
	int64_t cpu_ticks, idle_ticks; /* since it was booted */
	int64_t cpu; /* thousandths of a per cent of all CPUs */
	int64_t memory, memory_used, swap, swap_used; /* bytes */
};

struct sample {
	int64_t when_ns; /* CLOCK_BOOTTIME; 0: none was taken */
	struct node node;
	struct ve *ves; /* ascending by number */
	size_t n;
	struct vz_ubc *ubc;
	size_t n_ubc;
	char problem[1000]; /* why there are no counters */
};

/* sample.c: look at the node and the VEs that run; before: to compare with. */
int sample_take(const struct vz_ctx *ctx, const struct vz_cg_host *groups,
		const struct sample *before, struct sample *ret, struct vz_err *err);
void sample_done(struct sample *s);
const struct ve *sample_find(const struct sample *s, uint32_t id);

/* fields.c: the columns. */
extern const struct vz_cols fields;
#define DEFAULT_FIELDS                                                                   \
	"veid,name,status,cpu,mem,mem%,numproc,pcpu,pmem,pio,failcnt,newfail"

/* What is shown, and in which order. */
struct shown {
	struct vz_pick *picks;
	size_t n;
	struct vz_pick sort;
	bool reverse;
};

/* list.c: the rows of a sample, sorted, to be freed; NULL: no memory. */
const void **list_rows(const struct sample *s, const struct shown *shown);
/* The node's summary and the columns' header: as many lines as it adds. */
void list_head(const struct sample *s, const struct shown *shown, int cols,
	       struct vz_frame *f);
void list_body(const struct shown *shown, const void *const *rows, size_t n,
	       uint32_t chosen, struct vz_frame *f);

/* screen.c: until somebody types q, or that many times; 0: for ever. */
int screen_run(const struct vz_ctx *ctx, const struct vz_cg_host *groups,
	       struct shown *shown, int interval_ms, uint64_t times, struct vz_err *err);

#endif
