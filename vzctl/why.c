/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VE was refused or slowed by, since when: the worst first. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "tool/json.h"
#include "ve/why.h"
#include "vzctl/cmds.h"

enum { OPT_JSON, OPT_SINCE, OPT_MARK, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_JSON] = { "json", 'j', NULL, "as JSON" },
	[OPT_SINCE] = { "since", 0, "TIME",
			"leave out what was before: a time, `10m` ago, `mark` or "
			"`start`" },
	[OPT_MARK] = { "mark", 0, NULL, "remember the counters for `--since mark`" },
	{ 0 },
};

enum {
	SEVERITY,
	KIND,
	WHAT,
	COUNT,
	LOST,
	LOST_US,
	LAST,
	LAST_UTC,
	SINCE,
	LIMIT,
	NAME,
	POOL,
	VALUE,
	UNIT,
	TEXT
};

static const struct vz_col text_cols[] = {
	{ "severity", "SEVERITY", -8, VZ_COL_WORD, .id = SEVERITY },
	{ "kind", "KIND", -11, VZ_COL_WORD, .id = KIND },
	{ "what", "WHAT", -15, VZ_COL_WORD, .id = WHAT },
	{ "count", "COUNT", 8, VZ_COL_NUM, .id = COUNT },
	{ "lost", "LOST", 9, VZ_COL_WORD, .id = LOST },
	{ "last", "LAST", -19, VZ_COL_WORD, .id = LAST },
	{ "limit", "LIMIT", -19, VZ_COL_WORD, .id = LIMIT },
	{ "text", "MEANING", -7, VZ_COL_WORD, .id = TEXT },
};

static const struct vz_col json_cols[] = {
	{ "severity", .type = VZ_COL_WORD, .id = SEVERITY },
	{ "kind", .type = VZ_COL_WORD, .id = KIND },
	{ "what", .type = VZ_COL_WORD, .id = WHAT },
	{ "count", .type = VZ_COL_NUM, .id = COUNT },
	{ "lost_us", .type = VZ_COL_NUM, .id = LOST_US },
	{ "last", .type = VZ_COL_WORD, .id = LAST_UTC },
	{ "since", .type = VZ_COL_WORD, .id = SINCE },
	{ "limit", .type = VZ_COL_WORD, .id = NAME },
	{ "pool", .type = VZ_COL_WORD, .id = POOL },
	{ "limit_value", .type = VZ_COL_NUM, .id = VALUE },
	{ "limit_unit", .type = VZ_COL_WORD, .id = UNIT },
	{ "text", .type = VZ_COL_WORD, .id = TEXT },
};

static const char *const severities[] = {
	[VZ_WHY_NOTE] = "note",
	[VZ_WHY_SLOWED] = "slowed",
	[VZ_WHY_REFUSED] = "refused",
	[VZ_WHY_KILLED] = "killed",
};

static void put_time(int64_t when, char *buf, size_t size)
{
	time_t t = when;
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
}

static void cell_time(struct vz_cell *c, int64_t when, bool utc)
{
	time_t t = when;
	struct tm tm;

	if (when == VZ_WHY_UNKNOWN)
		return;
	if (utc && gmtime_r(&t, &tm))
		strftime(c->buf, sizeof(c->buf), "%Y-%m-%dT%H:%M:%SZ", &tm);
	else
		put_time(when, c->buf, sizeof(c->buf));
	c->text = c->buf;
	c->set = true;
}

static void cell_num(struct vz_cell *c, int64_t v)
{
	c->set = v != VZ_WHY_UNKNOWN;
	c->num = v;
}

static void cell_text(struct vz_cell *c, const char *text)
{
	c->set = text && *text;
	c->text = text;
}

static void cell_lost(struct vz_cell *c, int64_t us)
{
	if (us == VZ_WHY_UNKNOWN)
		return;
	snprintf(c->buf, sizeof(c->buf), "%" PRId64 ".%02" PRId64 "s", us / 1000000,
		 us % 1000000 / 10000);
	cell_text(c, c->buf);
}

/* numproc=50, physpages=64M, cpulimit=10%, rate=125000bytes/s, web:cpulimit=150% */
static void cell_limit(struct vz_cell *c, const struct vz_why *w)
{
	const char *unit = w->unit;
	int64_t v = w->value;
	int n;

	if (!w->limit)
		return;
	if (!strcmp(unit, "bytes")) {
		bool mib = v && !(v & 0xfffff), kib = v && !(v & 0x3ff);

		unit = mib ? "M" : kib ? "K" : "B";
		v >>= mib ? 20 : kib ? 10 : 0;
	} else if (!strcmp(unit, "pages")) {
		unit = "p";
	}
	n = snprintf(c->buf, sizeof(c->buf), "%s%s%s", w->pool, *w->pool ? ":" : "",
		     w->limit);
	if (w->value != VZ_WHY_UNKNOWN)
		snprintf(c->buf + n, sizeof(c->buf) - n, "=%" PRId64 "%s", v, unit);
	cell_text(c, c->buf);
}

static void cell(const void *row, const struct vz_col *col, unsigned int part,
		 struct vz_cell *c)
{
	const struct vz_why *w = row;

	switch (col->id) {
	case SEVERITY:
		return cell_text(c, severities[w->severity]);
	case KIND:
		return cell_text(c, w->kind);
	case WHAT:
		return cell_text(c, w->what);
	case COUNT:
		return cell_num(c, w->count);
	case LOST:
		return cell_lost(c, w->lost);
	case LOST_US:
		return cell_num(c, w->lost);
	case LAST:
		return cell_time(c, w->last, false);
	case LAST_UTC:
		return cell_time(c, w->last, true);
	case SINCE:
		return cell_time(c, w->since, true);
	case LIMIT:
		return cell_limit(c, w);
	case NAME:
		return cell_text(c, w->limit);
	case POOL:
		return cell_text(c, w->pool);
	case VALUE:
		return cell_num(c, w->value);
	case UNIT:
		return cell_text(c, w->unit);
	case TEXT:
		return cell_text(c, w->text);
	}
}

/* The columns of one of the tables, all of them. */
static void pick_all(const struct vz_cols *t, struct vz_pick *picks)
{
	for (size_t i = 0; i < t->n; i++)
		picks[i] = (struct vz_pick){ .col = &t->cols[i] };
}

static int print_json(const struct vz_whys *l)
{
	static const struct vz_cols t = { json_cols, VZ_ARRAY_SIZE(json_cols), cell };
	vz_autofree const void **rows = calloc(l->n + 1, sizeof(*rows));
	struct vz_pick picks[VZ_ARRAY_SIZE(json_cols)];

	if (!rows)
		return -ENOMEM;
	pick_all(&t, picks);
	for (size_t i = 0; i < l->n; i++)
		rows[i] = &l->v[i];
	return vz_cols_json(&t, picks, t.n, rows, l->n, stdout);
}

static int print_text(const struct vz_whys *l, const char *since_what)
{
	static const struct vz_cols t = { text_cols, VZ_ARRAY_SIZE(text_cols), cell };
	struct vz_pick picks[VZ_ARRAY_SIZE(text_cols)];
	vz_autostr struct vz_str out = { 0 };
	char since[32];

	put_time(l->since, since, sizeof(since));
	pick_all(&t, picks);
	if (!l->n || l->v[0].severity == VZ_WHY_NOTE)
		vz_str_addf(&out, "nothing was refused or slowed since %s%s\n",
			    since_what, since);
	if (l->n)
		vz_cols_header(picks, t.n, &out);
	for (size_t i = 0; i < l->n; i++)
		vz_cols_line(&t, picks, t.n, false, &l->v[i], &out);
	if (out.failed)
		return -ENOMEM;
	fwrite(out.s, 1, out.len, stdout);
	return 0;
}

/* What --since says; returns how to name that moment. */
static const char *read_since(const char *word, struct vz_why_ask *ask,
			      struct vz_err *err)
{
	int64_t now = time(NULL);

	if (!word || !strcmp(word, "start"))
		return "its start, ";
	if (!strcmp(word, "mark")) {
		ask->since = VZ_WHY_SINCE_MARK;
		return "its mark, ";
	}
	ask->since = VZ_WHY_SINCE_TIME;
	if (!vz_why_parse_time(word, now, &ask->time) && ask->time <= now)
		return "";
	vz_err_set(err, VZ_E_VALUE, 0,
		   "bad --since '%s': expected `start`, `mark`, a time that is past "
		   "(2026-12-31 23:59, 23:59, @SECONDS), or 30s, 10m, 2h, 1d (ago)",
		   word);
	return NULL;
}

static int run(struct vz_inv *inv)
{
	const char *given[OPT__COUNT] = { NULL }, *since;
	const struct vz_opt_parse how = { .own = options, .ret_values = given };
	vz_autowhys struct vz_whys l = { 0 };
	struct vz_why_ask ask = { 0 };
	int r;

	if (vz_opt_parse(&how, inv->argc, inv->argv, inv->err))
		return inv->err->status;
	since = read_since(given[OPT_SINCE], &ask, inv->err);
	ask.mark = given[OPT_MARK];
	if (!since || vz_why_read(&inv->ve, &ask, &l, inv->err))
		return inv->err->status;
	if (ask.mark && !given[OPT_SINCE] && !given[OPT_JSON])
		return 0;
	r = given[OPT_JSON] ? print_json(&l) : print_text(&l, since);
	if (!r)
		return 0;
	vz_err_set(inv->err, VZ_E_SYSTEM, -r, "can't write the list");
	return VZ_E_SYSTEM;
}

const struct vz_cmd vz_cmd_why = {
	.name = "why",
	.args = "VEID [--json] [--since TIME|start|mark] [--mark]",
	.help = "show what a VE was refused or slowed by",
	.opts = options,
	.run = run,
};
