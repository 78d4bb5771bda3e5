/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "ve/life.h"
#include "vzctl/cmds.h"

/* What the supervisor execs when a VE's init has ended. It has the VE's lock. */
static int run(struct vz_inv *inv)
{
	const char *how = inv->argc == 2 ? inv->argv[1] : "";

	if (strcmp(how, "halt") && strcmp(how, "reboot") && strcmp(how, "killed"))
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
				  "ended: expected halt, reboot or killed"),
		       VZ_E_SYNTAX;
	vz_ve_lock_note(&inv->ve);
	if (!vz_ve_ended(&inv->ve, !strcmp(how, "reboot"), inv->lock_fd, inv->err))
		return 0;
	/* Nobody reads a supervisor's standard error. */
	vz_logfile_write(&inv->log, VZ_LOG_ERR, inv->veid,
			 "what is to follow a %s failed: %s", how, inv->err->text);
	return inv->err->status;
}

const struct vz_cmd vz_cmd_ended = {
	.name = "ended",
	.args = "VEID halt|reboot|killed",
	.help = "run by the supervisor",
	.flags = VZ_CMD_HIDDEN,
	.run = run,
};
