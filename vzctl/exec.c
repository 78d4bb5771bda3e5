/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec and exec2: a command line, run by the shell of a VE. */
#include "ve/exec.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "vzctl/cmds.h"

static char *join(int n, char **word)
{
	vz_autostr struct vz_str b = { 0 };

	for (int i = 0; i < n; i++) {
		if (i)
			vz_str_add(&b, " ");
		vz_str_add(&b, word[i]);
	}
	return vz_str_steal(&b);
}

/* The command's exit status, or -errno. */
static int run_command(struct vz_inv *inv)
{
	const char *argv[] = { "sh", "-s", NULL, NULL };
	const struct vz_exec ex = { .argv = argv, .fd = { 0, 1, 2 }, .shell = true };
	vz_autofree char *line = NULL;

	if (inv->argc < 2)
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
				  "no command: vzctl %s VEID COMMAND [ARG...] | -",
				  inv->argv[0]);
	/* "-": the commands come from standard input. */
	if (inv->argc > 2 || strcmp(inv->argv[1], "-")) {
		line = join(inv->argc - 1, inv->argv + 1);
		if (!line)
			return vz_err_set(inv->err, VZ_E_SYSTEM, 0, "out of memory");
		argv[1] = "-c";
		argv[2] = line;
	}
	return vz_exec(inv->ctx, inv->veid, &ex, inv->err);
}

static int run_exec(struct vz_inv *inv)
{
	int r = run_command(inv);

	return r < 0 ? (int)inv->err->status : r ? VZ_E_COMMAND : 0;
}

static int run_exec2(struct vz_inv *inv)
{
	int r = run_command(inv);

	return r < 0 ? (int)inv->err->status : r;
}

const struct vz_cmd vz_cmd_exec = {
	.name = "exec",
	.args = "VEID COMMAND [ARG...] | -",
	.help = "run a command, or the script on standard input, in a VE; a failure is 8",
	.flags = VZ_CMD_NOCONF,
	.run = run_exec,
};

const struct vz_cmd vz_cmd_exec2 = {
	.name = "exec2",
	.args = "VEID COMMAND [ARG...] | -",
	.help = "the same, with the command's own exit status",
	.flags = VZ_CMD_NOCONF,
	.run = run_exec2,
};
