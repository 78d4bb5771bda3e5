/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzmigrate: move VEs to other nodes. Its other end is vzmigrate --serve. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/ns.h"
#include "tool/opt.h"
#include "tool/stdio.h"
#include "vzmigrate/channel.h"
#include "vzmigrate/evacuate.h"
#include "vzmigrate/recover.h"
#include "vzmigrate/send.h"
#include "vzmigrate/serve.h"

enum {
	OPT_REMOVE,
	OPT_SSH,
	OPT_RSYNC,
	OPT_KEEP_DST,
	OPT_LIVE,
	OPT_ONLINE,
	OPT_NO_PRECOPY,
	OPT_COMPACT,
	OPT_SNAPSHOT,
	OPT_CHECK,
	OPT_DRY,
	OPT_NODEPS,
	OPT_NODEPS_OF,
	OPT_TIMES,
	OPT_VERBOSE,
	OPT_QUIET,
	OPT_JSON,
	OPT_ALL,
	OPT_PARALLEL,
	OPT_RECOVER,
	OPT_SERVE,
	OPT_CHANNEL,
	OPT_HELP,
	OPT_VERSION,
	OPT__COUNT,
};

static const struct vz_opt options[OPT__COUNT + 1] = {
	[OPT_REMOVE] = { "remove-area", 'r', "yes|no",
			 "whether the VE goes from here in the end (default: yes)" },
	[OPT_SSH] = { "ssh", 0, "OPTIONS", "options of ssh" },
	[OPT_RSYNC] = { "rsync", 0, "OPTIONS", "options of rsync" },
	[OPT_KEEP_DST] = { "keep-dst", 0, NULL,
			   "after a failure keep the files there, for the next try" },
	[OPT_LIVE] = { "live", 0, NULL, "without stopping it" },
	[OPT_ONLINE] = { "online", 0, NULL, NULL },
	[OPT_NO_PRECOPY] = { "no-pre-copy", 0, NULL,
			     "send all memory while it stands still (--live)" },
	[OPT_COMPACT] = { "compact", 'c', NULL, "compact an image before (ploop)" },
	[OPT_SNAPSHOT] = { "snapshot", 's', NULL, "make a snapshot before (ploop)" },
	[OPT_CHECK] = { "check-only", 0, NULL, "say whether it could be done" },
	[OPT_DRY] = { "dry-run", 0, NULL, "the same" },
	[OPT_NODEPS] = { "nodeps", 'f', NULL,
			 "go on where checks fail; =KIND,...: only checks of these "
			 "kinds" },
	[OPT_NODEPS_OF] = { "nodeps-of", 0, "KINDS", NULL },
	[OPT_TIMES] = { "times", 't', NULL, "say how long each part took" },
	[OPT_VERBOSE] = { "verbose", 'v', NULL, "say more" },
	[OPT_QUIET] = { "quiet", 0, NULL, "say nothing but errors" },
	[OPT_JSON] = { "json", 0, NULL, "say it to a program: a JSON object a line" },
	[OPT_ALL] = { "all", 0, NULL, "all VEs of this node, spread over DESTINATIONs" },
	[OPT_PARALLEL] = { "parallel", 0, "NUM",
			   "so many at once (with --all; default: 2)" },
	[OPT_RECOVER] = { "recover", 0, NULL,
			  "finish or undo what was left half-way, of all VEs or one" },
	[OPT_SERVE] = { "serve", 0, NULL, NULL },
	[OPT_CHANNEL] = { "serve-channel", 0, "WHAT", NULL },
	[OPT_HELP] = { "help", 'h', NULL, "show this" },
	[OPT_VERSION] = { "version", 0, NULL, "show the version" },
	{ 0 },
};

struct run {
	struct vz_ctx ctx;
	struct vz_err err;
	const char *given[OPT__COUNT];
	struct vz_strv words;
	struct report report;
};

static const char *const kinds[] = { "all",   "cpu", "clock",	 "kernel",   "ip",
				     "space", "net", "capacity", "processes" };
/* What OpenVZ's tools call them; a NULL is one that there is none of here. */
static const struct {
	const char *name, *kind;
} old_kinds[] = {
	{ "cpu_check", "cpu" }, { "disk_space", "space" }, { "technologies", "kernel" },
	{ "license", NULL },	{ "rate", NULL },	   { "bindmount", NULL }
};

static void usage(FILE *out)
{
	fprintf(out, "vzmigrate version " VZ_VERSION "\n"
		     "Move VEs to other nodes.\n\n"
		     "Usage: vzmigrate [OPTIONS] DESTINATION VEID|NAME\n"
		     "       vzmigrate --all [OPTIONS] DESTINATION...\n"
		     "       vzmigrate --recover [VEID]\n\nOptions:\n");
	for (const struct vz_opt *o = options; o->name; o++) {
		char text[64];

		if (!o->help)
			continue;
		snprintf(text, sizeof(text), "--%s%s%s", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		fprintf(out, o->letter ? "  -%c, " : "      ", o->letter);
		fprintf(out, "%-24s %s\n", text, o->help);
	}
	fputs("\nvzmigrate(8) has the whole of it.\n", out);
}

__attribute__((format(printf, 3, 0))) static void
print_log(void *data, enum vz_log_level level, const char *fmt, va_list ap)
{
	struct run *run = data;
	char text[900];
	va_list again;

	va_copy(again, ap);
	vz_logfile_vwrite(&run->report.log, level, run->report.veid, fmt, again);
	va_end(again);
	if (level > VZ_LOG_WARN && !run->report.verbose)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (run->report.json)
		report_say(&run->report, "%s", text);
	else
		fprintf(level <= VZ_LOG_WARN ? stderr : stdout, "%s%s\n",
			level <= VZ_LOG_WARN ? "Warning: " : "", text);
}

/* --- the command line --- */

static const char *known_kind(const char *word, bool *ret_none)
{
	*ret_none = false;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i], word))
			return kinds[i];
	for (size_t i = 0; i < VZ_ARRAY_SIZE(old_kinds); i++)
		if (!strcmp(old_kinds[i].name, word)) {
			*ret_none = !old_kinds[i].kind;
			return old_kinds[i].kind;
		}
	return NULL;
}

/* The kinds as send.h wants them. The caller frees *ret; NULL: none. */
static int read_nodeps(struct run *run, char **ret)
{
	vz_autostrv struct vz_strv words = { 0 }, out = { 0 };
	const char *list = run->given[OPT_NODEPS_OF];

	*ret = NULL;
	if (!run->given[OPT_NODEPS])
		return 0;
	if (!list)
		list = "all";
	if (vz_strv_split(&words, list, ","))
		return mig_fail(&run->err, MIG_E_SYSTEM, ENOMEM, "can't go on");
	for (size_t i = 0; i < words.n; i++) {
		bool none;
		const char *kind = known_kind(words.v[i], &none);

		if (!kind && !none)
			return mig_fail(
				&run->err, MIG_E_USAGE, 0,
				"--nodeps: unknown kind of check '%s'; there are "
				"all, cpu, clock, kernel, ip, space, net, capacity, "
				"processes",
				words.v[i]);
		if (kind && vz_strv_add(&out, kind))
			return mig_fail(&run->err, MIG_E_SYSTEM, ENOMEM, "can't go on");
	}
	*ret = out.n ? vz_strv_join(&out, ",") : NULL;
	return 0;
}

/* -f and --nodeps stand alone or have a value behind `=`: two options to the parser. */
static int parse(struct run *run, int argc, char **argv)
{
	vz_autofree char **args = calloc(argc + 1, sizeof(*args));
	struct vz_opt_parse how = { .own = options,
				    .ret_values = run->given,
				    .words = &run->words };

	if (!args)
		return mig_fail(&run->err, MIG_E_SYSTEM, ENOMEM, "can't go on");
	for (int i = 0; i < argc; i++) {
		args[i] = argv[i];
		if (!strncmp(argv[i], "--nodeps=", 9)) {
			run->given[OPT_NODEPS_OF] = argv[i] + 9;
			args[i] = "--nodeps";
		}
	}
	if (vz_opt_parse(&how, argc, args, &run->err))
		return mig_recast(&run->err, MIG_E_USAGE, -EINVAL);
	return 0;
}

static int read_remove(struct run *run, bool *ret_keep)
{
	const char *word = run->given[OPT_REMOVE] ?: "yes";

	*ret_keep = !strcmp(word, "no");
	if (*ret_keep || !strcmp(word, "yes"))
		return 0;
	return mig_fail(&run->err, MIG_E_USAGE, 0, "bad -r '%s': expected yes or no",
			word);
}

static int check_dest(struct run *run, const char *dest)
{
	if (*dest && *dest != '-' && !dest[strcspn(dest, " \t\n'\"\\$`")])
		return 0;
	return mig_fail(&run->err, MIG_E_USAGE, 0,
			"bad DESTINATION '%s': expected [USER@]HOST as ssh has it", dest);
}

/* --- what is asked for --- */

static int migrate(struct run *run)
{
	const char **given = run->given;
	vz_autofree char *nodeps = NULL;
	struct send how = { .ctx = &run->ctx,
			    .ssh_opts = given[OPT_SSH],
			    .rsync_opts = given[OPT_RSYNC],
			    .keep_dest = given[OPT_KEEP_DST],
			    .live = given[OPT_LIVE] || given[OPT_ONLINE],
			    .no_precopy = given[OPT_NO_PRECOPY],
			    .check_only = given[OPT_CHECK] || given[OPT_DRY],
			    .report = &run->report };
	int r;

	if (run->words.n != 2)
		return mig_fail(&run->err, MIG_E_USAGE, 0,
				"expected DESTINATION and VEID: see vzmigrate --help");
	r = read_remove(run, &how.keep_source);
	if (!r)
		r = read_nodeps(run, &nodeps);
	if (!r)
		r = check_dest(run, run->words.v[0]);
	if (r)
		return r;
	how.dest = run->words.v[0];
	how.nodeps = nodeps;
	if (vz_ve_lookup(&run->ctx, run->words.v[1], &how.veid, &run->err))
		return mig_recast(&run->err,
				  run->err.status == VZ_E_NOCONF ? MIG_E_NOVE
								 : MIG_E_USAGE,
				  -EINVAL);
	report_begin(&run->report, how.veid, how.dest);
	r = send_ve(&how, &run->err);
	report_end(&run->report, r ? (int)run->err.status : 0, &run->err);
	return r;
}

/* What each vzmigrate of one VE is told of what we were. */
static int pass_options(struct run *run, struct vz_strv *to)
{
	static const int passed[] = { OPT_REMOVE,   OPT_SSH,  OPT_RSYNC,
				      OPT_KEEP_DST, OPT_LIVE, OPT_NO_PRECOPY,
				      OPT_NODEPS,   OPT_CHECK };
	const char **given = run->given;
	int r = vz_strv_add(to, "--quiet");

	if (given[OPT_ONLINE])
		given[OPT_LIVE] = "";
	for (size_t i = 0; i < VZ_ARRAY_SIZE(passed) && !r; i++) {
		const struct vz_opt *o = &options[passed[i]];
		const char *value = given[passed[i]];
		vz_autofree char *word = NULL;

		if (!value)
			continue;
		if (passed[i] == OPT_NODEPS && given[OPT_NODEPS_OF])
			word = vz_strf("--nodeps=%s", given[OPT_NODEPS_OF]);
		else if (o->arg)
			word = vz_strf("--%s=%s", o->name, value);
		else
			word = vz_strf("--%s", o->name);
		r = word ? vz_strv_add(to, word) : -ENOMEM;
	}
	return r ? mig_fail(&run->err, MIG_E_SYSTEM, ENOMEM, "can't go on") : 0;
}

static int migrate_all(struct run *run)
{
	vz_autostrv struct vz_strv passed = { 0 };
	vz_autofree char *nodeps = NULL;
	const char **given = run->given;
	struct evacuate how = { .ctx = &run->ctx,
				.dests = &run->words,
				.options = &passed,
				.ssh_opts = given[OPT_SSH],
				.parallel = 2,
				.check_only = given[OPT_CHECK] && !given[OPT_DRY] &&
					      (given[OPT_LIVE] || given[OPT_ONLINE]),
				.report = &run->report };
	uint64_t parallel;
	bool keep;
	int r = read_remove(run, &keep);

	how.plan_only = given[OPT_DRY] || (given[OPT_CHECK] && !how.check_only);
	if (!r)
		r = read_nodeps(run, &nodeps);
	if (!r && !run->words.n)
		r = mig_fail(&run->err, MIG_E_USAGE, 0, "--all needs a DESTINATION");
	for (size_t i = 0; i < run->words.n && !r; i++)
		r = check_dest(run, run->words.v[i]);
	if (!r && given[OPT_PARALLEL] &&
	    (vz_parse_u64(given[OPT_PARALLEL], 100, &parallel) || !parallel))
		r = mig_fail(&run->err, MIG_E_USAGE, 0,
			     "bad --parallel '%s': expected 1 to 100",
			     given[OPT_PARALLEL]);
	if (!r)
		r = pass_options(run, &passed);
	if (r)
		return r;
	if (given[OPT_PARALLEL])
		how.parallel = parallel;
	how.overcommit = nodeps && (strstr(nodeps, "all") || strstr(nodeps, "capacity"));
	return evacuate(&how, &run->err);
}

static int recover(struct run *run)
{
	uint32_t veid;
	int r;

	if (!run->words.n) {
		r = recover_all(&run->ctx);
		return r ? mig_fail(&run->err, r, 0,
				    "not all could be finished or undone")
			 : 0;
	}
	if (run->words.n > 1 ||
	    vz_ve_lookup(&run->ctx, run->words.v[0], &veid, &run->err))
		return mig_fail(&run->err, MIG_E_USAGE, 0, "--recover takes a VEID");
	run->report.veid = veid;
	r = recover_one(&run->ctx, veid, &run->err);
	if (r == -ENOENT && !run->err.status) {
		vz_info(&run->ctx, "VE %u: nothing was left half-way", veid);
		return 0;
	}
	return r;
}

static int dispatch(struct run *run, int argc, char **argv)
{
	const char **given = run->given;
	int r = parse(run, argc, argv);

	if (r)
		return r;
	if (given[OPT_HELP])
		return usage(stdout), 0;
	if (given[OPT_VERSION])
		return puts("vzmigrate version " VZ_VERSION) < 0;
	if (geteuid())
		return mig_fail(&run->err, MIG_E_SYSTEM, EPERM,
				"vzmigrate must be run by root");
	if (given[OPT_SERVE])
		return serve(&run->ctx);
	if (given[OPT_CHANNEL])
		return channel_serve(given[OPT_CHANNEL]);
	vz_logfile_open(&run->report.log, &run->ctx, "vzmigrate");
	run->report.verbose = given[OPT_VERBOSE] ? 1 : 0;
	run->report.times = given[OPT_TIMES] || given[OPT_VERBOSE];
	run->report.json = given[OPT_JSON];
	run->report.quiet = given[OPT_QUIET];
	if (given[OPT_ALL])
		return migrate_all(run);
	return given[OPT_RECOVER] ? recover(run) : migrate(run);
}

int main(int argc, char **argv)
{
	struct run run = { .report = { .log.fd = -1 } };
	int r;

	vz_stdio_begin();
	signal(SIGPIPE, SIG_IGN);
	vz_ctx_init(&run.ctx);
	run.ctx.log = print_log;
	run.ctx.log_data = &run;
	if (argc == 1)
		return usage(stderr), MIG_E_USAGE;
	r = vz_ns_leave_vzproc();
	r = r ? mig_fail(&run.err, MIG_E_SYSTEM, -r, "can't go back to the node's mounts")
	      : dispatch(&run, argc, argv);
	vz_strv_done(&run.words);
	if (r < 0 && run.err.text[0] && !run.report.json)
		fprintf(stderr, "vzmigrate: %s\n", run.err.text);
	if (r < 0)
		r = run.err.status ? (int)run.err.status : MIG_E_SYSTEM;
	return vz_stdio_end("vzmigrate") || r ? r : MIG_E_SYSTEM;
}
