/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl destroy VEID: a VE and all its files go. */
#include "ve/destroy.h"
#include "tool/opt.h"
#include "vzctl/cmds.h"

static int run(struct vz_inv *inv)
{
	struct vz_opt_parse how = { 0 };

	if (vz_opt_parse(&how, inv->argc, inv->argv, inv->err) ||
	    vz_ve_destroy(inv->ctx, inv->veid, inv->err))
		return inv->err->status;
	vz_info(inv->ctx, "VE %u was destroyed", inv->veid);
	return 0;
}

const struct vz_cmd vz_cmd_destroy = {
	.name = "destroy",
	.alias = "delete",
	.args = "VEID",
	.help = "remove a VE and its files; its configuration stays as "
		"VEID.conf.destroyed",
	.flags = VZ_CMD_LOCK | VZ_CMD_NOCONF,
	.run = run,
};
