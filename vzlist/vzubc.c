/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzubc: the beancounters of VEs, for eyes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "conf/peek.h"
#include "res/param.h"
#include "tool/screen.h"
#include "tool/stdio.h"
#include "ve/ubc.h"
#include "ve/ve.h"
#include "vzlist/vzubc.h"

#define FILE_MAX (64 << 20)

struct state {
	struct vz_ctx ctx;
	struct options o;
	uint32_t *wanted; /* as named; NULL: all */
	char dir[PATH_MAX];
};

static int find_wanted(struct state *st, struct vz_err *err)
{
	const struct vz_strv *words = &st->o.words;

	if (!words->n)
		return 0;
	st->wanted = calloc(words->n, sizeof(*st->wanted));
	if (!st->wanted)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't list the VEs");
	for (size_t i = 0; i < words->n; i++)
		if (vz_ve_lookup(&st->ctx, words->v[i], &st->wanted[i], err))
			return -EINVAL;
	return 0;
}

static int read_file(const char *path, struct blocks *ret, struct vz_err *err)
{
	bool input = !strcmp(path, "-");
	vz_autofree char *text = NULL;
	size_t len;
	int r;

	if (input)
		r = vz_read_fd(STDIN_FILENO, FILE_MAX, &text, &len);
	else
		r = vz_read_file(path, FILE_MAX, &text, &len);
	if (input)
		path = "standard input";
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path);
	r = strlen(text) == len ? vz_ubc_parse(text, &ret->v, &ret->n) : -EINVAL;
	if (r == -EINVAL)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "%s is no text as /proc/user_beancounters, or damaged",
				  path);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path) : 0;
}

/* Of the VEs that run; of a single one that is wanted, only its own. */
static int read_running(const struct state *st, struct blocks *ret, struct vz_err *err)
{
	int r;

	if (geteuid())
		return vz_err_set(err, VZ_E_PERM, 0,
				  "vzubc must be run by root, unless with -f");
	r = vz_ubc_read(&st->ctx, st->o.words.n == 1 ? st->wanted[0] : 0, true, &ret->v,
			&ret->n, err);
	if (r == -ENOENT) {
		vz_err_clear(err);
		return 0;
	}
	return r;
}

/* Keep those that are wanted, in their order of number; tell who is not there. */
static void pick_wanted(const struct state *st, struct blocks *b, struct vz_frame *f)
{
	size_t n = 0;

	for (size_t i = 0; i < st->o.words.n; i++) {
		if (blocks_find(b, st->wanted[i]))
			continue;
		vz_frame_add(f, VZ_LOOK_BAD, "vzubc: no counters of VE %u%s",
			     st->wanted[i], st->o.file ? " there" : ": it does not run");
	}
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < st->o.words.n; k++)
			if (b->v[i].veid == st->wanted[k]) {
				b->v[n++] = b->v[i];
				break;
			}
	if (st->wanted)
		b->n = n;
}

/* One look: what to show, and what was there the last time. */
struct look {
	struct blocks now, failures, helds;
	struct vz_frame missing;
};

static void look_done(struct look *l)
{
	blocks_done(&l->now);
	blocks_done(&l->failures);
	blocks_done(&l->helds);
	vz_frame_done(&l->missing);
}

static int take_look(struct state *st, struct look *l, struct vz_err *err)
{
	const struct options *o = &st->o;
	int r = o->file ? read_file(o->file, &l->now, err)
			: read_running(st, &l->now, err);

	if (r)
		return r;
	pick_wanted(st, &l->now, &l->missing);
	if (o->view.relative)
		r = kept_load(st->dir, "failcnt", &l->failures, err)
			    ?: kept_save(st->dir, "failcnt", &l->failures, &l->now, err);
	if (!r && o->view.changes)
		r = kept_load(st->dir, "held", &l->helds, err)
			    ?: kept_save(st->dir, "held", &l->helds, &l->now, err);
	return r;
}

/* Its name as its file says; a text of counters may be of another node. */
static const char *name_of(const struct state *st, uint32_t veid, struct vz_peek *peek)
{
	const char *key = vz_params[VZ_P_NAME].key, *name = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/conf/%u.conf", st->ctx.confdir, veid);
	if (st->o.file || vz_peek_read(peek, AT_FDCWD, path, &key, 1, &name))
		return NULL;
	return name && *name ? name : NULL;
}

static void add_tables(const struct state *st, const struct look *l, struct vz_frame *f)
{
	struct vz_peek peek = { 0 };

	for (size_t i = 0; i < l->now.n; i++) {
		struct vz_ubcview view = st->o.view;

		view.failures = blocks_find(&l->failures, l->now.v[i].veid);
		view.helds = blocks_find(&l->helds, l->now.v[i].veid);
		vz_ubcview_add(&view, &l->now.v[i], name_of(st, l->now.v[i].veid, &peek),
			       f);
	}
	vz_peek_done(&peek);
}

static int print_once(struct state *st, struct vz_err *err)
{
	struct look l = { 0 };
	vz_autoframe struct vz_frame f = { 0 };
	int r = take_look(st, &l, err);

	if (!r && st->o.json)
		r = json_print(&st->o, &l.now, &l.failures, &l.helds);
	else if (!r) {
		add_tables(st, &l, &f);
		if (st->o.verbose && !st->o.file)
			sources_add(&st->ctx, &f);
		r = vz_frame_print(&f, st->o.colour, stdout);
	}
	if (!r) {
		vz_frame_print(&l.missing, false, stderr);
		r = l.missing.n;
	}
	look_done(&l);
	return r;
}

static int print_sources(const struct state *st)
{
	vz_autoframe struct vz_frame f = { 0 };

	if (st->o.json)
		return sources_print_json(&st->ctx);
	sources_add(&st->ctx, &f);
	return vz_frame_print(&f, st->o.colour, stdout);
}

static void add_title(const struct options *o, bool screen, struct vz_frame *f)
{
	char when[32] = "", host[65] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	gethostname(host, sizeof(host) - 1);
	vz_frame_add(f, VZ_LOOK_PLAIN, "%s  %s  every %g s%s", host, when,
		     o->watch_ms / 1e3, screen ? ", q ends" : "");
	vz_frame_add(f, VZ_LOOK_PLAIN, "%s", "");
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the next look is due: scroll. False: that was all. */
static bool stay(struct vz_screen *s, const struct vz_frame *f, size_t fixed, size_t *at,
		 int wait_ms)
{
	int64_t end = now_ms() + wait_ms;

	for (;;) {
		int64_t left = end - now_ms();
		size_t page = s->rows > (int)fixed ? s->rows - fixed : 1;
		int key = left > 0 ? vz_screen_key(s, left) : VZ_KEY_NONE;

		if (key == VZ_KEY_NONE)
			return true;
		if (key == VZ_KEY_QUIT || key == 'q')
			return false;
		*at = vz_screen_scroll(key, *at, f->n - fixed, page);
		if (vz_screen_draw(s, f, fixed, *at, NULL))
			return false;
	}
}

static int fill_frame(struct state *st, bool screen, struct vz_frame *f,
		      size_t *ret_fixed, struct vz_err *err)
{
	struct look l = { 0 };
	vz_autoframe struct vz_frame tables = { 0 };
	int r = take_look(st, &l, err);

	if (!st->o.watch_bare)
		add_title(&st->o, screen, f);
	*ret_fixed = f->n;
	if (!r)
		add_tables(st, &l, &tables);
	for (size_t i = 0; i < tables.n; i++)
		vz_frame_add(f, tables.lines[i].look, "%s", tables.lines[i].text);
	for (size_t i = 0; i < l.missing.n; i++)
		vz_frame_add(f, VZ_LOOK_BAD, "%s", l.missing.lines[i].text);
	look_done(&l);
	return r;
}

static int watch_screen(struct state *st, struct vz_err *err)
{
	vz_autoframe struct vz_frame before = { 0 };
	struct vz_screen s;
	size_t at = 0;
	int r = vz_screen_open(&s, err);
	bool on = !r;

	while (on) {
		struct vz_frame f = { 0 };
		size_t fixed;

		r = fill_frame(st, true, &f, &fixed, err);
		if (!r) {
			at = vz_screen_scroll(0, at, f.n - fixed, s.rows - fixed);
			r = vz_screen_draw(&s, &f, fixed, at,
					   st->o.watch_diff && before.n ? &before : NULL);
		}
		on = !r && stay(&s, &f, fixed, &at, st->o.watch_ms);
		vz_frame_done(&before);
		before = f;
	}
	vz_screen_close(&s);
	return r;
}

/* Into a pipe or a file: one after the other. */
static int watch_print(struct state *st, struct vz_err *err)
{
	int r;

	do {
		vz_autoframe struct vz_frame f = { 0 };
		struct timespec nap = { st->o.watch_ms / 1000,
					st->o.watch_ms % 1000 * 1000000L };
		size_t fixed;

		r = fill_frame(st, false, &f, &fixed, err);
		if (!r)
			vz_frame_add(&f, VZ_LOOK_PLAIN, "%s", "");
		if (!r)
			r = vz_frame_print(&f, st->o.colour, stdout);
		if (!r)
			nanosleep(&nap, NULL);
	} while (!r);
	return r;
}

static int run(struct state *st, struct vz_err *err)
{
	const struct options *o = &st->o;
	int r = find_wanted(st, err);

	snprintf(st->dir, sizeof(st->dir), "%s", o->dir ?: "");
	if (!o->dir)
		snprintf(st->dir, sizeof(st->dir), "%s/vzubc", st->ctx.rundir);
	if (!r && o->clear_failures)
		r = kept_clear(st->dir, "failcnt", err);
	if (!r && o->clear_helds)
		r = kept_clear(st->dir, "held", err);
	if (r)
		return r;
	if (o->sources)
		return print_sources(st);
	if (!o->watch)
		return print_once(st, err);
	return vz_screen_possible() ? watch_screen(st, err) : watch_print(st, err);
}

int main(int argc, char **argv)
{
	struct state st = { .o = { .watch_ms = 2000,
				   .view = { .near_held = VZ_UBCVIEW_NEAR_HELD,
					     .near_max = VZ_UBCVIEW_NEAR_MAX } } };
	struct vz_err err = { 0 };
	int r;

	vz_stdio_begin();
	vz_ctx_init(&st.ctx);
	r = options_parse(&st.o, argc, argv, &err);
	if (r == 1)
		r = run(&st, &err);
	if (err.text[0])
		fprintf(stderr, "vzubc: %s\n", err.text);
	options_done(&st.o);
	free(st.wanted);
	return !vz_stdio_end("vzubc") || r ? 1 : 0;
}
