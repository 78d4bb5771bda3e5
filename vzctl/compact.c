/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl compact VEID: what a VE deleted in its image goes back to the node. */
#include <inttypes.h>

#include "ve/image.h"
#include "vzctl/cmds.h"

static int run(struct vz_inv *inv)
{
	static const struct vz_opt_parse no_options;
	uint64_t bytes;

	if (vz_opt_parse(&no_options, inv->argc, inv->argv, inv->err) ||
	    vz_image_compact(&inv->ve, &bytes, inv->err))
		return inv->err->status;
	vz_info(inv->ctx, "The image of VE %u was compacted by %" PRIu64 " KiB",
		inv->veid, bytes / 1024);
	return 0;
}

const struct vz_cmd vz_cmd_compact = {
	.name = "compact",
	.args = "VEID",
	.help = "give back to the node what a VE of layout ploop has deleted",
	.flags = VZ_CMD_LOCK,
	.run = run,
};
