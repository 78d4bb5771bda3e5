/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzctl/cmds.h"

#include <stddef.h>

/* In the order of --help. */
const struct vz_cmd *const vz_cmds[] = {
	&vz_cmd_create,
	&vz_cmd_destroy,
	&vz_cmd_exec,
	&vz_cmd_exec2,
	&vz_cmd_enter,
	&vz_cmd_runscript,
	NULL,
};
