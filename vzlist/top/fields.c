/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The columns of vztop. A text is for eyes; JSON and sorting have the number. */
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "tool/human.h"
#include "tool/ubcview.h"
#include "vzlist/top/vztop.h"

enum field {
	F_VEID,
	F_NAME,
	F_POOL,
	F_STATUS,
	F_CPU,
	F_CPUTIME,
	F_UPTIME,
	F_MEM,
	F_MEM_SHARE,
	F_SWAP,
	F_NUMPROC,
	F_PRESSURE_CPU,
	F_PRESSURE_MEMORY,
	F_PRESSURE_IO,
	F_FAILCNT,
	F_NEWFAIL,
};

static const struct vz_col table[] = {
	{ "veid", "VEID", 7, VZ_COL_NUM, NULL, "number of the VE", F_VEID },
	{ "name", "NAME", -12, VZ_COL_STR, NULL, "its name, else its host name", F_NAME },
	{ "pool", "POOL", -12, VZ_COL_STR, NULL, "the pool that it is in", F_POOL },
	{ "status", "STATUS", -7, VZ_COL_WORD, NULL, "running or frozen", F_STATUS },
	{ "cpu", "CPU%", 6, VZ_COL_MILLI, NULL, "CPU, 100 is one of the node's", F_CPU },
	{ "cputime", "TIME", 9, VZ_COL_MILLI, NULL, "seconds of CPU since its start",
	  F_CPUTIME },
	{ "uptime", "UP", 9, VZ_COL_NUM, NULL, "seconds since its start", F_UPTIME },
	{ "mem", "MEM", 5, VZ_COL_NUM, NULL, "bytes of memory", F_MEM },
	{ "mem%", "MEM%", 5, VZ_COL_MILLI, NULL, "of the memory that it may have",
	  F_MEM_SHARE },
	{ "swap", "SWAP", 5, VZ_COL_NUM, NULL, "bytes of swap", F_SWAP },
	{ "numproc", "PROC", 5, VZ_COL_NUM, NULL, "processes and threads", F_NUMPROC },
	{ "pcpu", "PCPU", 4, VZ_COL_MILLI, NULL, "share of time that it waited for a CPU",
	  F_PRESSURE_CPU },
	{ "pmem", "PMEM", 4, VZ_COL_MILLI, NULL, "for memory", F_PRESSURE_MEMORY },
	{ "pio", "PIO", 4, VZ_COL_MILLI, NULL, "for disks", F_PRESSURE_IO },
	{ "failcnt", "FAIL", 5, VZ_COL_NUM, NULL, "refusals, of all counters",
	  F_FAILCNT },
	{ "newfail", "+FAIL", 5, VZ_COL_NUM, NULL, "since the time before", F_NEWFAIL },
};

static void text(struct vz_cell *ret, const char *s)
{
	ret->set = *s;
	ret->text = s;
}

/* Thousandths; -1: not known. One decimal as long as there is room for it. */
static void milli(struct vz_cell *ret, int64_t v, int width)
{
	ret->set = v >= 0;
	if (!ret->set)
		return;
	ret->num = v;
	if (snprintf(ret->buf, sizeof(ret->buf), "%.1f", v / 1000.0) > width)
		snprintf(ret->buf, sizeof(ret->buf), "%" PRId64, v / 1000);
	ret->text = ret->buf;
}

static void count(struct vz_cell *ret, int64_t v)
{
	ret->set = v >= 0;
	ret->num = v;
	ret->text = vz_human_count(v < 0 ? 0 : v, ret->buf);
}

static void counter(const struct ve *ve, enum vz_ubc_id id, struct vz_cell *ret)
{
	const struct vz_ubc_value *v = ve->ubc ? &ve->ubc->v[id] : NULL;
	unsigned int unit = vz_ubc_descs[id].unit;

	ret->set = v && v->held != VZ_UBC_UNKNOWN;
	if (!ret->set)
		return;
	ret->num = v->held * (unit ?: 1);
	ret->text = vz_human_value(v->held, unit, ret->buf);
}

static void memory_share(const struct ve *ve, struct vz_cell *ret)
{
	const struct vz_ubc_value *v = ve->ubc ? &ve->ubc->v[VZ_UBC_PHYSPAGES] : NULL;

	if (v && v->held >= 0 && v->limit > 0 && v->limit != VZ_UNLIMITED)
		milli(ret, (double)v->held / v->limit * 100000, 5);
}

/* 12d03h, 3h04m, 5m06s */
static void duration(struct vz_cell *ret, int64_t s, bool is_milli)
{
	ret->set = s >= 0;
	if (!ret->set)
		return;
	ret->num = s;
	if (is_milli)
		s /= 1000;
	if (s >= 86400)
		snprintf(ret->buf, sizeof(ret->buf), "%" PRId64 "d%02dh", s / 86400,
			 (int)(s / 3600 % 24));
	else if (s >= 3600)
		snprintf(ret->buf, sizeof(ret->buf), "%dh%02dm", (int)(s / 3600),
			 (int)(s / 60 % 60));
	else
		snprintf(ret->buf, sizeof(ret->buf), "%dm%02ds", (int)(s / 60),
			 (int)(s % 60));
	ret->text = ret->buf;
}

static void cell(const void *row, const struct vz_col *col, unsigned int part,
		 struct vz_cell *ret)
{
	const struct ve *ve = row;

	switch (col->id) {
	case F_VEID:
		ret->set = true;
		ret->num = ve->id;
		break;
	case F_NAME:
		text(ret, ve->name);
		break;
	case F_POOL:
		text(ret, ve->pool);
		break;
	case F_STATUS:
		text(ret, ve->frozen ? "frozen" : "running");
		break;
	case F_CPU:
		milli(ret, ve->cpu, col->width);
		break;
	case F_CPUTIME:
		duration(ret, ve->cpu_ns < 0 ? -1 : ve->cpu_ns / 1000000, true);
		break;
	case F_UPTIME:
		duration(ret, ve->up, false);
		break;
	case F_MEM:
		counter(ve, VZ_UBC_PHYSPAGES, ret);
		break;
	case F_MEM_SHARE:
		memory_share(ve, ret);
		break;
	case F_SWAP:
		counter(ve, VZ_UBC_SWAPPAGES, ret);
		break;
	case F_NUMPROC:
		counter(ve, VZ_UBC_NUMPROC, ret);
		break;
	case F_PRESSURE_CPU:
	case F_PRESSURE_MEMORY:
	case F_PRESSURE_IO:
		milli(ret, ve->pressure[col->id - F_PRESSURE_CPU], col->width);
		break;
	case F_FAILCNT:
		count(ret, ve->failures);
		break;
	case F_NEWFAIL:
		count(ret, ve->new_failures);
		break;
	}
}

const struct vz_cols fields = { table, VZ_ARRAY_SIZE(table), cell };
