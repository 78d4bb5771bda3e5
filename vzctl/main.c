/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl: read the words before the command, find it, run it, say why it failed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/ns.h"
#include "tool/stdio.h"
#include "ve/dump.h"
#include "ve/snapshot.h"
#include "ve/state.h"
#include "ve/super.h"
#include "vzctl/cmd.h"
#include "vzctl/cmds.h"
#include "vzctl/record.h"

static const struct vz_cmd *find_command(const char *word)
{
	for (size_t i = 0; vz_cmds[i]; i++)
		if (!strcmp(vz_cmds[i]->name, word) ||
		    (vz_cmds[i]->alias && !strcmp(vz_cmds[i]->alias, word)))
			return vz_cmds[i];
	return NULL;
}

static void usage(FILE *out)
{
	fprintf(out,
		"vzctl version " VZ_VERSION "\n"
		"Manage virtual environments (VEs).\n\n"
		"Usage: vzctl [--quiet | --verbose] [--skiplock] COMMAND VEID|NAME ...\n"
		"       vzctl --help | --version\n\nCommands:\n");
	for (size_t i = 0; vz_cmds[i]; i++) {
		if (vz_cmds[i]->flags & VZ_CMD_HIDDEN)
			continue;
		fprintf(out, "  %s %s\n        %s\n", vz_cmds[i]->name, vz_cmds[i]->args,
			vz_cmds[i]->help);
	}
	fprintf(out, "\nvzctl(8) has the whole of it.\n");
}

__attribute__((format(printf, 3, 0))) static void
print_log(void *data, enum vz_log_level level, const char *fmt, va_list ap)
{
	const struct vz_inv *inv = data;
	FILE *out = level <= VZ_LOG_WARN ? stderr : stdout;
	va_list again;

	va_copy(again, ap);
	vz_logfile_vwrite(&inv->log, level, inv->veid, fmt, again);
	va_end(again);
	if (level > VZ_LOG_WARN && inv->quiet)
		return;
	if (level == VZ_LOG_DEBUG && !inv->verbose)
		return;
	if (level == VZ_LOG_WARN)
		fputs("Warning: ", out);
	vfprintf(out, fmt, ap);
	fputc('\n', out);
	/* News that nobody gets to read make no command fail. */
	if (fflush(out))
		clearerr(out);
}

/* The words before COMMAND. Returns how many there were, or -1. */
static int global_options(struct vz_inv *inv, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--quiet"))
			inv->quiet = true;
		else if (!strcmp(argv[i], "--verbose"))
			inv->verbose++;
		else if (!strcmp(argv[i], "--skiplock"))
			inv->skip_lock = true;
		else
			return -1;
	}
	return i;
}

static int find_veid(struct vz_inv *inv, const struct vz_cmd *cmd, const char *word)
{
	if (!(cmd->flags & VZ_CMD_NEWID))
		return vz_ve_lookup(inv->ctx, word, &inv->veid, inv->err);
	if (vz_parse_veid(word, &inv->veid))
		return vz_err_set(inv->err, VZ_E_VALUE, 0,
				  "bad VEID '%s': expected a number up to %u", word,
				  VZ_VEID_MAX);
	return 0;
}

static int take_lock(struct vz_inv *inv)
{
	vz_autocfg struct vz_cfg *global = NULL;
	int r;

	if (inv->skip_lock)
		return 0;
	r = vz_cfg_load_global(inv->ctx, &global, inv->err);
	return r ? r : vz_ve_lock(inv->ctx, global, inv->veid, &inv->lock_fd, inv->err);
}

/* What was killed in the midst of its work on the VE, whoever comes by finishes. */
static void supervise(struct vz_inv *inv)
{
	struct vz_err err = { 0 };

	if (vz_state_running(inv->ctx, inv->veid) != 1)
		return;
	if (!vz_state_supervised(inv->ctx, inv->veid) && vz_super_adopt(&inv->ve, &err))
		vz_warn(inv->ctx, "VE %u has no supervisor: %s", inv->veid, err.text);
	if (vz_dump_mend(&inv->ve, &err))
		vz_warn(inv->ctx, "VE %u: %s", inv->veid, err.text);
}

/* What a killed command left half done, the configuration included. */
static int settle(struct vz_inv *inv)
{
	struct vz_err err = { 0 };
	int r = vz_snapshot_settle(&inv->ve, &err);

	if (r < 0)
		vz_warn(inv->ctx, "VE %u: %s", inv->veid, err.text);
	if (r <= 0)
		return 0;
	vz_ve_close(&inv->ve);
	return vz_ve_open(inv->ctx, inv->veid, &inv->ve, inv->err);
}

static int run_command(struct vz_inv *inv, const struct vz_cmd *cmd)
{
	if (cmd->flags & VZ_CMD_LOCK && take_lock(inv))
		return inv->err->status;
	if (!(cmd->flags & (VZ_CMD_NOCONF | VZ_CMD_NOVE)) &&
	    vz_ve_open(inv->ctx, inv->veid, &inv->ve, inv->err))
		return inv->err->status;
	if (inv->lock_fd >= 0 && inv->ve.cfg) {
		if (inv->veid && settle(inv))
			return inv->err->status;
		supervise(inv);
	}
	return cmd->run(inv);
}

/* Take the VEID out of the arguments: options may stand before it. */
static int take_veid(struct vz_inv *inv, const struct vz_cmd *cmd)
{
	const struct vz_opt_parse how = { .own = cmd->opts, .params = cmd->params };
	int at = vz_opt_first_word(&how, inv->argc, inv->argv);

	if (cmd->flags & VZ_CMD_VEID_LAST && at < inv->argc)
		at += vz_opt_first_word(&how, inv->argc - at, inv->argv + at);
	if (at >= inv->argc)
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0, "no VEID: vzctl %s %s",
				  cmd->name, cmd->args);
	if (find_veid(inv, cmd, inv->argv[at]))
		return -EINVAL;
	if (!inv->veid && !(cmd->flags & VZ_CMD_VE0))
		return vz_err_set(inv->err, VZ_E_VALUE, 0,
				  "VE 0 is the node itself: it takes only `vzctl set`");
	memmove(inv->argv + at, inv->argv + at + 1,
		(inv->argc - at) * sizeof(*inv->argv));
	inv->argc--;
	return 0;
}

static int parse_and_run(struct vz_inv *inv, int argc, char **argv)
{
	const struct vz_cmd *cmd;
	int at = global_options(inv, argc, argv), status;

	if (at > 0 && at < argc && !strcmp(argv[at], "help"))
		return usage(stdout), 0;
	cmd = at > 0 && at < argc ? find_command(argv[at]) : NULL;
	if (!cmd) {
		vz_err_set(inv->err, VZ_E_SYNTAX, 0, "%s '%s': see vzctl --help",
			   at < 0 ? "unknown option" : "unknown command",
			   argc > 1 && at != argc ? argv[at < 0 ? 1 : at] : "");
		return VZ_E_SYNTAX;
	}
	if (geteuid()) {
		vz_err_set(inv->err, VZ_E_PERM, 0, "vzctl must be run by root");
		return VZ_E_PERM;
	}
	vz_logfile_open(&inv->log, inv->ctx, "vzctl");
	if (!inv->verbose && !inv->quiet && inv->log.verbose > 0)
		inv->verbose = inv->log.verbose;
	inv->argv = argv + at;
	inv->argc = argc - at;
	if (!(cmd->flags & VZ_CMD_NOVE) && take_veid(inv, cmd))
		return inv->err->status;
	record_begin(inv, cmd);
	status = run_command(inv, cmd);
	record_end(inv, status);
	return status;
}

static int leave_vzproc(struct vz_err *err)
{
	int r = vz_ns_leave_vzproc();

	if (!r)
		return 0;
	vz_err_set(err, VZ_E_SYSTEM, -r, "can't go back to the node's mounts (vzproc)");
	return VZ_E_SYSTEM;
}

int main(int argc, char **argv)
{
	struct vz_err err = { 0 };
	struct vz_ctx ctx;
	struct vz_inv inv = { .ctx = &ctx, .lock_fd = -1, .err = &err, .log.fd = -1 };
	int status;

	vz_stdio_begin();
	vz_ctx_init(&ctx);
	ctx.log = print_log;
	ctx.log_data = &inv;
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return puts("vzctl version " VZ_VERSION) < 0;
	if (argc == 1 || (argc == 2 && !strcmp(argv[1], "--help"))) {
		usage(argc == 1 ? stderr : stdout);
		return argc == 1 ? VZ_E_SYNTAX : VZ_OK;
	}
	status = leave_vzproc(&err);
	if (!status)
		status = parse_and_run(&inv, argc, argv);
	if (status && err.text[0])
		fprintf(stderr, "vzctl: %s\n", err.text);
	vz_ve_close(&inv.ve);
	return vz_stdio_end("vzctl") || status ? status : VZ_E_SYSTEM;
}
