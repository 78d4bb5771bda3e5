/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_BPFFS_H
#define VZ_SYS_BPFFS_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * RUNDIR/bpf: a bpffs of our own, in which programs and maps stay when the
 * tools that made them have ended. Each kind has a directory of its name and
 * version, so that tools of two versions don't take each other's.
 */

/*
 * The directory of one kind, and its lock (*ret_lock; closed by the caller):
 * who makes what is in it must not be two. VZ_E_KERNEL when there is no bpffs.
 */
int vz_bpffs_lock(const struct vz_ctx *ctx, const char *kind, char *ret_dir, size_t size,
		  int *ret_lock, struct vz_err *err);

/* A pinned program or map of that kind: its descriptor or -errno. */
int vz_bpffs_get(const struct vz_ctx *ctx, const char *kind, const char *name);

/* Pin what a descriptor is as DIR/NAME, in place of what was there. 0 or -errno. */
int vz_bpffs_pin(const char *dir, const char *name, int fd);

/* bpf(2): what it returns, or -errno. */
int vz_bpf(int cmd, union bpf_attr *attr);
/* A link of an iterator's program: its descriptor or -errno. */
int vz_bpf_iterator(int prog, union bpf_iter_link_info *info);

/*
 * RUNDIR/proc/bc/VEID/NAME, whose text a program (iter/cgroup) makes for the
 * group that group_dir is in cgroup2. 0 or -errno.
 */
int vz_bpffs_show(const struct vz_ctx *ctx, const char *kind, int prog, const char *name,
		  uint32_t veid, int group_dir);
/* It goes, and the directory with the last one. */
void vz_bpffs_hide(const struct vz_ctx *ctx, const char *kind, const char *name,
		   uint32_t veid);

#endif
