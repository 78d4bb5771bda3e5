/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/life.h"
#include "vzctl/cmds.h"
#include "vzctl/flags.h"

static int run(struct vz_inv *inv)
{
	struct vz_stop how = { 0 };
	const struct vz_flag flags[] = {
		{ "--fast", &how.fast },
		{ "--skip-umount", &how.skip_umount },
		{ NULL },
	};

	if (vz_flags(inv, flags) || vz_ve_stop(&inv->ve, &how, inv->err))
		return inv->err->status;
	return 0;
}

const struct vz_cmd vz_cmd_stop = {
	.name = "stop",
	.args = "VEID [--fast] [--skip-umount]",
	.help = "halt a VE, kill it after STOP_TIMEOUT; --fast: kill it at once",
	.flags = VZ_CMD_LOCK,
	.run = run,
};
