/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzlist: which VEs there are, and what they are like. */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool/json.h"
#include "tool/stdio.h"
#include "vzlist/vzlist.h"

#define DEFAULT_FIELDS "ctid,numproc,status,ip,hostname"
#define DEFAULT_NAMED "smart_name,numproc,status,ip,hostname"

struct options {
	bool all, stopped, no_header, no_trim, json, list;
	const char *fields;
	const char *sort;
	const char *hostname, *name, *description; /* patterns */
};

static const struct option long_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "stopped", no_argument, NULL, 'S' },
	{ "name", no_argument, NULL, 'n' },
	{ "no-header", no_argument, NULL, 'H' },
	{ "no-trim", no_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "output", required_argument, NULL, 'o' },
	{ "sort", required_argument, NULL, 's' },
	{ "hostname", required_argument, NULL, 'h' },
	{ "name_filter", required_argument, NULL, 'N' },
	{ "description", required_argument, NULL, 'd' },
	{ "list", no_argument, NULL, 'L' },
	{ "help", no_argument, NULL, '?' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL },
};

static const char usage[] =
	"Usage: vzlist [-a | -S] [-n] [-H] [-t] [-j] [-o FIELD,... | -1] [-s [-]FIELD]\n"
	"              [-h PATTERN] [-N PATTERN] [-d PATTERN] [VEID|NAME ...]\n"
	"       vzlist -L | --list\n"
	"\n"
	"List running virtual environments, or those named.\n"
	"\n"
	"  -a, --all                    all VEs\n"
	"  -S, --stopped                VEs that do not run\n"
	"  -n, --name                   show names in place of VEIDs\n"
	"  -H, --no-header              no header line\n"
	"  -t, --no-trim                do not cut long values\n"
	"  -j, --json                   JSON\n"
	"  -o, --output FIELD,...       only these fields\n"
	"  -1                           the same as -H -o ctid\n"
	"  -s, --sort [-]FIELD          sort by a field; - reverses\n"
	"  -h, --hostname PATTERN       only VEs whose host name matches\n"
	"  -N, --name_filter PATTERN    only VEs whose name matches\n"
	"  -d, --description PATTERN    only VEs whose description matches\n"
	"  -L, --list                   list the fields\n"
	"      --help, --version\n";

static void one_option(struct options *o, int c)
{
	switch (c) {
	case 'a':
		o->all = true;
		break;
	case 'S':
		o->stopped = true;
		break;
	case 'n':
		o->fields = DEFAULT_NAMED;
		break;
	case 'H':
		o->no_header = true;
		break;
	case 't':
		o->no_trim = true;
		break;
	case 'j':
		o->json = true;
		break;
	case 'o':
		o->fields = optarg;
		break;
	case '1':
		o->fields = "ctid";
		o->no_header = true;
		break;
	case 's':
		o->sort = optarg;
		break;
	case 'h':
		o->hostname = optarg;
		break;
	case 'N':
		o->name = optarg;
		break;
	case 'd':
		o->description = optarg;
		break;
	case 'L':
		o->list = true;
		break;
	}
}

/* 1: go on; else main is to return *ret_status. */
static int parse_options(struct options *o, int argc, char **argv, int *ret_status)
{
	int c;

	while ((c = getopt_long(argc, argv, "aSnHtjo:1s:h:N:d:L", long_options, NULL)) !=
	       -1) {
		if (c == 'V' ||
		    (c == '?' && !optopt && !strcmp(argv[optind - 1], "--help"))) {
			fputs(c == 'V' ? "vzlist version " VZ_VERSION "\n" : usage,
			      stdout);
			*ret_status = fflush(stdout) ? 1 : 0;
			return 0;
		}
		if (c == '?') {
			fputs("See vzlist --help.\n", stderr);
			*ret_status = 1;
			return 0;
		}
		one_option(o, c);
	}
	return 1;
}

/* The picks of -o; all columns when JSON is asked for without it. */
static int pick(const struct vz_cols *t, const struct options *o, struct vz_pick **ret,
		size_t *ret_n, struct vz_err *err)
{
	if (o->json && !o->fields) {
		struct vz_pick *p = calloc(t->n, sizeof(*p));

		for (size_t i = 0; p && i < t->n; i++)
			p[i].col = &t->cols[i];
		*ret = p;
		*ret_n = t->n;
		return p ? 0 : vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't list fields");
	}
	if (vz_cols_parse(t, o->fields ?: DEFAULT_FIELDS, ret, ret_n, err))
		return -EINVAL;
	for (size_t i = 0; o->json && i < *ret_n; i++)
		if ((*ret)[i].part)
			return vz_err_set(
				err, VZ_E_SYNTAX, 0,
				"field %s: JSON has all its parts in one object, "
				"leave the suffix out",
				(*ret)[i].col->name);
	return 0;
}

static bool matches(const char *pattern, const char *value)
{
	return !pattern || (value && !fnmatch(pattern, value, 0));
}

static bool shown(const struct options *o, const struct ve *ve)
{
	if (o->stopped && ve->status == STATUS_RUNNING)
		return false;
	return matches(o->hostname, ve_value(ve, VZ_P_HOSTNAME)) &&
	       matches(o->name, ve->name) &&
	       matches(o->description, ve_value(ve, VZ_P_DESCRIPTION));
}

/* The header and the rows, in one write. */
static int print_text(const struct vz_cols *t, const struct options *o,
		      const struct vz_pick *picks, size_t n, const void **rows,
		      size_t n_rows)
{
	vz_autostr struct vz_str out = { 0 };

	if (!o->no_header)
		vz_cols_header(picks, n, &out);
	for (size_t i = 0; i < n_rows; i++)
		vz_cols_line(t, picks, n, !o->no_trim, rows[i], &out);
	if (out.failed)
		return -ENOMEM;
	if (out.len && (fwrite(out.s, 1, out.len, stdout) != out.len || fflush(stdout)))
		return -errno;
	return 0;
}

static void note_needs(struct list *list, const struct options *o,
		       const struct vz_pick *picks, size_t n, const struct vz_pick *sort)
{
	for (size_t i = 0; i < VZ_P__COUNT; i++)
		list->key_of[i] = -1;
	for (size_t i = 0; i < n; i++)
		fields_need(list, &picks[i], o->json);
	if (sort->col)
		fields_need(list, sort, false);
	if (o->hostname)
		list_need(list, VZ_P_HOSTNAME);
	if (o->description)
		list_need(list, VZ_P_DESCRIPTION);
	if (o->name)
		list->need_name = true;
}

static int print_list(const struct vz_cols *t, const struct options *o,
		      const struct list *list, const struct vz_pick *picks, size_t n,
		      const struct vz_pick *sort, bool reverse, struct vz_err *err)
{
	vz_autofree const void **rows = calloc(list->n + 1, sizeof(*rows));
	size_t n_rows = 0;
	int r = rows ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < list->n; i++)
		if (shown(o, &list->ves[i]))
			rows[n_rows++] = &list->ves[i];
	if (!r && sort->col)
		r = vz_cols_sort(t, sort, reverse, rows, n_rows);
	if (!r && o->json)
		r = vz_cols_json(t, picks, n, rows, n_rows, stdout);
	else if (!r)
		r = print_text(t, o, picks, n, rows, n_rows);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write the list") : 0;
}

static int find_sort(const struct vz_cols *t, const char *word, struct vz_pick *ret,
		     bool *ret_reverse, struct vz_err *err)
{
	if (!word)
		return 0;
	*ret_reverse = *word == '-';
	word += *ret_reverse;
	if (vz_cols_find(t, word, strlen(word), ret))
		return vz_err_set(err, VZ_E_SYNTAX, 0, "Unknown field to sort by: %s",
				  word);
	return 0;
}

static int run(const struct vz_ctx *ctx, const struct options *o, const char **words,
	       size_t n_words, struct vz_err *err)
{
	struct list list = { .ctx = ctx };
	struct which which = { words, n_words, !n_words && !o->all && !o->stopped };
	vz_autofree struct vz_pick *picks = NULL;
	struct vz_pick sort = { 0 };
	bool reverse = false, missing = false;
	struct vz_cols t;
	size_t n;
	int r;

	if (fields_init(&t))
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't list fields");
	if (o->list) {
		vz_autostr struct vz_str out = { 0 };

		vz_cols_names(&t, &out);
		free((void *)t.cols);
		return fputs(out.s, stdout) < 0 || fflush(stdout) ? -EIO : 0;
	}
	r = pick(&t, o, &picks, &n, err);
	if (!r)
		r = find_sort(&t, o->sort, &sort, &reverse, err);
	if (!r && geteuid())
		r = vz_err_set(err, VZ_E_PERM, 0, "vzlist must be run by root");
	if (!r) {
		note_needs(&list, o, picks, n, &sort);
		r = collect(&list, &which, &missing, err);
	}
	if (!r && !list.n && !o->json)
		fputs("Container(s) not found\n", stderr);
	else if (!r) {
		r = print_list(&t, o, &list, picks, n, &sort, reverse, err);
		if (missing && !o->json)
			fputs("Container(s) not found\n", stderr);
	}
	if (!r && missing)
		r = 1;
	list_done(&list);
	free((void *)t.cols);
	return r;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct vz_err err = { 0 };
	struct vz_ctx ctx;
	int status;

	vz_stdio_begin();
	vz_ctx_init(&ctx);
	if (!parse_options(&o, argc, argv, &status))
		return status;
	status = run(&ctx, &o, (const char **)argv + optind, argc - optind, &err);
	if (err.text[0])
		fprintf(stderr, "vzlist: %s\n", err.text);
	return status ? 1 : 0;
}
