/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_LOOP_H
#define VZ_SYS_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

/*
 * Files as block devices. Every device made here detaches itself when the last
 * that uses it, a descriptor or a mount, is gone: a killed command leaves none.
 */
enum { VZ_LOOP_PATH = 32 };

/*
 * Attach an open file, by direct IO where its file system can, with sectors of
 * 4096 bytes. ret_dev gets the device's path. A descriptor of the device, which
 * keeps it attached until something is mounted from it; or -errno with the error
 * set (VZ_E_KERNEL when there are no loop devices, else VZ_E_SYSTEM).
 */
int vz_loop_attach(int file, bool readonly, char ret_dev[VZ_LOOP_PATH],
		   struct vz_err *err);

/*
 * The device that a file is attached to, found by the file's device and inode
 * numbers: a renamed file is found, too. A descriptor, with which it stays
 * attached; -ENODEV (none) or -errno.
 */
int vz_loop_find(const struct stat *file, char ret_dev[VZ_LOOP_PATH]);

/* Make the device as large as its file now is. 0 or -errno. */
int vz_loop_resize(int dev);

#endif
