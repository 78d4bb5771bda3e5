/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZCTL_RECORD_H
#define VZCTL_RECORD_H

#include "vzctl/cmd.h"

/*
 * What vzctl did, in the log file: the begin and the end of each command that
 * changes something, and what the library says on the way.
 */
void record_begin(struct vz_inv *inv, const struct vz_cmd *cmd);
void record_end(struct vz_inv *inv, int status);

#endif
