/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_IDSHIFT_H
#define VZ_SYS_IDSHIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Move the owners of a tree from one range of ids to another: of files, and in
 * ACLs and file capabilities, which name ids, too. What is not of the old range
 * stays, so that it can be done again after it was cut short; ranges that overlap
 * are refused.
 */
struct vz_idshift {
	uid_t uid, to_uid; /* first ids */
	gid_t gid, to_gid;
	uint32_t count;
};

/*
 * path is the tree's top directory, which nobody else changes meanwhile. Links are
 * not followed, nor mounts entered; the process's directory is another for that
 * time. VZ_E_SYSTEM names the file.
 */
int vz_idshift_tree(const struct vz_idshift *s, const char *path, struct vz_err *err);

/*
 * The values of system.posix_acl_access and the like, and of security.capability,
 * in place. True when something changed; what is no such value stays. Pure.
 */
bool vz_idshift_acl(const struct vz_idshift *s, void *value, size_t len);
bool vz_idshift_cap(const struct vz_idshift *s, void *value, size_t len);

#endif
