/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzctl/cmds.h"

#include <stddef.h>

/* In the order of --help. */
const struct vz_cmd *const vz_cmds[] = {
	&vz_cmd_create,
	&vz_cmd_destroy,
	&vz_cmd_start,
	&vz_cmd_stop,
	&vz_cmd_restart,
	&vz_cmd_status,
	&vz_cmd_set,
	&vz_cmd_mount,
	&vz_cmd_umount,
	&vz_cmd_quotaon,
	&vz_cmd_quotaoff,
	&vz_cmd_quotainit,
	&vz_cmd_exec,
	&vz_cmd_exec2,
	&vz_cmd_enter,
	&vz_cmd_console,
	&vz_cmd_runscript,
	&vz_cmd_convert,
	&vz_cmd_compact,
	&vz_cmd_snapshot,
	&vz_cmd_snapshot_switch,
	&vz_cmd_snapshot_delete,
	&vz_cmd_snapshot_list,
	&vz_cmd_snapshot_mount,
	&vz_cmd_snapshot_umount,
	&vz_cmd_repair,
	&vz_cmd_traffic,
	&vz_cmd_why,
	&vz_cmd_pool_list,
	&vz_cmd_pool_create,
	&vz_cmd_pool_set,
	&vz_cmd_pool_destroy,
	&vz_cmd_ended,
	&vz_cmd_boot,
	&vz_cmd_shutdown,
	NULL,
};
