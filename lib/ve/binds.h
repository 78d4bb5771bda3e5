/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_BINDS_H
#define VZ_VE_BINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ve/ve.h"

/*
 * BIND=: directories and files of the node in a VE. The launcher mounts each
 * at RUNDIR/VEID/bind.N, with its options, before the VE's namespaces are made:
 * the kernel lets a user namespace keep, but never lift, what it finds set
 * (read-only, nodev, nosuid). The VE's process 1 takes them from there, and
 * puts them into the VE; then the launcher takes its own away.
 */
struct vz_bind {
	char *target; /* in the VE, without the first slash */
	char *stage; /* RUNDIR/VEID/bind.N */
	bool is_dir;
	int mnt; /* process 1's, of vz_binds_take(); -1 */
};

/* *ret is the caller's, for vz_binds_unstage(). VZ_E_MOUNT, VZ_E_VALUE. */
int vz_binds_stage(const struct vz_ve *ve, struct vz_bind **ret, size_t *ret_n,
		   struct vz_err *err);
void vz_binds_unstage(struct vz_bind *b, size_t n);
/* In process 1, first of all: it may still walk the node's directories. */
int vz_binds_take(struct vz_bind *b, size_t n, struct vz_err *err);

/*
 * One by itself: src on stage, which is made for it, or put in the place of what
 * is there; attr is MOUNT_ATTR_…. 0 or -errno.
 */
int vz_bind_mount(const char *src, const char *stage, bool is_dir, uint64_t attr);
void vz_bind_umount(const char *stage);

/* What a launch that was killed left mounted. */
void vz_binds_sweep(const struct vz_ve *ve);

#endif
