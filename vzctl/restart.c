/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/life.h"
#include "vzctl/cmds.h"
#include "vzctl/flags.h"

static int run(struct vz_inv *inv)
{
	struct vz_start start = { .lock_fd = inv->lock_fd };
	struct vz_stop stop = { 0 };
	const struct vz_flag flags[] = {
		{ "--wait", &start.wait },
		{ "--force", &start.force },
		{ "--fast", &stop.fast },
		{ NULL },
	};

	if (vz_flags(inv, flags))
		return inv->err->status;
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
	.run = run,
};
