/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_BLKDEV_H
#define VZ_SYS_BLKDEV_H

#include <sys/types.h>

#include "base/ctx.h"

/*
 * The whole disk that holds a path: of a partition its disk; a device mapper
 * or loop device is a disk of its own; for a file system without a device
 * number of its own (btrfs), the device that it is mounted from.
 * 0, -ENODEV (tmpfs, NFS, overlay: none; ret_fstype then says which), -errno.
 */
int vz_blkdev_of(const struct vz_ctx *ctx, const char *path, dev_t *ret,
		 char ret_fstype[32]);

/* The same for a device's number, on a sysfs mounted anywhere. */
int vz_blkdev_whole(const char *sysdir, dev_t dev, dev_t *ret);

#endif
