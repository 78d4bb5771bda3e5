/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_PRIVATE_H
#define VZ_VE_PRIVATE_H

#include <stdbool.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * How a private area comes and goes so that a crash never leaves half a one
 * under its name. It is made as PRIVATE.creating/root, and renamed when it is
 * complete; PRIVATE.creating/inode is a link whose text is the inode number
 * of the area, by which a later create knows the work of a killed one that
 * had not written its configuration yet. It goes by way of
 * PRIVATE.destroyed.N.
 */
struct vz_newarea {
	char *path; /* PRIVATE */
	char *dir; /* PRIVATE.creating */
	int dirfd; /* locked while we work on it */
	int rootfd; /* of the area itself */
	bool published;
};
#define VZ_NEWAREA_NONE ((struct vz_newarea){ .dirfd = -1, .rootfd = -1 })

/*
 * Begin. What an earlier create of the same area left is removed first;
 * `configured`: a configuration speaks of it, so it is never taken for that.
 * VZ_E_PRIVATE_EXISTS, VZ_E_NEWPRIVATE.
 */
int vz_newarea_begin(const char *path, bool configured, struct vz_newarea *ret,
		     struct vz_err *err);
/* Put the complete area into its place. */
int vz_newarea_publish(const struct vz_ctx *ctx, struct vz_newarea *a,
		       struct vz_err *err);
/* The configuration is written: only the work directory goes. */
void vz_newarea_keep(struct vz_newarea *a);
/* Remove all that was made (unless kept), and release everything. */
void vz_newarea_done(struct vz_newarea *a);
#define vz_autonewarea VZ_CLEANUP(vz_newarea_done)

/*
 * What was unpacked reaches the disk some half a minute later. Until then
 * PRIVATE.unsynced says so, with the node's boot in it: a power cut in between
 * leaves a VE whose files may be empty, and that must not be run as if whole.
 *
 * vz_newarea_publish() makes the mark; this sees to it, in the background, that
 * the files are on the disk, and then takes the mark away.
 */
void vz_area_settle(const struct vz_newarea *a);
/* Whether the node went down before that: VZ_E_NOPRIVATE, with what to do. */
int vz_area_check_settled(const struct vz_ctx *ctx, const char *path, struct vz_err *err);

/* Move an area aside; absent is 0. A link is removed, what it leads to is not. */
int vz_area_aside(const struct vz_ctx *ctx, const char *path, struct vz_err *err);
/*
 * Remove what was moved aside, now or by a command that was killed.
 * VZ_E_DELPRIVATE. *ret_found (may be NULL): there was something.
 */
int vz_area_sweep(const char *path, bool *ret_found, struct vz_err *err);

/*
 * PRIVATE.converting: where convert makes the new area, and the old one ends up in.
 */
#define VZ_AREA_CONVERTING ".converting"

/*
 * Remove what a convert or a create that did not come to its end left beside the area;
 * absent is 0. A create that lives: VZ_E_LOCKED.
 */
int vz_area_sweep_work(const char *path, struct vz_err *err);

#endif
