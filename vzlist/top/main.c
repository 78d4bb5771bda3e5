/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vztop: what the VEs of a node are doing, on a live screen or line by line. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "tool/json.h"
#include "tool/screen.h"
#include "tool/stdio.h"
#include "vzlist/top/vztop.h"

struct options {
	bool batch, json, no_header;
	uint64_t times; /* 0: for ever */
	int interval_ms;
	const char *fields, *sort;
};

static const struct option long_options[] = {
	{ "batch", no_argument, NULL, 'b' },
	{ "json", no_argument, NULL, 'j' },
	{ "no-header", no_argument, NULL, 'H' },
	{ "iterations", required_argument, NULL, 'n' },
	{ "delay", required_argument, NULL, 'd' },
	{ "output", required_argument, NULL, 'o' },
	{ "sort", required_argument, NULL, 's' },
	{ "list", no_argument, NULL, 'L' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL },
};

static const char usage[] =
	"Usage: vztop [-b | -j] [-H] [-n TIMES] [-d SECONDS] [-o FIELD,...] [-s "
	"[-]FIELD]\n"
	"       vztop -L | --list\n"
	"\n"
	"Show what the VEs that run are doing. h explains the keys.\n"
	"\n"
	"  -b, --batch              print, with no need of a terminal\n"
	"  -j, --json               the same in JSON\n"
	"  -H, --no-header          the VEs' lines only\n"
	"  -n, --iterations TIMES   end after that many looks\n"
	"  -d, --delay SECONDS      between two looks; 3\n"
	"  -o, --output FIELD,...   only these fields\n"
	"  -s, --sort [-]FIELD      sort by a field; - reverses; -cpu\n"
	"  -L, --list               list the fields\n"
	"  -h, --help\n"
	"      --version\n";

static int parse_delay(const char *s, int *ret_ms, struct vz_err *err)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || *end || !(v >= 0.1 && v <= 86400))
		return vz_err_set(err, VZ_E_SYNTAX, 0,
				  "-d %s: expected seconds, from 0.1 to 86400", s);
	*ret_ms = v * 1000;
	return 0;
}

static int print_fields(void)
{
	vz_autostr struct vz_str out = { 0 };

	vz_cols_names(&fields, &out);
	fputs(out.s ?: "", stdout);
	return 0;
}

/* 1: go on; 0: all is done; VZ_E_SYNTAX. */
static int parse_options(struct options *o, int argc, char **argv, struct vz_err *err)
{
	int c;

	while ((c = getopt_long(argc, argv, "bjHn:d:o:s:Lh", long_options, NULL)) != -1) {
		switch (c) {
		case 'b':
			o->batch = true;
			break;
		case 'j':
			o->batch = o->json = true;
			break;
		case 'H':
			o->no_header = true;
			break;
		case 'n':
			if (vz_parse_u64(optarg, INT_MAX, &o->times) || !o->times)
				return vz_err_set(err, VZ_E_SYNTAX, 0,
						  "-n %s: expected a number from 1 on",
						  optarg);
			break;
		case 'd':
			if (parse_delay(optarg, &o->interval_ms, err))
				return -EINVAL;
			break;
		case 'o':
			o->fields = optarg;
			break;
		case 's':
			o->sort = optarg;
			break;
		case 'L':
			return print_fields();
		case 'h':
		case 'V':
			fputs(c == 'h' ? usage : "vztop version " VZ_VERSION "\n",
			      stdout);
			return 0;
		default:
			return vz_err_set(err, VZ_E_SYNTAX, 0, "see vztop --help");
		}
	}
	if (optind < argc)
		return vz_err_set(err, VZ_E_SYNTAX, 0,
				  "unexpected word %s: it shows all VEs that run",
				  argv[optind]);
	return 1;
}

static int pick(const struct options *o, struct shown *shown, struct vz_err *err)
{
	const char *sort = o->sort ?: "-cpu";

	shown->reverse = *sort == '-';
	sort += shown->reverse;
	if (vz_cols_find(&fields, sort, strlen(sort), &shown->sort))
		return vz_err_set(err, VZ_E_SYNTAX, 0, "Unknown field to sort by: %s",
				  sort);
	if (!o->json || o->fields)
		return vz_cols_parse(&fields, o->fields ?: DEFAULT_FIELDS, &shown->picks,
				     &shown->n, err);
	shown->picks = calloc(fields.n, sizeof(*shown->picks));
	shown->n = shown->picks ? fields.n : 0;
	for (size_t i = 0; i < shown->n; i++)
		shown->picks[i].col = &fields.cols[i];
	return shown->picks ? 0 : vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "fields");
}

static int print_sample(const struct options *o, const struct sample *s,
			const struct shown *shown, bool again)
{
	vz_autofree const void **rows = list_rows(s, shown);
	vz_autoframe struct vz_frame f = { 0 };

	if (!rows)
		return -ENOMEM;
	if (o->json) {
		int r = vz_cols_json(&fields, shown->picks, shown->n, rows, s->n, stdout);

		return !r && fflush(stdout) ? -EIO : r;
	}
	if (again && !o->no_header)
		vz_frame_add(&f, VZ_LOOK_PLAIN, "%s", "");
	if (!o->no_header)
		list_head(s, shown, 80, &f);
	list_body(shown, rows, s->n, 0, &f);
	return vz_frame_print(&f, false, stdout);
}

static int batch_run(const struct vz_ctx *ctx, const struct vz_cg_host *groups,
		     const struct options *o, const struct shown *shown,
		     struct vz_err *err)
{
	struct sample before = { 0 }, now;
	struct timespec nap = { o->interval_ms / 1000, o->interval_ms % 1000 * 1000000L };
	int r = 0;

	for (uint64_t i = 0; !r && (!o->times || i < o->times); i++) {
		if (i)
			nanosleep(&nap, NULL);
		r = sample_take(ctx, groups, &before, &now, err);
		if (r)
			break;
		if (*now.problem && o->json)
			fprintf(stderr, "vztop: %s\n", now.problem);
		r = print_sample(o, &now, shown, i);
		if (r == -ENOMEM)
			vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't list the VEs");
		sample_done(&before);
		before = now;
	}
	sample_done(&before);
	return r;
}

static int run(const struct options *o, struct vz_err *err)
{
	struct vz_cg_host groups;
	struct shown shown = { 0 };
	struct vz_ctx ctx;
	int r = pick(o, &shown, err);

	vz_ctx_init(&ctx);
	if (!r && geteuid())
		r = vz_err_set(err, VZ_E_PERM, 0, "vztop must be run by root");
	if (!r && !o->batch && !vz_screen_possible())
		r = vz_err_set(err, VZ_E_SYSTEM, 0,
			       "standard output is no terminal that can be drawn on: "
			       "use vztop -b");
	if (!r)
		r = vz_cg_probe(&ctx, &groups, err);
	if (!r && o->batch)
		r = batch_run(&ctx, &groups, o, &shown, err);
	else if (!r)
		r = screen_run(&ctx, &groups, &shown, o->interval_ms, o->times, err);
	free(shown.picks);
	return r;
}

int main(int argc, char **argv)
{
	struct options o = { .interval_ms = 3000 };
	struct vz_err err = { 0 };
	int r;

	vz_stdio_begin();
	r = parse_options(&o, argc, argv, &err);
	if (r == 1)
		r = run(&o, &err);
	if (err.text[0])
		fprintf(stderr, "vztop: %s\n", err.text);
	return !vz_stdio_end("vztop") || r ? 1 : 0;
}
