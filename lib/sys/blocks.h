/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_BLOCKS_H
#define VZ_SYS_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Blocks that several files share until one of them is written to (reflink), as xfs
 * and btrfs have them. The kernel compares before it shares, under its own locks, so
 * that whoever writes to a file meanwhile loses nothing.
 */

/* 1: the file system of a directory can; 0: it can't; or -errno. */
int vz_blocks_can_share(int dirfd);

/* Whether two files of one size share all their blocks already, or have none. */
bool vz_blocks_shared(int a, int b);

/*
 * Let `to` share the blocks of `from`, as far as both have the same contents; `size` is
 * that of both. *ret_done: bytes. 0; 1: they differ (one of them has changed); -errno,
 * -EXDEV of different file systems.
 */
int vz_blocks_share(int from, int to, uint64_t size, uint64_t *ret_done);

#endif
