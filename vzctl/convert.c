/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl convert VEID --layout NAME: another layout for a VE that is down. */
#include "ve/convert.h"

#include "tool/progress.h"
#include "vzctl/cmds.h"

static const struct vz_opt opts[] = {
	{ "layout", 0, "simfs|overlay|ploop", "the layout that the VE is to have" },
	{ "velayout", 0, "NAME", "the same" },
	{ 0 },
};

static int run(struct vz_inv *inv)
{
	const char *value[2] = { NULL };
	struct vz_opt_parse parse = { .own = opts, .ret_values = value };
	struct vz_progress bar;
	struct vz_convert how = {
		.lock_fd = inv->lock_fd,
		.progress = vz_progress_update,
		.progress_data = &bar,
	};
	bool done;
	int r = vz_opt_parse(&parse, inv->argc, inv->argv, inv->err);

	if (r)
		return inv->err->status;
	how.layout = value[0] ? value[0] : value[1];
	if (!how.layout) {
		vz_err_set(inv->err, VZ_E_NOPARAM, 0,
			   "which layout? vzctl convert %u --layout simfs|overlay|ploop",
			   inv->veid);
		return inv->err->status;
	}
	vz_progress_start(&bar, inv->quiet);
	r = vz_ve_convert(&inv->ve, &how, &done, inv->err);
	vz_progress_end(&bar);
	if (r)
		return inv->err->status;
	vz_info(inv->ctx,
		done ? "VE %u was converted to layout %s"
		     : "VE %u is of layout %s already",
		inv->veid, how.layout);
	return 0;
}

const struct vz_cmd vz_cmd_convert = {
	.name = "convert",
	.args = "VEID --layout simfs|overlay|ploop",
	.help = "give a VE that is down another layout",
	.flags = VZ_CMD_LOCK,
	.opts = opts,
	.run = run,
};
