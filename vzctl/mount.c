/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/mount.h"

#include "vzctl/cmds.h"

static const struct vz_opt_parse no_options;

static int run_mount(struct vz_inv *inv)
{
	if (vz_opt_parse(&no_options, inv->argc, inv->argv, inv->err))
		return inv->err->status;
	if (vz_ve_mounted(&inv->ve) == 1)
		vz_info(inv->ctx, "Container is already mounted");
	return vz_ve_mount(&inv->ve, inv->err) ? (int)inv->err->status : 0;
}

const struct vz_cmd vz_cmd_mount = {
	.name = "mount",
	.args = "VEID",
	.help = "mount a VE's private area on its root",
	.flags = VZ_CMD_LOCK,
	.run = run_mount,
};

static int run_umount(struct vz_inv *inv)
{
	if (vz_opt_parse(&no_options, inv->argc, inv->argv, inv->err) ||
	    vz_ve_umount(&inv->ve, inv->err))
		return inv->err->status;
	return 0;
}

const struct vz_cmd vz_cmd_umount = {
	.name = "umount",
	.args = "VEID",
	.help = "unmount a VE that does not run",
	.flags = VZ_CMD_LOCK,
	.run = run_umount,
};
