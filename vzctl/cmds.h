/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZCTL_CMDS_H
#define VZCTL_CMDS_H

#include "vzctl/cmd.h"

/* Each command is a file that exports one of these; NULL ends the list. */
extern const struct vz_cmd *const vz_cmds[];

extern const struct vz_cmd vz_cmd_set;
extern const struct vz_cmd vz_cmd_create;
extern const struct vz_cmd vz_cmd_destroy;
extern const struct vz_cmd vz_cmd_start;
extern const struct vz_cmd vz_cmd_stop;
extern const struct vz_cmd vz_cmd_restart;
extern const struct vz_cmd vz_cmd_status;
extern const struct vz_cmd vz_cmd_mount;
extern const struct vz_cmd vz_cmd_umount;
extern const struct vz_cmd vz_cmd_quotaon;
extern const struct vz_cmd vz_cmd_quotaoff;
extern const struct vz_cmd vz_cmd_quotainit;
extern const struct vz_cmd vz_cmd_exec;
extern const struct vz_cmd vz_cmd_exec2;
extern const struct vz_cmd vz_cmd_enter;
extern const struct vz_cmd vz_cmd_runscript;
extern const struct vz_cmd vz_cmd_suspend;
extern const struct vz_cmd vz_cmd_resume;
extern const struct vz_cmd vz_cmd_console;
extern const struct vz_cmd vz_cmd_convert;
extern const struct vz_cmd vz_cmd_compact;
extern const struct vz_cmd vz_cmd_dedup;
extern const struct vz_cmd vz_cmd_backup;
extern const struct vz_cmd vz_cmd_restore_backup;
extern const struct vz_cmd vz_cmd_snapshot;
extern const struct vz_cmd vz_cmd_snapshot_switch;
extern const struct vz_cmd vz_cmd_snapshot_delete;
extern const struct vz_cmd vz_cmd_snapshot_mount;
extern const struct vz_cmd vz_cmd_snapshot_umount;
extern const struct vz_cmd vz_cmd_snapshot_list;
extern const struct vz_cmd vz_cmd_traffic;
extern const struct vz_cmd vz_cmd_repair;
extern const struct vz_cmd vz_cmd_pool_list;
extern const struct vz_cmd vz_cmd_pool_create;
extern const struct vz_cmd vz_cmd_pool_set;
extern const struct vz_cmd vz_cmd_pool_destroy;
extern const struct vz_cmd vz_cmd_why;
extern const struct vz_cmd vz_cmd_ended;
extern const struct vz_cmd vz_cmd_boot;
extern const struct vz_cmd vz_cmd_shutdown;

#endif
