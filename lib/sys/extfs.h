/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_EXTFS_H
#define VZ_SYS_EXTFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * An ext4 file system in a file: made, checked and resized by e2fsprogs, which
 * the node must have (VZ_E_SYSTEM says so otherwise). The status of other
 * failures is the caller's, who knows what it was about.
 *
 * The programs work on the open file `fd` (O_RDWR), whatever has its path by then,
 * and share its flock(): who is killed meanwhile leaves one that ends a moment
 * later, and that long the lock is held. `path` is for words.
 */
enum { VZ_EXTFS_BLOCK = 4096 };

/*
 * Make one that fills the file. inodes 0: as many as mke2fs thinks right. The
 * root directory's owner is uid:gid. Nothing is reserved for the node's root.
 */
int vz_extfs_make(int fd, const char *path, uint64_t inodes, uid_t uid, gid_t gid,
		  struct vz_err *err);

/* Whether it was unmounted and has no known error: 1, 0, -EBADMSG (no ext4), -errno. */
int vz_extfs_is_clean(const char *path);

/*
 * Replay the journal and repair what needs no decision (`force`: look at all of
 * it, as resizing wants). -EBADMSG when it needs an administrator's e2fsck.
 */
int vz_extfs_check(int fd, const char *path, bool force, struct vz_err *err);

/* Bytes of the file system by its superblock, which may be less than the file's. */
int vz_extfs_size(const char *path, uint64_t *ret);

/*
 * Make one that is not mounted, and was checked, `bytes` large. Not safe against
 * a kill: for a copy. -ENOSPC when its files need more.
 */
int vz_extfs_resize(int fd, const char *path, uint64_t bytes, struct vz_err *err);

/*
 * Make a mounted one larger; its device already is. A directory of it. 0 or
 * -errno; -EPERM where the node's root lacks CAP_SYS_RESOURCE.
 */
int vz_extfs_grow(int dirfd, uint64_t bytes);

/*
 * Whether it keeps quotas of users and groups by itself (1, 0 or -errno), and make it
 * do so or not; not mounted, and clean. A kernel without quotas (see
 * vz_extfs_kernel_quota()) mounts only one that does not.
 */
int vz_extfs_has_quota(const char *path);
int vz_extfs_set_quota(int fd, const char *path, bool on, struct vz_err *err);
bool vz_extfs_kernel_quota(void);

/*
 * Of any mounted file system, by a descriptor of it: let nothing be written
 * from now on, with all on the disk (0, -EBUSY: it is already, -EOPNOTSUPP); go
 * on; give the room of deleted files back to what lies below (*ret_bytes).
 */
int vz_fs_freeze(int fd);
int vz_fs_thaw(int fd);
int vz_fs_trim(int fd, uint64_t *ret_bytes);

#endif
