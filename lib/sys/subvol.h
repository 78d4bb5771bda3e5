/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_SUBVOL_H
#define VZ_SYS_SUBVOL_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Directories that are subvolumes where the file system is btrfs: made and removed in
 * no time, and of which snapshots can be made.
 */

/* A directory, a subvolume if it can be. 0 or -errno. */
int vz_subvol_mkdir(int dirfd, const char *name, mode_t mode);
/* Whether the directory is one (the file system's top is none of ours). */
bool vz_subvol_is(int fd);
/* vz_remove_tree(), but at once when it is one without others in it. */
int vz_subvol_remove_tree(int dirfd, const char *name);

#endif
