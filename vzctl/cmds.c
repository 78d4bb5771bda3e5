/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzctl/cmds.h"

#include <stddef.h>

const struct vz_cmd *const vz_cmds[] = {
	NULL,
};
