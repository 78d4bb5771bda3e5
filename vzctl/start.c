/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/life.h"
#include "vzctl/cmds.h"

enum { OPT_FORCE, OPT_WAIT, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_FORCE] = { "force", 0, NULL,
			"even if the VE is disabled, or what it reserves is not there" },
	[OPT_WAIT] = { "wait", 0, NULL, "return when the VE is up" },
	{ 0 },
};

static int run(struct vz_inv *inv)
{
	const char *given[OPT__COUNT] = { NULL };
	const struct vz_opt_parse parse = { .own = options, .ret_values = given };
	struct vz_start how = { .lock_fd = inv->lock_fd };

	if (vz_opt_parse(&parse, inv->argc, inv->argv, inv->err))
		return inv->err->status;
	how.force = given[OPT_FORCE];
	how.wait = given[OPT_WAIT];
	return vz_ve_start(&inv->ve, &how, inv->err) ? (int)inv->err->status : 0;
}

const struct vz_cmd vz_cmd_start = {
	.name = "start",
	.args = "VEID [--force] [--wait]",
	.help = "start a VE; --wait: return when it is up; --force: even if it is "
		"disabled or reserves what is not there",
	.flags = VZ_CMD_LOCK,
	.opts = options,
	.run = run,
};
