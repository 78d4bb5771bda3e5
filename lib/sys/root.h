/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_ROOT_H
#define VZ_SYS_ROOT_H

/*
 * Files below a VE's root, touched from the host. The VE owns that tree and
 * may be running: every path is resolved by openat2() inside the root, no
 * magic links, so that a link to /etc/shadow is the VE's own, or nothing.
 */
#include <sys/types.h>

/* Open the root itself (O_PATH | O_DIRECTORY). fd or -errno. */
int vz_root_open(const char *path);

/*
 * open() below the root; O_CLOEXEC, O_NOCTTY; links are followed inside the
 * root unless flags say O_NOFOLLOW. It may be a fifo or a device: see
 * vz_root_open_file() for what is meant to be a file. fd or -errno.
 */
int vz_root_openat(int rootfd, const char *path, int flags, mode_t mode);

/*
 * The same for a regular file that exists: a fifo does not block, a device is
 * not opened. -EINVAL when it is something else. fd or -errno.
 */
int vz_root_open_file(int rootfd, const char *path, int flags);

/*
 * A directory by real directories only, no symbolic link on the way: where
 * something is to be mounted. O_PATH. fd or -errno (-ELOOP, -ENOTDIR).
 */
int vz_root_open_dir(int rootfd, const char *path);

/* Read a regular file of at most max bytes; to be freed by the caller. */
int vz_root_read(int rootfd, const char *path, size_t max, char **ret);

/*
 * Replace a regular file by new contents with these host ids and mode,
 * atomically (temporary file and rename in the same resolved directory). A
 * symbolic link in the place of the file is replaced, not followed.
 */
int vz_root_replace(int rootfd, const char *path, const char *data, size_t len, uid_t uid,
		    gid_t gid, mode_t mode);

/*
 * mkdir -p below the root with these host ids. Links to directories on the
 * way are followed inside the root.
 */
int vz_root_mkdir_p(int rootfd, const char *path, uid_t uid, gid_t gid, mode_t mode);

/* Unlink what is no directory; a link itself. Absent is -ENOENT. */
int vz_root_unlink(int rootfd, const char *path);

#endif
