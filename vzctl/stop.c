/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/life.h"
#include "vzctl/cmds.h"

enum { OPT_FAST, OPT_SKIP_UMOUNT, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_FAST] = { "fast", 0, NULL, "kill the VE, do not ask its init to halt" },
	[OPT_SKIP_UMOUNT] = { "skip-umount", 0, NULL, "leave the VE mounted" },
	{ 0 },
};

static int run(struct vz_inv *inv)
{
	const char *given[OPT__COUNT] = { NULL };
	const struct vz_opt_parse parse = { .own = options, .ret_values = given };
	struct vz_stop how = { 0 };

	if (vz_opt_parse(&parse, inv->argc, inv->argv, inv->err))
		return inv->err->status;
	how.fast = given[OPT_FAST];
	how.skip_umount = given[OPT_SKIP_UMOUNT];
	return vz_ve_stop(&inv->ve, &how, inv->err) ? (int)inv->err->status : 0;
}

const struct vz_cmd vz_cmd_stop = {
	.name = "stop",
	.args = "VEID [--fast] [--skip-umount]",
	.help = "halt a VE, kill it after STOP_TIMEOUT; --fast: kill it at once",
	.flags = VZ_CMD_LOCK,
	.opts = options,
	.run = run,
};
