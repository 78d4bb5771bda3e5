/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl quotaon, quotaoff, quotainit: the disk quota of a VE by itself. */
#include "ve/diskquota.h"
#include "ve/mount.h"
#include "ve/quotafile.h"
#include "ve/state.h"
#include "vzctl/cmds.h"

static const struct vz_opt_parse no_options;

/* What is not to be done under a VE's feet. */
static int check_unused(struct vz_inv *inv)
{
	if (vz_state_running(inv->ctx, inv->veid) == 1)
		return vz_err_set(inv->err, VZ_E_RUNNING, 0,
				  "VE %u is running: stop it first", inv->veid);
	if (vz_ve_mounted(&inv->ve) == 1)
		return vz_err_set(inv->err, VZ_E_MOUNTED, 0,
				  "VE %u is mounted: umount it first", inv->veid);
	return 0;
}

/* Who asks for it by name is not content with a warning. */
static int check_kept(struct vz_inv *inv)
{
	vz_autoquota struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	int r = vz_diskquota_open(&inv->ve, &fs, inv->err);

	if (r && inv->err->status == VZ_E_DQ_USAGE)
		inv->err->status = VZ_E_DQ_ON;
	return r;
}

static int run_quotaon(struct vz_inv *inv)
{
	if (vz_opt_parse(&no_options, inv->argc, inv->argv, inv->err))
		return inv->err->status;
	if (!vz_cfg_bool(inv->ve.cfg, VZ_P_DISK_QUOTA))
		return vz_err_set(inv->err, VZ_E_DQ_ON, 0,
				  "VE %u has DISK_QUOTA=no: `vzctl set %u --diskquota "
				  "yes --save` first",
				  inv->veid, inv->veid)
			       ? (int)inv->err->status
			       : 0;
	if (check_kept(inv) || vz_diskquota_on(&inv->ve, inv->err))
		return inv->err->status;
	vz_quotafile_put(&inv->ve);
	return 0;
}

const struct vz_cmd vz_cmd_quotaon = {
	.name = "quotaon",
	.args = "VEID",
	.help = "keep a VE's disk limits, as its mount does",
	.flags = VZ_CMD_LOCK,
	.run = run_quotaon,
};

static int run_quotaoff(struct vz_inv *inv)
{
	if (vz_opt_parse(&no_options, inv->argc, inv->argv, inv->err) ||
	    vz_diskquota_off(&inv->ve, inv->err))
		return inv->err->status;
	vz_quotafile_drop(inv->ctx, inv->veid);
	return 0;
}

const struct vz_cmd vz_cmd_quotaoff = {
	.name = "quotaoff",
	.args = "VEID",
	.help = "take a VE's disk limits off until its next mount",
	.flags = VZ_CMD_LOCK,
	.run = run_quotaoff,
};

static int run_quotainit(struct vz_inv *inv)
{
	if (vz_opt_parse(&no_options, inv->argc, inv->argv, inv->err) ||
	    check_unused(inv) || vz_diskquota_init(&inv->ve, inv->err))
		return inv->err->status;
	return 0;
}

const struct vz_cmd vz_cmd_quotainit = {
	.name = "quotainit",
	.args = "VEID",
	.help = "count a stopped VE's files to its disk quota again",
	.flags = VZ_CMD_LOCK,
	.run = run_quotainit,
};
