/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The live screen: a list of VEs, the counters of one, and help. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "tool/screen.h"
#include "tool/ubcview.h"
#include "ve/ubc.h"
#include "vzlist/top/vztop.h"

enum view {
	VIEW_LIST,
	VIEW_COUNTERS,
	VIEW_HELP,
};

struct top {
	const struct vz_ctx *ctx;
	const struct vz_cg_host *groups;
	struct shown *shown;
	struct vz_screen screen;
	struct sample now, before;
	const void **rows; /* of now */
	enum view view;
	bool all_counters;
	uint32_t chosen; /* 0: none yet */
	size_t first; /* line that is shown below the fixed ones: of the list, */
	size_t first_counter; /* and of the counters */
	/* Of the chosen VE, sampled for its own view. */
	struct vz_ubc *ubc, *ubc_before;
	char problem[1000];
};

static const char *const help[] = {
	"Up Down PgUp PgDn Home End   choose a VE",
	"b u Enter                    its beancounters; once more: back",
	"a                            there: also counters without a limit",
	"Left Right                   there: the VE before, the next one",
	"",
	"c m p f F w n v              sort by CPU, memory, processes, failures, new",
	"                             failures, waiting for a CPU, name, VEID",
	"< >                          sort by the column to the left, to the right",
	"r                            the other way round",
	"Space                        look again now",
	"h ?                          this help; any key: back",
	"q Ctrl-C                     end",
	"",
	"CPU% 100 is one CPU of the node. PCPU, PMEM and PIO: for how much of the last",
	"10 seconds, in per cent, some process of the VE waited for a CPU, for memory,",
	"for a disk. FAIL: refusals of all counters; +FAIL: since the look before.",
};

static size_t row_of(const struct top *t, uint32_t id)
{
	for (size_t i = 0; i < t->now.n; i++)
		if (((const struct ve *)t->rows[i])->id == id)
			return i;
	return 0;
}

static const struct ve *chosen_ve(struct top *t)
{
	const struct ve *ve = t->now.n ? t->rows[row_of(t, t->chosen)] : NULL;

	t->chosen = ve ? ve->id : 0;
	return ve;
}

static bool sort_rows(struct top *t)
{
	free(t->rows);
	t->rows = list_rows(&t->now, t->shown);
	return t->rows;
}

static void read_chosen(struct top *t)
{
	struct vz_err err = { 0 };
	struct vz_ubc *ubc = NULL;
	size_t n = 0;

	*t->problem = '\0';
	if (vz_ubc_read(t->ctx, t->chosen, true, &ubc, &n, &err) || !n)
		snprintf(t->problem, sizeof(t->problem), "%s", err.text);
	free(t->ubc_before);
	t->ubc_before = t->ubc;
	t->ubc = n ? ubc : NULL;
	if (!n)
		free(ubc);
	if (t->ubc && t->ubc_before && t->ubc->veid != t->ubc_before->veid) {
		free(t->ubc_before);
		t->ubc_before = NULL;
	}
}

static int look(struct top *t, struct vz_err *err)
{
	struct sample now;
	int r = sample_take(t->ctx, t->groups, &t->now, &now, err);

	if (r)
		return r;
	sample_done(&t->before);
	t->before = t->now;
	t->now = now;
	if (!sort_rows(t))
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't list the VEs");
	if (t->view == VIEW_COUNTERS && chosen_ve(t))
		read_chosen(t);
	return 0;
}

/* -- drawing -- */

static int draw_list(struct top *t)
{
	vz_autoframe struct vz_frame f = { 0 };
	const struct ve *chosen = chosen_ve(t);
	size_t fixed, page, at;

	list_head(&t->now, t->shown, t->screen.cols, &f);
	fixed = f.n;
	list_body(t->shown, t->rows, t->now.n, t->chosen, &f);
	if (!t->now.n)
		vz_frame_add(&f, VZ_LOOK_PLAIN, "No VE runs. q ends, h helps.");
	page = t->screen.rows > (int)fixed ? t->screen.rows - fixed : 1;
	at = chosen ? row_of(t, chosen->id) : 0;
	if (at < t->first)
		t->first = at;
	if (at >= t->first + page)
		t->first = at - page + 1;
	t->first = vz_screen_scroll(VZ_KEY_NONE, t->first, f.n - fixed, page);
	return vz_screen_draw(&t->screen, &f, fixed, t->first, NULL);
}

/* Below the VE's name and the table's head. */
static size_t counters_page(const struct top *t)
{
	return t->screen.rows > 3 ? t->screen.rows - 2 : 1;
}

static int draw_counters(struct top *t)
{
	vz_autoframe struct vz_frame f = { 0 };
	const struct ve *ve = chosen_ve(t);
	struct vz_ubcview view = { .near_held = VZ_UBCVIEW_NEAR_HELD,
				   .near_max = VZ_UBCVIEW_NEAR_MAX,
				   .unbounded = t->all_counters,
				   .changes = true,
				   .helds = t->ubc_before };

	if (ve && t->ubc && t->ubc->veid == ve->id) {
		if (!vz_ubcview_add(&view, t->ubc, ve->name, &f))
			vz_frame_add(&f, VZ_LOOK_PLAIN,
				     "VE %u has no limits. a shows all counters.",
				     ve->id);
	} else {
		vz_frame_add(&f, VZ_LOOK_BAD, "%s",
			     *t->problem ? t->problem : "The VE does not run any more.");
	}
	if (f.n > 2)
		t->first_counter = vz_screen_scroll(VZ_KEY_NONE, t->first_counter,
						    f.n - 2, counters_page(t));
	return vz_screen_draw(&t->screen, &f, 2, t->first_counter, NULL);
}

static int draw_help(struct top *t)
{
	vz_autoframe struct vz_frame f = { 0 };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(help); i++)
		vz_frame_add(&f, VZ_LOOK_PLAIN, "%s", help[i]);
	return vz_screen_draw(&t->screen, &f, 0, 0, NULL);
}

static int draw(struct top *t)
{
	switch (t->view) {
	case VIEW_COUNTERS:
		return draw_counters(t);
	case VIEW_HELP:
		return draw_help(t);
	default:
		return draw_list(t);
	}
}

/* -- keys -- */

static void move_chosen(struct top *t, int key)
{
	size_t page = t->screen.rows > 5 ? t->screen.rows - 5 : 1;
	size_t at, n = t->now.n;

	if (!n)
		return;
	at = row_of(t, t->chosen);
	/* By a screen's rows, but among all of them. */
	if (key == VZ_KEY_PAGE_UP)
		at = at > page ? at - page : 0;
	else if (key == VZ_KEY_PAGE_DOWN)
		at = at + page < n ? at + page : n - 1;
	else
		at = vz_screen_scroll(key, at, n, 1);
	t->chosen = ((const struct ve *)t->rows[at])->id;
}

static bool sort_by(struct top *t, int key)
{
	static const struct {
		char key;
		const char *field;
		bool reverse;
	} orders[] = {
		{ 'c', "cpu", true },	  { 'm', "mem", true },
		{ 'p', "numproc", true }, { 'f', "failcnt", true },
		{ 'F', "newfail", true }, { 'w', "pcpu", true },
		{ 'n', "name", false },	  { 'v', "veid", false },
	};
	struct shown *shown = t->shown;
	size_t at = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(orders); i++)
		if (orders[i].key == key) {
			vz_cols_find(&fields, orders[i].field, strlen(orders[i].field),
				     &shown->sort);
			shown->reverse = orders[i].reverse;
			return sort_rows(t);
		}
	while (at < shown->n && shown->picks[at].col != shown->sort.col)
		at++;
	if (key == '<' && at > 0)
		shown->sort = shown->picks[at - 1];
	else if (key == '>' && at + 1 < shown->n)
		shown->sort = shown->picks[at + 1];
	else if (key == 'r')
		shown->reverse = !shown->reverse;
	return sort_rows(t);
}

static bool on_list_key(struct top *t, int key)
{
	if (key == 'b' || key == 'u' || key == '\n' || key == '\r') {
		if (chosen_ve(t)) {
			t->view = VIEW_COUNTERS;
			read_chosen(t);
		}
		return true;
	}
	if (key >= VZ_KEY_NONE || key == 'j' || key == 'k' || key == 'g' || key == 'G')
		move_chosen(t, key);
	else
		return sort_by(t, key);
	return true;
}

static void on_counters_key(struct top *t, int key)
{
	if (key == VZ_KEY_LEFT || key == VZ_KEY_RIGHT) {
		move_chosen(t, key == VZ_KEY_LEFT ? VZ_KEY_UP : VZ_KEY_DOWN);
		if (chosen_ve(t))
			read_chosen(t);
	} else if (key == 'a') {
		t->all_counters = !t->all_counters;
	} else if (key == 'b' || key == 'u' || key == '\n' || key == '\r' ||
		   key == VZ_KEY_ESCAPE || key == 0x7f) {
		t->view = VIEW_LIST;
	} else {
		t->first_counter = vz_screen_scroll(key, t->first_counter, VZ_UBC__COUNT,
						    counters_page(t));
	}
}

/* False: no memory. */
static bool on_key(struct top *t, int key)
{
	if (key == VZ_KEY_DRAW)
		return true;
	if (t->view == VIEW_HELP)
		t->view = VIEW_LIST;
	else if (key == 'h' || key == '?')
		t->view = VIEW_HELP;
	else if (t->view == VIEW_COUNTERS)
		on_counters_key(t, key);
	else
		return on_list_key(t, key);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the next look is due. 1: go on; 0: that was all; -errno. */
static int stay(struct top *t, int wait_ms)
{
	int64_t end = now_ms() + wait_ms;

	for (;;) {
		int64_t left = end - now_ms();
		int key, r = draw(t);

		if (r)
			return r;
		key = left > 0 ? vz_screen_key(&t->screen, left) : VZ_KEY_NONE;
		if (key == VZ_KEY_NONE || (key == ' ' && t->view != VIEW_HELP))
			return 1;
		if (key == VZ_KEY_QUIT || key == 'q')
			return 0;
		if (!on_key(t, key))
			return -ENOMEM;
	}
}

int screen_run(const struct vz_ctx *ctx, const struct vz_cg_host *groups,
	       struct shown *shown, int interval_ms, uint64_t times, struct vz_err *err)
{
	struct top t = { .ctx = ctx, .groups = groups, .shown = shown };
	int r = vz_screen_open(&t.screen, err);
	/* The first look has nothing to compare with: the second comes soon. */
	int wait_ms = interval_ms < 1000 ? interval_ms : 1000;

	if (r)
		return r;
	while (!(r = look(&t, err))) {
		r = stay(&t, wait_ms);
		if (r <= 0 || (times && !--times))
			break;
		wait_ms = interval_ms;
	}
	vz_screen_close(&t.screen);
	if (r < 0 && !err->text[0])
		vz_err_set(err, VZ_E_SYSTEM, -r, "can't draw the screen");
	sample_done(&t.now);
	sample_done(&t.before);
	free(t.rows);
	free(t.ubc);
	free(t.ubc_before);
	return r < 0 ? r : 0;
}
