/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "ve/repair.h"
#include "vzctl/cmds.h"

static int run(struct vz_inv *inv)
{
	const char *word = inv->argc == 2 ? inv->argv[1] : NULL;
	int r;

	if (!word)
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
				  "expected one VEID or --all: vzctl repair %s",
				  vz_cmd_repair.args),
		       VZ_E_SYNTAX;
	if (!strcmp(word, "--all"))
		return vz_repair_all(inv->ctx, inv->err) ? inv->err->status : 0;
	r = vz_ve_lookup(inv->ctx, word, &inv->veid, inv->err);
	if (!r && !inv->veid)
		r = vz_err_set(inv->err, VZ_E_VALUE, 0,
			       "VE 0 is the node itself: it takes only `vzctl set`");
	if (!r)
		r = vz_repair_ve(inv->ctx, inv->veid, inv->err);
	return r ? inv->err->status : 0;
}

const struct vz_cmd vz_cmd_repair = {
	.name = "repair",
	.args = "VEID|--all",
	.help = "put back what VEs lost of network and lxcfs, remove what is left over",
	.flags = VZ_CMD_NOVE,
	.run = run,
};
