/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vzubc's options. Scripts know them as OpenVZ has them: `-wn 5` is one option
 * of two letters and its value, not three of one letter.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vzlist/vzubc.h"

enum id {
	O_WATCH,
	O_WATCH_DIFF,
	O_WATCH_BARE,
	O_WATCH_TIME,
	O_QUIET,
	O_NEAR_HELD,
	O_NEAR_MAX,
	O_VERBOSE,
	O_SOURCES,
	O_RELATIVE,
	O_CLEAR_FAILURES,
	O_DIR,
	O_INCREMENTAL,
	O_CLEAR_HELDS,
	O_COLOUR,
	O_FILE,
	O_JSON,
	O_HELP,
	O_VERSION,
};

static const struct option {
	const char *name, *long_name;
	enum id id;
	bool has_value;
} table[] = {
	{ "-w", "--watch", O_WATCH, false },
	{ "-wd", NULL, O_WATCH_DIFF, false },
	{ "-wt", NULL, O_WATCH_BARE, false },
	{ "-wn", NULL, O_WATCH_TIME, true },
	{ "-q", "--quiet", O_QUIET, false },
	{ "-qh", NULL, O_NEAR_HELD, true },
	{ "-qm", NULL, O_NEAR_MAX, true },
	{ "-v", "--verbose", O_VERBOSE, false },
	{ "--sources", NULL, O_SOURCES, false },
	{ "-r", "--relative", O_RELATIVE, false },
	{ "-rc", NULL, O_CLEAR_FAILURES, false },
	{ "-rd", NULL, O_DIR, true },
	{ "-i", "--incremental", O_INCREMENTAL, false },
	{ "-ic", NULL, O_CLEAR_HELDS, false },
	{ "-id", NULL, O_DIR, true },
	{ "-c", "--color", O_COLOUR, false },
	{ "--colour", NULL, O_COLOUR, false },
	{ "-f", "--file", O_FILE, true },
	{ "-j", "--json", O_JSON, false },
	{ "-h", "--help", O_HELP, false },
	{ "--version", NULL, O_VERSION, false },
};

static const char usage[] =
	"Usage: vzubc [OPTION...] [VEID|NAME...]\n"
	"\n"
	"Show the beancounters of the VEs that run, or of those named.\n"
	"\n"
	"  -w, --watch          show them again and again; q ends\n"
	"      -wn SECONDS      that often; 2\n"
	"      -wd              mark what has changed\n"
	"      -wt              without the title\n"
	"  -q, --quiet          only what was refused, or is near its barrier or limit:\n"
	"      -qh RATIO        from where on held is near; 0.5\n"
	"      -qm RATIO        from where on maxheld is near; 0.8\n"
	"  -v, --verbose        also what is not limited, and --sources\n"
	"      --sources        where each counter comes from on this node, whether it\n"
	"                       is exact, and what enforces it; no VEs\n"
	"  -r, --relative       failures since the last time\n"
	"      -rc              forget the last time's\n"
	"  -i, --incremental    show how held has changed since the last time\n"
	"      -ic              forget the last time's\n"
	"      -rd, -id DIR     where the last time's values are kept; RUNDIR/vzubc\n"
	"  -c, --color          colours for what -q would show\n"
	"  -f, --file FILE      read them from a file as /proc/user_beancounters; - is\n"
	"                       standard input\n"
	"  -j, --json           JSON, in each counter's own unit\n"
	"  -h, --help\n"
	"      --version\n";

/* 0.8, 80%; what is above 2 is a percentage in any case. */
static int parse_ratio(const char *option, const char *s, double *ret, struct vz_err *err)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || !isfinite(v) || v < 0 || (*end && strcmp(end, "%")))
		return vz_err_set(err, VZ_E_SYNTAX, 0,
				  "%s %s: expected a ratio as 0.8, or 80%%", option, s);
	*ret = *end || v > 2 ? v / 100 : v;
	return 0;
}

static int parse_time(const char *s, int *ret, struct vz_err *err)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || *end || !(v >= 0.1 && v <= 86400))
		return vz_err_set(err, VZ_E_SYNTAX, 0,
				  "-wn %s: expected seconds, from 0.1 to 86400", s);
	*ret = v * 1000;
	return 0;
}

static int take_value(struct options *o, enum id id, const char *name, const char *value,
		      struct vz_err *err)
{
	switch (id) {
	case O_WATCH_TIME:
		o->watch = true;
		return parse_time(value, &o->watch_ms, err);
	case O_NEAR_HELD:
		return parse_ratio(name, value, &o->view.near_held, err);
	case O_NEAR_MAX:
		return parse_ratio(name, value, &o->view.near_max, err);
	case O_DIR:
		o->dir = value;
		return 0;
	default: /* O_FILE */
		o->file = value;
		return 0;
	}
}

static void take_flag(struct options *o, enum id id)
{
	switch (id) {
	case O_WATCH_DIFF:
		o->watch_diff = true;
		break;
	case O_WATCH_BARE:
		o->watch_bare = true;
		break;
	case O_QUIET:
		o->view.near_only = true;
		break;
	case O_VERBOSE:
		o->verbose = o->view.unbounded = true;
		break;
	case O_SOURCES:
		o->sources = true;
		break;
	case O_RELATIVE:
		o->view.relative = true;
		break;
	case O_CLEAR_FAILURES:
		o->clear_failures = true;
		break;
	case O_INCREMENTAL:
		o->view.changes = true;
		break;
	case O_CLEAR_HELDS:
		o->clear_helds = true;
		break;
	case O_COLOUR:
		o->colour = true;
		break;
	case O_JSON:
		o->json = true;
		break;
	default:
		break;
	}
	o->watch |= id == O_WATCH || id == O_WATCH_DIFF || id == O_WATCH_BARE;
}

/* NAME, or NAME=VALUE of a long option; *ret_value points behind the sign. */
static const struct option *find(const char *word, const char **ret_value)
{
	size_t len = strncmp(word, "--", 2) ? strlen(word) : strcspn(word, "=");

	*ret_value = word[len] ? word + len + 1 : NULL;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(table); i++) {
		const char *const names[] = { table[i].name, table[i].long_name };

		for (int k = 0; k < 2; k++)
			if (names[k] && strlen(names[k]) == len &&
			    !memcmp(names[k], word, len))
				return &table[i];
	}
	return NULL;
}

static int check(const struct options *o, struct vz_err *err)
{
	const char *bad = NULL;

	if (o->view.near_only && o->verbose)
		bad = "-q and -v exclude each other";
	else if (o->sources && (o->watch || o->file || o->words.n))
		bad = "--sources is about the node: it goes with -j and -c only";
	else if (o->watch && o->json)
		bad = "-w and -j exclude each other";
	else if (o->watch && o->file && !strcmp(o->file, "-"))
		bad = "-w can't read standard input again and again";
	return bad ? vz_err_set(err, VZ_E_SYNTAX, 0, "%s", bad) : 0;
}

int options_parse(struct options *o, int argc, char **argv, struct vz_err *err)
{
	bool words_only = false;

	for (int i = 1; i < argc; i++) {
		const struct option *opt;
		const char *value;
		int r = 0;

		if (words_only || argv[i][0] != '-' || !argv[i][1]) {
			if (vz_strv_add(&o->words, argv[i]))
				return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "options");
			continue;
		}
		words_only = !strcmp(argv[i], "--");
		if (words_only)
			continue;
		opt = find(argv[i], &value);
		if (!opt || (value && !opt->has_value))
			return vz_err_set(err, VZ_E_SYNTAX, 0,
					  "unknown option %s; see vzubc --help", argv[i]);
		if (opt->id == O_HELP || opt->id == O_VERSION) {
			fputs(opt->id == O_HELP ? usage
						: "vzubc version " VZ_VERSION "\n",
			      stdout);
			return 0;
		}
		if (!opt->has_value)
			take_flag(o, opt->id);
		else if (value || argv[i + 1])
			r = take_value(o, opt->id, opt->name, value ?: argv[++i], err);
		else
			r = vz_err_set(err, VZ_E_SYNTAX, 0, "option %s needs a value",
				       argv[i]);
		if (r)
			return r;
	}
	return check(o, err) ?: 1;
}

void options_done(struct options *o)
{
	vz_strv_done(&o->words);
}
