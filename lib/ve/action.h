/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_ACTION_H
#define VZ_VE_ACTION_H

#include "ve/ve.h"

/*
 * Action scripts, conf/vps.NAME (all VEs) and conf/VEID.NAME. premount and
 * mount run global then the VE's, umount and postumount the other way. start
 * and stop run inside the VE, the VE's only. Absent ones are 0; a failing one
 * is VZ_E_ACTION with its name and status.
 */
int vz_action_run(const struct vz_ve *ve, const char *name, struct vz_err *err);

#endif
