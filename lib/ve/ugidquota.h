/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_UGIDQUOTA_H
#define VZ_VE_UGIDQUOTA_H

#include "sys/quota.h"
#include "ve/ve.h"

/*
 * Second-level quota: what each user and group of a VE has and may have. The VE's
 * ids are a range of the host's that nobody else has, so these are user and group
 * quotas of the host's file system, moved by the first id of the range. They stay
 * with the file system, not with a running VE.
 */
struct vz_ugid {
	uid_t uid; /* first host id of the VE's range */
	gid_t gid;
	struct vz_quota_fs fs; /* where the VE writes */
};
#define VZ_UGID_NONE ((struct vz_ugid){ .fs = VZ_QUOTA_FS_NONE })

/*
 * Of a VE with a user namespace, whose file system keeps user and group quotas. An
 * image must be mounted. VZ_E_DQ_UGID says which of these does not hold.
 */
int vz_ugid_open(const struct vz_ve *ve, struct vz_ugid *ret, struct vz_err *err);
/* The same by a directory of that file system, of an area that has no name yet. */
int vz_ugid_open_at(const struct vz_ve *ve, int dirfd, struct vz_ugid *ret,
		    struct vz_err *err);
void vz_ugid_close(struct vz_ugid *u);
#define vz_autougid VZ_CLEANUP(vz_ugid_close)

/* The host's id of an id in the VE, of VZ_QUOTA_USER or VZ_QUOTA_GROUP. */
static inline uint32_t vz_ugid_host(const struct vz_ugid *u, enum vz_quota_type type,
				    uint32_t id)
{
	return (type == VZ_QUOTA_USER ? u->uid : u->gid) + id;
}

/* As in sys/quota.h, with the VE's ids. -EINVAL: no id of the VE (65536 and more). */
int vz_ugid_get(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
		struct vz_quota *ret);
int vz_ugid_set(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
		const struct vz_quota *q, unsigned int what);
int vz_ugid_next(const struct vz_ugid *u, enum vz_quota_type type, uint32_t from,
		 uint32_t *ret_id, struct vz_quota *ret);

/* Whether it has a limit. */
bool vz_ugid_limited(const struct vz_quota *q);
/* How many users and groups have limits. 0 or -errno. */
int vz_ugid_count(const struct vz_ugid *u, uint64_t *ret);
/* Nobody has a limit any more: who gets the range next shall not inherit them. */
int vz_ugid_clear(const struct vz_ugid *u);

/*
 * All limits as text, to be carried with the VE's files (whose usage is counted
 * anew as they are written): a first line VZ_UGID_HEADER, then one a user or group:
 * `user|group ID SPACE-SOFT SPACE-HARD INODE-SOFT INODE-HARD SPACE-UNTIL
 * INODE-UNTIL`, in KiB and seconds of the clock. 0 or -errno.
 */
#define VZ_UGID_HEADER "# vz user and group quotas 1"
int vz_ugid_export(const struct vz_ugid *u, struct vz_str *out);
/*
 * Make these be the limits, and no others. Nothing is set when a line is wrong
 * (VZ_E_BADCONF, with its number). VZ_E_DQ_USER. Who is killed leaves some with the new
 * limits and some with the old ones, none without; done again it is finished.
 */
int vz_ugid_import(const struct vz_ugid *u, const char *text, struct vz_err *err);

/*
 * The limits, as text, of a VE whose files are about to be carried elsewhere or kept.
 * *ret, to be freed, is NULL where none are kept; with VZ_UGID_HEADER alone nobody has
 * one. `mnt`: a mount of its files, for an image that is not mounted; -1: none.
 */
int vz_ugid_carry(const struct vz_ve *ve, int mnt, char **ret, struct vz_err *err);
/*
 * Give them to a VE whose new files lie below `dirfd`, which has no name yet. That they
 * are not kept there is warned of, and no reason to have no VE. text may be NULL.
 */
void vz_ugid_give(const struct vz_ve *ve, int dirfd, const char *text);
/* Whether nobody has a limit by such a text. */
bool vz_ugid_is_empty(const char *text);

/* One line, for the above and the unit tests. 0 or -EINVAL. */
int vz_ugid_parse(const char *line, enum vz_quota_type *ret_type, uint32_t *ret_id,
		  struct vz_quota *ret);

#endif
