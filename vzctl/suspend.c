/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suspend and resume: to a file and back, or standing still in memory. */
#include <errno.h>

#include "tool/obstacles.h"
#include "ve/dump.h"
#include "ve/freeze.h"
#include "ve/life.h"
#include "ve/oracle.h"
#include "ve/restore.h"
#include "vzctl/cmds.h"

enum { S_DUMPFILE, S_SUSPEND, S_DUMP, S_KILL, S_RESUME, S_CHECK, S_JSON, S__COUNT };

static const struct vz_opt suspend_options[] = {
	[S_DUMPFILE] = { "dumpfile", 0, "PATH", "where to; a directory is made there" },
	[S_SUSPEND] = { "suspend", 0, NULL, "only let it stand still, in memory" },
	[S_DUMP] = { "dump", 0, NULL, "write it, and let it stand still" },
	[S_KILL] = { "kill", 0, NULL, "end a VE that was written and stands still" },
	[S_RESUME] = { "resume", 0, NULL, "let a VE that stands still go on" },
	[S_CHECK] = { "check-only", 0, NULL,
		      "only say whether it can be written, or what is in the way" },
	[S_JSON] = { "json", 0, NULL, "with --check-only: as JSON" },
	{ 0 },
};

static int one_of(struct vz_inv *inv, const char *const *given, int from, int to)
{
	int n = 0;

	for (int i = from; i <= to; i++)
		n += given[i] != NULL;
	if (n > 1)
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
				  "%s: only one stage at a time can be asked for",
				  inv->argv[0]);
	return 0;
}

static int go_on(struct vz_inv *inv, enum vz_exit status)
{
	if (!vz_frozen(inv->ctx, inv->veid))
		return vz_err_set(inv->err, status, 0, "VE %u does not stand still",
				  inv->veid);
	if (vz_thaw(&inv->ve, inv->err))
		return -1;
	vz_info(inv->ctx, "Container resumed");
	return 0;
}

/* What is in the way of a dump: on standard output, in words or as JSON. */
static int check_only(struct vz_inv *inv, bool json)
{
	vz_autoobstacles struct vz_obstacles l = { 0 };
	int r = vz_oracle_ask(&inv->ve, &l, inv->err);

	if (!r)
		r = vz_obstacles_print(&l, json, stdout)
			    ? vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM,
					 "can't write the list")
			    : 0;
	if (r)
		return r;
	if (l.n)
		return vz_err_set(inv->err, VZ_E_CHECKPOINT, 0,
				  "VE %u can't be suspended or moved live as it is",
				  inv->veid);
	if (!json)
		vz_info(inv->ctx, "Nothing is in the way of suspending VE %u", inv->veid);
	return 0;
}

static int do_suspend(struct vz_inv *inv, const char *const *given)
{
	int r;

	if (given[S_CHECK])
		return check_only(inv, given[S_JSON]);
	if (given[S_SUSPEND]) {
		r = vz_freeze(&inv->ve, inv->err);
		if (!r)
			vz_info(inv->ctx, "Container suspended in memory");
		return r;
	}
	if (given[S_RESUME])
		return go_on(inv, VZ_E_CHECKPOINT);
	if (given[S_KILL])
		return vz_ve_suspend_kill(&inv->ve, inv->err);
	vz_info(inv->ctx, "Setting up checkpoint...");
	r = vz_ve_suspend(&inv->ve, given[S_DUMPFILE], given[S_DUMP], inv->err);
	if (!r)
		vz_info(inv->ctx, "Checkpointing completed successfully");
	return r;
}

static int run_suspend(struct vz_inv *inv)
{
	const char *given[S__COUNT] = { NULL };
	const struct vz_opt_parse parse = { .own = suspend_options, .ret_values = given };

	if (vz_opt_parse(&parse, inv->argc, inv->argv, inv->err) ||
	    one_of(inv, given, S_SUSPEND, S_CHECK) || do_suspend(inv, given))
		return inv->err->status;
	return 0;
}

const struct vz_cmd vz_cmd_suspend = {
	.name = "suspend",
	.alias = "chkpnt",
	.args = "VEID [--dumpfile PATH] [--suspend|--dump|--kill|--resume|"
		"--check-only [--json]]",
	.help = "write a VE with its processes to a dump, and end it; --suspend: only "
		"let it stand still in memory",
	.flags = VZ_CMD_LOCK,
	.opts = suspend_options,
	.run = run_suspend,
};

enum { R_DUMPFILE, R_UNDUMP, R_KILL, R_RESUME, R_FORCE, R_SKIP_ARPDETECT, R__COUNT };

static const struct vz_opt resume_options[] = {
	[R_DUMPFILE] = { "dumpfile", 0, "PATH", "where it is; it stays there" },
	[R_UNDUMP] = { "undump", 0, NULL, "restore it, and let it stand still" },
	[R_KILL] = { "kill", 0, NULL, "end a VE that stands still" },
	[R_RESUME] = { "resume", 0, NULL, "let a VE that stands still go on" },
	[R_FORCE] = { "force", 0, NULL, "even if what it reserves is not there" },
	[R_SKIP_ARPDETECT] = { "skip_arpdetect", 0, NULL,
			       "as SKIP_ARPDETECT=yes in vz.conf, this time" },
	{ 0 },
};

static int restore(struct vz_inv *inv, const char *const *given)
{
	const struct vz_resume how = { .dumpfile = given[R_DUMPFILE],
				       .lock_fd = inv->lock_fd,
				       .force = given[R_FORCE],
				       .leave_frozen = given[R_UNDUMP] };
	const struct vz_start start = { .force = how.force };
	int r;

	if (given[R_SKIP_ARPDETECT] &&
	    vz_cfg_set(inv->ve.cfg, VZ_P_SKIP_ARPDETECT, "yes", inv->err))
		return -1;
	r = vz_ve_prepare_start(&inv->ve, &start, inv->err);
	if (r)
		return r;
	vz_info(inv->ctx, "Restoring container ...");
	r = vz_ve_resume(&inv->ve, &how, inv->err);
	if (!r)
		vz_info(inv->ctx, "Restoring completed successfully");
	return r;
}

static int do_resume(struct vz_inv *inv, const char *const *given)
{
	static const struct vz_stop kill_it = { .fast = true };

	/* What is in memory only needs no dump. */
	if (given[R_RESUME] || (!given[R_KILL] && vz_frozen(inv->ctx, inv->veid)))
		return go_on(inv, VZ_E_RESTORE);
	if (!given[R_KILL])
		return restore(inv, given);
	if (!vz_frozen(inv->ctx, inv->veid))
		return vz_err_set(inv->err, VZ_E_RESTORE, 0, "VE %u does not stand still",
				  inv->veid);
	return vz_ve_stop(&inv->ve, &kill_it, inv->err);
}

static int run_resume(struct vz_inv *inv)
{
	const char *given[R__COUNT] = { NULL };
	const struct vz_opt_parse parse = { .own = resume_options, .ret_values = given };

	if (vz_opt_parse(&parse, inv->argc, inv->argv, inv->err) ||
	    one_of(inv, given, R_UNDUMP, R_RESUME) || do_resume(inv, given))
		return inv->err->status;
	return 0;
}

const struct vz_cmd vz_cmd_resume = {
	.name = "resume",
	.alias = "restore",
	.args = "VEID [--dumpfile PATH] [--undump|--kill|--resume] [--force] "
		"[--skip_arpdetect]",
	.help = "let a suspended VE go on where it was",
	.flags = VZ_CMD_LOCK,
	.opts = resume_options,
	.run = run_resume,
};
