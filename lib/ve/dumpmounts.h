/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DUMPMOUNTS_H
#define VZ_VE_DUMPMOUNTS_H

#include "sys/criu.h"
#include "ve/ve.h"

/*
 * What is mounted in a VE and is not its own: device nodes, what hides parts of /proc,
 * its beancounters, lxcfs, BIND=. CRIU is told of each (--external mnt[…]); the file
 * `mounts` of a dump says where it comes from: "KEY KIND WHAT", KEY being a number.
 */

/* Whether such a mount is one of these; point and type as mountinfo has them. */
bool vz_dumpmounts_is_node(const struct vz_ve *ve, const char *point, const char *type);

/* Those of the VE whose process 1 is `init`, added to what CRIU is told. */
int vz_dumpmounts_save(const struct vz_ve *ve, pid_t init, int dir,
		       struct vz_strv *external, struct vz_err *err);
/*
 * Where they come from on this node, likewise. VZ_E_RESTORE when the node lacks
 * one. *ret_lxcfs: some are of lxcfs, see vz_lxcfs_mend().
 */
int vz_dumpmounts_load(const struct vz_ve *ve, int dir, struct vz_strv *external,
		       struct vz_criu_mounts *mounts, bool *ret_lxcfs,
		       struct vz_err *err);

#endif
