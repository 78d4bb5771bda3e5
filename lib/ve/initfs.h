/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_INITFS_H
#define VZ_VE_INITFS_H

#include "ve/init.h"

/*
 * What a VE sees as its files: run by its process 1, which ends with the VE's
 * root as its root and nothing of the host's mounted. *ret_master and *ret_tty
 * are the two ends of the console. enter_groups() is called when all is built
 * but the view of the groups, which shows those that the process is in.
 */
int vz_initfs_build(const struct vz_init *in,
		    int (*enter_groups)(const struct vz_init *in, struct vz_err *err),
		    int *ret_master, int *ret_tty, struct vz_err *err);

#endif
