/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_MNT_H
#define VZ_SYS_MNT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Mounts as descriptors: made or cloned unattached, given their attributes,
 * and then moved to a place that is a descriptor itself. No path below a VE's
 * root is ever given to mount(2), so a symbolic link in it leads nowhere.
 */

/*
 * A new file system, not attached yet. options is "key=value,flag" or NULL,
 * attr is MOUNT_ATTR_…. A descriptor, also usable as a directory; or -errno.
 */
int vz_mnt_new(const char *fstype, const char *options, uint64_t attr);

/* A copy of what path is (a bind mount), not attached; a descriptor or -errno. */
int vz_mnt_clone(int dirfd, const char *path, bool recursive);

/* Set attributes of a mount (a descriptor), and of those below if recursive. */
int vz_mnt_set_attr(int mnt, uint64_t attr, bool recursive);
int vz_mnt_set_private(int mnt);

/* Attach a mount on what `target`, a descriptor, is. 0 or -errno. */
int vz_mnt_attach(int mnt, int target);

/*
 * A directory below root to mount on: made when missing, every component a
 * real directory (no symbolic link, no magic link), never outside root.
 * An O_PATH descriptor; -ENOTDIR or -ELOOP when something else is there.
 */
int vz_mnt_point(int root, const char *path);
/* The same for a file. */
int vz_mnt_point_file(int root, const char *path);

/* Whether path is where something is mounted: 1, 0 or -errno. */
int vz_mnt_is_mounted(const char *path);

#endif
