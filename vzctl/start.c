/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/life.h"
#include "vzctl/cmds.h"
#include "vzctl/flags.h"

static int run(struct vz_inv *inv)
{
	struct vz_start how = { .lock_fd = inv->lock_fd };
	const struct vz_flag flags[] = {
		{ "--wait", &how.wait },
		{ "--force", &how.force },
		{ NULL },
	};

	if (vz_flags(inv, flags) || vz_ve_start(&inv->ve, &how, inv->err))
		return inv->err->status;
	return 0;
}

const struct vz_cmd vz_cmd_start = {
	.name = "start",
	.args = "VEID [--force] [--wait]",
	.help = "start a VE; --wait: return when it is up; --force: even if disabled",
	.flags = VZ_CMD_LOCK,
	.run = run,
};
