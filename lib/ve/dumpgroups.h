/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DUMPGROUPS_H
#define VZ_VE_DUMPGROUPS_H

#include "base/err.h"
#include "sys/cgroup.h"

/*
 * The groups that a VE has made below its own (systemd's slices and services): CRIU
 * keeps only those that hold processes. The file `groups` of a dump:
 *
 *	T unified|systemd                   which hierarchy the next are of
 *	D MODE UID GID PATH                 a group
 *	S CONTROLLERS...:PATH               what it hands down
 *	V FILE VALUE:PATH                   a value in it
 */
int vz_dumpgroups_save(const struct vz_cg *cg, int dir, struct vz_err *err);
/*
 * In two parts: the groups with their owners before CRIU puts processes into them;
 * controllers and values when it has (a group that hands down may hold none).
 */
int vz_dumpgroups_make(const struct vz_cg *cg, int dir, struct vz_err *err);
int vz_dumpgroups_finish(const struct vz_cg *cg, int dir, struct vz_err *err);

#endif
