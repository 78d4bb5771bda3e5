/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enter: a login shell in a VE, on a terminal of the VE's own. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "ve/exec.h"
#include "vzctl/cmds.h"

/* What --exec is followed by, as one line for the shell; NULL: a session. */
static int read_command(struct vz_inv *inv, char **ret)
{
	vz_autostr struct vz_str b = { 0 };

	if (inv->argc == 1)
		return 0;
	if (strcmp(inv->argv[1], "--exec") || inv->argc == 2)
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
				  "'%s': vzctl enter VEID [--exec COMMAND [ARG...]]",
				  inv->argv[1]);
	for (int i = 2; i < inv->argc; i++) {
		if (i > 2)
			vz_str_add(&b, " ");
		vz_str_add(&b, inv->argv[i]);
	}
	*ret = vz_str_steal(&b);
	return *ret ? 0 : vz_err_set(inv->err, VZ_E_SYSTEM, 0, "out of memory");
}

static void entered(void *data)
{
	const struct vz_inv *inv = data;

	vz_info(inv->ctx, "entered into CT %u", inv->veid);
}

static int run(struct vz_inv *inv)
{
	const char *argv[] = { "-sh", NULL, NULL, NULL };
	/* Without a terminal the shell reads commands from what there is. */
	const struct vz_exec ex = {
		.argv = argv,
		.fd = { 0, 1, 2 },
		.shell = true,
		.tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
		.entered = entered,
		.data = inv,
	};
	vz_autofree char *line = NULL;
	int r;

	if (read_command(inv, &line))
		return inv->err->status;
	if (line) {
		argv[1] = "-c";
		argv[2] = line;
	}
	r = vz_exec(inv->ctx, inv->veid, &ex, inv->err);
	if (r < 0)
		return inv->err->status;
	vz_info(inv->ctx, "exited from CT %u", inv->veid);
	/* How a session ended, its last command say, is no failure of vzctl's. */
	return line ? r : 0;
}

const struct vz_cmd vz_cmd_enter = {
	.name = "enter",
	.args = "VEID [--exec COMMAND [ARG...]]",
	.help = "open a login shell in a VE",
	.flags = VZ_CMD_NOCONF,
	.run = run,
};
