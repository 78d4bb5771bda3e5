/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_FS_H
#define VZ_BASE_FS_H

/*
 * Files of the host that the suite itself owns. What lies below a VE's root
 * is not touched with these: see sys/root.h.
 */
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

/*
 * Read a whole file of at most max bytes. *ret is NUL-terminated and to be
 * freed by the caller. Returns 0, -EFBIG or -errno.
 */
int vz_read_file(const char *path, size_t max, char **ret, size_t *ret_len);
int vz_read_fd(int fd, size_t max, char **ret, size_t *ret_len);

/* Read a small file (a kernel file, say) into buf, trailing newline cut. */
int vz_read_small(int dirfd, const char *path, char *buf, size_t size);

/* open(O_WRONLY), one write, close: for kernel files. 0 or -errno. */
int vz_write_small(int dirfd, const char *path, const char *value);

/* Write all of buf, going on after short writes and EINTR. 0 or -errno. */
int vz_write_all(int fd, const void *buf, size_t len);

/*
 * Replace a file by new contents so that a crash at any moment leaves either
 * the old or the new file whole: temporary file beside it, fsync, rename,
 * fsync of the directory. The mode is the old file's, else `mode`.
 * Returns 0 or -errno, and then nothing has changed, unless it is the directory that
 * can't be synced: then either may be found after a crash.
 */
int vz_replace_file(const char *path, const char *data, size_t len, mode_t mode);
/*
 * The same for what ends with the node's uptime and lies on a tmpfs: who reads
 * finds the old or the new file, but nothing is waited for. Mode 600.
 */
int vz_replace_volatile(const char *path, const char *data, size_t len);

/* The directory that path is in, for its names to be on the disk. 0 or -errno. */
int vz_sync_parent(const char *path);

/*
 * mkdir -p, but for the mode, which the directories above that were missing get as well:
 * what is to be nobody's to look at (VEs' roots) is so from there on. 0 or -errno.
 */
int vz_mkdir_p(const char *path, mode_t mode);

/*
 * Take the lock that has this name, and wait for it: a file that only root opens, since
 * whoever can open a file or directory can lock it, and keep it. A descriptor, to be
 * closed in the end, or -errno.
 */
int vz_lock_wait(const char *path);

/*
 * Open a directory in another one, as the walk of a hostile tree does: no symbolic link is
 * followed and no mount entered. A descriptor, or -errno.
 */
int vz_open_subdir(int dirfd, const char *name);

/*
 * Remove what name in dirfd is, a tree included, never following a symbolic
 * link nor crossing into another mount. Depth costs neither stack nor
 * descriptors; immutable and append-only flags are taken off. What can't be
 * removed stays, the rest goes. 0 or -errno of the first; absent is 0.
 */
int vz_remove_tree(int dirfd, const char *name);

#endif
