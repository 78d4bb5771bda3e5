/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ve/life.h"
#include "vzctl/cmds.h"

/* Cluster agents read it by word number. */
static int run(struct vz_inv *inv)
{
	static const struct vz_opt_parse no_options;
	struct vz_status st;

	if (vz_opt_parse(&no_options, inv->argc, inv->argv, inv->err) ||
	    vz_ve_status(inv->ctx, inv->veid, &st, inv->err))
		return inv->err->status;
	printf("CTID %u %s %s %s%s\n", inv->veid, st.exists ? "exist" : "deleted",
	       st.mounted ? "mounted" : "unmounted", st.running ? "running" : "down",
	       st.suspended ? " suspended" : "");
	return 0;
}

const struct vz_cmd vz_cmd_status = {
	.name = "status",
	.args = "VEID",
	.help = "show whether a VE exists, is mounted, and runs",
	.flags = VZ_CMD_NOCONF,
	.run = run,
};
