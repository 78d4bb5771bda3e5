/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/main.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tool/stdio.h"

#define OPTS_MAX 16

static void print_option(const struct vz_opt *o)
{
	char text[64];

	snprintf(text, sizeof(text), "--%s%s%s", o->name, o->arg ? " " : "",
		 o->arg ? o->arg : "");
	printf(o->letter ? "  -%c, " : "      ", o->letter);
	printf("%-24s %s\n", text, o->help);
}

static void print_help(const struct vz_tool *tool, const struct vz_opt *opts)
{
	printf("Usage: %s%s%s\n\n%s\n\n", tool->name, *tool->args ? " " : "", tool->args,
	       tool->about);
	for (; opts->name; opts++)
		print_option(opts);
}

/* What all tools have, after their own options. */
enum { HELP, VERSION, PROC, COMMON };
static const struct vz_opt common[COMMON] = {
	[HELP] = { "help", 'h', NULL, "show this" },
	[VERSION] = { "version", 0, NULL, "show the version" },
	[PROC] = { "proc", 0, "DIR", "plan for the node whose /proc was saved in DIR" },
};

/* Returns how many options the tool has of its own. */
static size_t all_options(const struct vz_tool *tool, struct vz_opt *ret)
{
	size_t n = 0;

	for (; n < OPTS_MAX - COMMON && tool->opts[n].name; n++)
		ret[n] = tool->opts[n];
	memcpy(ret + n, common, (tool->plans ? COMMON : PROC) * sizeof(*common));
	return n;
}

static int check_words(const struct vz_tool *tool, const struct vz_strv *words,
		       struct vz_err *err)
{
	if (words->n < tool->words_min)
		return vz_err_set(err, VZ_E_NOPARAM, 0,
				  "something is missing: see %s --help", tool->name);
	if (words->n > tool->words_max)
		return vz_err_set(err, VZ_E_SYNTAX, 0, "unexpected argument '%s'",
				  words->v[tool->words_max]);
	return 0;
}

__attribute__((format(printf, 3, 0))) static void
print_log(void *data, enum vz_log_level level, const char *fmt, va_list ap)
{
	if (level > VZ_LOG_WARN)
		return;
	fprintf(stderr, "%s: warning: ", (const char *)data);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

static int parse_and_run(const struct vz_tool *tool, struct vz_tool_run *run,
			 struct vz_ctx *ctx, int argc, char **argv)
{
	struct vz_opt opts[OPTS_MAX + 1] = { 0 };
	size_t n = all_options(tool, opts);
	const char **value = run->value;
	struct vz_opt_parse how = { .own = opts,
				    .ret_values = value,
				    .words = &run->words };
	int r = vz_opt_parse(&how, argc, argv, run->err);

	if (r)
		return r;
	if (value[n + HELP])
		print_help(tool, opts);
	else if (value[n + VERSION])
		printf("%s version " VZ_VERSION "\n", tool->name);
	if (value[n + HELP] || value[n + VERSION])
		return 0;
	if (value[n + PROC])
		ctx->procdir = value[n + PROC];
	r = check_words(tool, &run->words, run->err);
	return r ? r : tool->run(run);
}

int vz_tool_main(const struct vz_tool *tool, int argc, char **argv)
{
	struct vz_err err = { 0 };
	struct vz_ctx ctx;
	const char *value[OPTS_MAX + 1] = { NULL };
	struct vz_tool_run run = { tool->name, &ctx, value, .err = &err };
	int r;

	vz_stdio_begin();
	vz_ctx_init(&ctx);
	ctx.log = print_log;
	ctx.log_data = (void *)tool->name;
	r = parse_and_run(tool, &run, &ctx, argc, argv);
	vz_strv_done(&run.words);
	if (!vz_stdio_end(tool->name) || r < 0) {
		if (err.text[0])
			fprintf(stderr, "%s: %s\n", tool->name, err.text);
		return 1;
	}
	return r;
}
