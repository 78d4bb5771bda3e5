/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_TAROUT_H
#define VZ_SYS_TAROUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "sys/findex.h"

/*
 * Write a tar archive (pax, compressed by zstd) that vz_untar() reads: files with the
 * owners that they have in a VE, all their names, holes, times, user attributes, ACLs
 * and capabilities. Any tar reads it, too.
 */
struct vz_tarout;

/* Write to fd, which stays the caller's. Freed by vz_tarout_free(). */
int vz_tarout_new(int fd, struct vz_tarout **ret, struct vz_err *err);
void vz_tarout_free(struct vz_tarout *t);
static inline void vz_tarout_freep(struct vz_tarout **t)
{
	vz_tarout_free(*t);
}
#define vz_autotarout VZ_CLEANUP(vz_tarout_freep)

/* A small file of the node's own. */
int vz_tarout_text(struct vz_tarout *t, const char *name, const char *text, size_t len,
		   struct vz_err *err);

/*
 * All below a directory, as NAME/…. Sockets are no files and left out; so are devices
 * (but overlayfs' whiteouts, which are files of containers in a VE) and what is nested
 * too deeply for a name of 4096 bytes, which *ret_left counts.
 */
struct vz_tarout_tree {
	const char *name;
	int dirfd;
	uid_t uid; /* what the host's ids count from */
	gid_t gid;
	/* Called with the bytes of contents done; other than 0 ends it all. */
	int (*tick)(void *data, uint64_t done);
	void *tick_data;
	/*
	 * Regular files with one name are noted in `index`, as being in the archive of
	 * this number. With `before`, of an earlier one: those that are the same there
	 * are noted with its number, and left out. May be NULL.
	 */
	struct vz_findex *index;
	const struct vz_findex *before;
	uint32_t number;
};
int vz_tarout_tree(struct vz_tarout *t, const struct vz_tarout_tree *how,
		   uint64_t *ret_left, struct vz_err *err);

/* The end; all has been given to fd when this is 0. VZ_E_NOSPACE, VZ_E_SYSTEM. */
int vz_tarout_end(struct vz_tarout *t, struct vz_err *err);

#endif
