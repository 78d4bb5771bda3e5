/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_QUOTA_H
#define VZ_SYS_QUOTA_H

/*
 * Disk quotas of a file system of the host: limits and usage of users, groups
 * and projects, and the project that a directory belongs to. ext4 and xfs are
 * asked in one and the same way.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"

/* The kernel's numbers. */
enum vz_quota_type {
	VZ_QUOTA_USER,
	VZ_QUOTA_GROUP,
	VZ_QUOTA_PROJECT,
	VZ_QUOTA__COUNT,
};

/* A file system, by a directory on it. */
struct vz_quota_fs {
	int fd; /* of the directory, owned; -1: not open */
	dev_t dev;
	char device[64]; /* for kernels without quotactl_fd(2) (before 5.14); "": none */
	unsigned int counted; /* bits of 1 << type: usage is counted */
	unsigned int enforced; /* … and limits are kept */
};
#define VZ_QUOTA_FS_NONE ((struct vz_quota_fs){ .fd = -1 })

/* What an id has and may have. Limits of 0: none. */
struct vz_quota {
	uint64_t space; /* bytes */
	uint64_t inodes;
	uint64_t space_soft, space_hard; /* KiB */
	uint64_t inode_soft, inode_hard;
	uint64_t space_until, inode_until; /* when grace ends, seconds of the clock; 0 */
};

/* What vz_quota_set() is to set. */
#define VZ_QUOTA_LIMITS 1u
#define VZ_QUOTA_TIMES 2u

/*
 * Open the file system of a directory and ask what quotas are on. One without
 * any, or with none that we know of, is open with no bits set. The directory
 * must lie on the file system itself, not on an overlay above it. 0 or -errno.
 */
int vz_quota_open(const struct vz_ctx *ctx, const char *dir, struct vz_quota_fs *ret);
/* The same for a directory that is open; the descriptor stays the caller's. */
int vz_quota_open_fd(const struct vz_ctx *ctx, int dirfd, struct vz_quota_fs *ret);
void vz_quota_close(struct vz_quota_fs *fs);
#define vz_autoquota VZ_CLEANUP(vz_quota_close)

static inline bool vz_quota_enforces(const struct vz_quota_fs *fs,
				     enum vz_quota_type type)
{
	return fs->enforced & 1u << type;
}

/* quotactl(2) itself, on the file system; for those who pass on its structures. */
int vz_quota_call(const struct vz_quota_fs *fs, int cmd, enum vz_quota_type type,
		  uint32_t id, void *arg);

/* An id that the file system has never heard of has zeros. 0 or -errno. */
int vz_quota_get(const struct vz_quota_fs *fs, enum vz_quota_type type, uint32_t id,
		 struct vz_quota *ret);
/* The first id from `from` on that has usage or limits. -ENOENT: there is none. */
int vz_quota_next(const struct vz_quota_fs *fs, enum vz_quota_type type, uint32_t from,
		  uint32_t *ret_id, struct vz_quota *ret);
/* Set what `what` (VZ_QUOTA_LIMITS, VZ_QUOTA_TIMES) says. Never the usage. */
int vz_quota_set(const struct vz_quota_fs *fs, enum vz_quota_type type, uint32_t id,
		 const struct vz_quota *q, unsigned int what);

/* The grace times, in seconds, that all ids of a type have. */
int vz_quota_get_grace(const struct vz_quota_fs *fs, enum vz_quota_type type,
		       uint64_t *ret_space, uint64_t *ret_inode);
int vz_quota_set_grace(const struct vz_quota_fs *fs, enum vz_quota_type type,
		       uint64_t space, uint64_t inode);

/*
 * The project of a directory or file, and whether what is made in the
 * directory belongs to it too. 0 or -errno (-EOPNOTSUPP, -ENOTTY: the file
 * system has no projects).
 */
int vz_quota_get_project(int fd, uint32_t *ret_id, bool *ret_inherit);
/* Directories pass it on to what is made in them; nothing that is there changes. */
int vz_quota_set_project(int fd, uint32_t id);
/*
 * All of a tree that nobody changes meanwhile. Symbolic links and special files
 * keep theirs where the kernel has no call for them (before 6.17): they take no
 * space, and count as what they were made. 0 or -errno of the first failure.
 */
int vz_quota_set_project_tree(const char *dir, uint32_t id);

#endif
