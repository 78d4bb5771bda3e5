/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runscript: a script of the host's, run in a VE, which need not run. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ve/exec.h"
#include "ve/launch.h"
#include "ve/mount.h"
#include "ve/state.h"
#include "vzctl/cmds.h"

#define SCRIPT_MAX (16 << 20)

/* In namespaces made for the script, with a process 1 that does nothing. */
static int run_stopped(struct vz_inv *inv, const char *text)
{
	struct vz_launch launch = { .mode = VZ_LAUNCH_TOOL, .lock_fd = inv->lock_fd };
	int status = vz_launch(&inv->ve, &launch, inv->err);

	if (status)
		return status;
	status = vz_exec_script(inv->ctx, inv->veid, text, NULL, 0, inv->err);
	vz_launch_end(&inv->ve, &launch);
	return status;
}

static int run_mounted(struct vz_inv *inv, const char *text)
{
	int mounted = vz_ve_mounted(&inv->ve), status, r;

	if (mounted < 0)
		return vz_err_set(inv->err, VZ_E_MOUNT, -mounted,
				  "can't learn whether VE %u is mounted", inv->veid);
	r = mounted ? 0 : vz_ve_mount(&inv->ve, inv->err);
	if (r)
		return r;
	status = run_stopped(inv, text);
	/* A failure of the script is what counts, then one of ours. */
	if (!mounted && vz_ve_umount(&inv->ve, status < 0 ? NULL : inv->err) && !status)
		return -EBUSY;
	return status;
}

static int run(struct vz_inv *inv)
{
	vz_autofree char *text = NULL;
	int r;

	if (inv->argc != 2) {
		vz_err_set(inv->err, VZ_E_SYNTAX, 0,
			   "expected one file: vzctl runscript VEID FILE");
		return VZ_E_SYNTAX;
	}
	r = vz_read_file(inv->argv[1], SCRIPT_MAX, &text, NULL);
	if (r) {
		vz_err_set(inv->err, VZ_E_NOSCRIPT, -r, "can't read the script %s",
			   inv->argv[1]);
		return VZ_E_NOSCRIPT;
	}
	r = vz_state_running(inv->ctx, inv->veid);
	if (r < 0)
		vz_err_set(inv->err, VZ_E_SYSTEM, -r, "can't learn whether VE %u runs",
			   inv->veid);
	else if (r)
		r = vz_exec_script(inv->ctx, inv->veid, text, NULL, 0, inv->err);
	else
		r = run_mounted(inv, text);
	return r < 0 ? (int)inv->err->status : r;
}

const struct vz_cmd vz_cmd_runscript = {
	.name = "runscript",
	.args = "VEID FILE",
	.help = "run a shell script of the host in a VE, mounted for it if it is down",
	.flags = VZ_CMD_LOCK,
	.run = run,
};
