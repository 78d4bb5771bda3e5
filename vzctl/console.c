/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/console.h"

#include "base/num.h"
#include "vzctl/cmds.h"

/* TTY is taken for the sake of old habits: a VE has the one console. */
static int run(struct vz_inv *inv)
{
	uint64_t tty;

	if (inv->argc > 2 || (inv->argc == 2 && vz_parse_u64(inv->argv[1], 12, &tty)))
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
				  "console: expected a terminal's number up to 12"),
		       VZ_E_SYNTAX;
	if (inv->argc == 2 && tty > 1)
		return vz_err_set(inv->err, VZ_E_VALUE, 0,
				  "console: a VE has no tty%u, only its console (1)",
				  (unsigned int)tty),
		       VZ_E_VALUE;
	return vz_console(inv->ctx, inv->veid, inv->err) ? (int)inv->err->status : 0;
}

const struct vz_cmd vz_cmd_console = {
	.name = "console",
	.args = "VEID [TTY]",
	.help = "attach to a VE's console; Esc and a point detach",
	.run = run,
};
