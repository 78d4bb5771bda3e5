/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_LXCFS_H
#define VZ_VE_LXCFS_H

#include <stdint.h>

#include "sys/lxcfs.h"
#include "ve/ve.h"

/*
 * LXCFS, LXCFS_FILES, MEMINFO: files of the node's lxcfs over the VE's own, so
 * that it sees what it has, not what the node has. They come into it as bind
 * mounts do (see ve/binds.h), read-only for good, but from one stage for all VEs,
 * RUNDIR/lxcfs. Nothing of it is worth a VE that does not start: what can't be had
 * is said in one warning.
 */
struct vz_lxcfs {
	char *stage; /* NULL: the VE does without */
	uint32_t files; /* 1 << VZ_LXCFS_…: those that it gets */
	int mnt[VZ_LXCFS__COUNT]; /* process 1's, of vz_lxcfs_take(); or -1 */
	int error; /* -errno of the first that process 1 could not get */
};

/*
 * To be freed by vz_lxcfs_done(). features: VZ_F_BIT(…) of the VE. 0, or why
 * there is nothing staged, as vz_lxcfs_probe() says it.
 */
int vz_lxcfs_stage(const struct vz_ve *ve, uint32_t features, struct vz_lxcfs *ret);
void vz_lxcfs_done(struct vz_lxcfs *x);

/* Of the lxcfs that there is now, alive or not; 0: none. */
dev_t vz_lxcfs_device(const struct vz_ve *ve);

/* In process 1: while it may walk the node's directories, and later below its own. */
void vz_lxcfs_take(struct vz_lxcfs *x);
void vz_lxcfs_attach(struct vz_lxcfs *x, int proc, int sys);

/* What process 1 found wrong (struct vz_lxcfs.error), as a warning. */
void vz_lxcfs_warn(const struct vz_ve *ve, int error);

/*
 * Put into a running VE what its configuration gives it of the lxcfs that runs
 * now, and take from it what is of one that does no more.
 */
int vz_lxcfs_mend(const struct vz_ve *ve, struct vz_err *err);

#endif
