/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_UGIDVIEW_H
#define VZ_VE_UGIDVIEW_H

#include "ve/ve.h"

/*
 * What quota(1) and its like look for in a VE: a mount of "/" with quotas on, and a
 * block device of the same number that they can name to the kernel. The device's
 * node is there to be looked at only: mode 0, owned by the node's root, on a mount
 * without devices. Where "/" says nothing of its file system (overlay), a line in the
 * place of /proc/mounts does; /proc/PID/mounts and mountinfo stay what they are.
 */
struct vz_ugidview {
	char name[64]; /* of the node, below /dev */
	int node; /* not attached yet; -1: nothing is shown */
	int mounts; /* the file in the place of /proc/mounts; -1: not needed */
};
#define VZ_UGIDVIEW_NONE ((struct vz_ugidview){ .node = -1, .mounts = -1 })

/* Of a VE that is mounted and about to start: RUNDIR/VEID is there. VZ_E_DQ_UGID. */
int vz_ugidview_stage(const struct vz_ve *ve, struct vz_ugidview *ret,
		      struct vz_err *err);
void vz_ugidview_done(struct vz_ugidview *v);

/*
 * The source of the mount that the file's line describes, "/dev/NAME", to NAME;
 * -ENOENT: it has no such name, or its options say nothing of quotas. Pure.
 */
int vz_ugidview_source(const char *line, char *ret, size_t size);

#endif
