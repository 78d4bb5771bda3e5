/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node in two lines, and a VE a line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "tool/human.h"
#include "vzlist/top/vztop.h"

#define BAR_MAX 40

const void **list_rows(const struct sample *s, const struct shown *shown)
{
	const void **rows = calloc(s->n + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < s->n; i++)
		rows[i] = &s->ves[i];
	if (rows && vz_cols_sort(&fields, &shown->sort, shown->reverse, rows, s->n)) {
		free(rows);
		return NULL;
	}
	return rows;
}

/* [|||||     ] */
static const char *bar(int64_t part, int64_t whole, int width, char buf[BAR_MAX + 3])
{
	int n = whole > 0 && part > 0 ? (double)part / whole * width + 0.5 : 0;

	if (n > width)
		n = width;
	buf[0] = '[';
	memset(buf + 1, '|', n);
	memset(buf + 1 + n, ' ', width - n);
	strcpy(buf + 1 + width, "]");
	return buf;
}

static void add_times(const struct sample *s, const struct shown *shown,
		      struct vz_frame *f)
{
	const struct node *n = &s->node;
	char when[16] = "", host[65] = "";
	time_t now = time(NULL);
	size_t frozen = 0;
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	gethostname(host, sizeof(host) - 1);
	for (size_t i = 0; i < s->n; i++)
		frozen += s->ves[i].frozen;
	vz_frame_add(f, VZ_LOOK_PLAIN,
		     "%s %.20s  up %" PRId64
		     "d%02dh  load %s  %zu VEs run, %zu frozen  by %s%s",
		     when, host, n->up / 86400, (int)(n->up / 3600 % 24), n->load,
		     s->n - frozen, frozen, shown->reverse ? "-" : "",
		     shown->sort.col->name);
}

static void add_use(const struct sample *s, int cols, struct vz_frame *f)
{
	const struct node *n = &s->node;
	int width = cols > 90 ? 20 : 10;
	char cpu[BAR_MAX + 3], mem[BAR_MAX + 3], share[8] = "-", text[4][VZ_HUMAN_MAX];

	if (n->cpu >= 0)
		snprintf(share, sizeof(share), "%d%%", (int)(n->cpu / 1000));
	vz_frame_add(f, VZ_LOOK_PLAIN, "CPU %s %s of %u  Mem %s %s of %s  Swap %s of %s",
		     bar(n->cpu, 100000, width, cpu), share, n->cpus,
		     bar(n->memory_used, n->memory, width, mem),
		     vz_human_bytes(n->memory_used, 1, text[0]),
		     vz_human_bytes(n->memory, 1, text[1]),
		     vz_human_bytes(n->swap_used, 1, text[2]),
		     vz_human_bytes(n->swap, 1, text[3]));
}

void list_head(const struct sample *s, const struct shown *shown, int cols,
	       struct vz_frame *f)
{
	vz_autostr struct vz_str head = { 0 };

	add_times(s, shown, f);
	add_use(s, cols, f);
	vz_frame_add(f, VZ_LOOK_BAD, "%s", s->problem);
	vz_cols_header(shown->picks, shown->n, &head);
	vz_frame_add(f, VZ_LOOK_HEAD, "%.*s", (int)strcspn(head.s ?: "", "\n"),
		     head.s ?: "");
	f->failed |= head.failed;
}

static enum vz_look look_of(const struct ve *ve, bool chosen)
{
	const struct vz_ubc_value *mem = ve->ubc ? &ve->ubc->v[VZ_UBC_PHYSPAGES] : NULL;

	if (chosen)
		return VZ_LOOK_CHOSEN;
	if (ve->new_failures > 0)
		return VZ_LOOK_BAD;
	return mem && mem->limit > 0 && mem->held > mem->limit * 0.9 ? VZ_LOOK_NEAR
								     : VZ_LOOK_PLAIN;
}

void list_body(const struct shown *shown, const void *const *rows, size_t n,
	       uint32_t chosen, struct vz_frame *f)
{
	for (size_t i = 0; i < n; i++) {
		vz_autostr struct vz_str line = { 0 };
		const struct ve *ve = rows[i];

		vz_cols_line(&fields, shown->picks, shown->n, true, ve, &line);
		vz_frame_add(f, look_of(ve, ve->id == chosen), "%.*s",
			     (int)strcspn(line.s ?: "", "\n"), line.s ?: "");
		f->failed |= line.failed;
	}
}
