/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/life.h"
#include "vzctl/cmds.h"

enum { OPT_FAST, OPT_FORCE, OPT_WAIT, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_FAST] = { "fast", 0, NULL, "kill the VE, do not ask its init to halt" },
	[OPT_FORCE] = { "force", 0, NULL, "even if the VE is disabled" },
	[OPT_WAIT] = { "wait", 0, NULL, "return when the VE is up again" },
	{ 0 },
};

static int run(struct vz_inv *inv)
{
	const char *given[OPT__COUNT] = { NULL };
	const struct vz_opt_parse parse = { .own = options, .ret_values = given };
	struct vz_start start = { .lock_fd = inv->lock_fd };
	struct vz_stop stop = { 0 };

	if (vz_opt_parse(&parse, inv->argc, inv->argv, inv->err))
		return inv->err->status;
	stop.fast = given[OPT_FAST];
	start.force = given[OPT_FORCE];
	start.wait = given[OPT_WAIT];
	vz_info(inv->ctx, "Restarting container");
	if (vz_ve_stop(&inv->ve, &stop, inv->err) ||
	    vz_ve_start(&inv->ve, &start, inv->err))
		return inv->err->status;
	return 0;
}

const struct vz_cmd vz_cmd_restart = {
	.name = "restart",
	.args = "VEID [--fast] [--force] [--wait]",
	.help = "stop a VE if it runs, and start it",
	.flags = VZ_CMD_LOCK,
	.opts = options,
	.run = run,
};
