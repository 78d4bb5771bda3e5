/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_LAYOUT_H
#define VZ_VE_LAYOUT_H

#include <stdbool.h>

#include "sys/copy.h"
#include "ve/area.h"
#include "ve/ve.h"

/*
 * Layouts: how a VE's files lie in its private area. One row each, in
 * layout_NAME.c; create, mount, destroy, convert, snapshots and quotas know no
 * layout's name and ask the row.
 *
 * The life of an area: it is made in PRIVATE.creating/root (ve/private.h): begin()
 * writes what the layout needs there, marker included; the template is unpacked into
 * what mount() gives, unless the layout lies over an unpacked one; the directory is
 * renamed to PRIVATE when all is there. What it is is then found by looking, never
 * by VE_LAYOUT: vz_layout_open().
 *
 * mount() gives a mount that is attached nowhere: the caller attaches it to VE_ROOT,
 * or just reads and writes below the descriptor (create, convert, backup); with the
 * last descriptor or umount it is gone, and what it needed (a loop device) with it.
 * A crash leaves nothing mounted.
 */
struct vz_layout_new {
	const char *base; /* digest of the unpacked template; only when .over_base */
};

struct vz_layout_mount {
	bool read_only;
	uint32_t layer; /* of an overlay: the one on top; 0: that which is written to */
};

struct vz_snap_ops;

struct vz_layout {
	const char *name;
	uint32_t version; /* of its marker, the newest that is understood; 0: has none */
	bool over_base; /* lies over the unpacked template, nothing is unpacked into it */
	/* Fill the new area's directory `fd`; the marker is saved last. */
	int (*begin)(const struct vz_ve *ve, const char *path, int fd,
		     const struct vz_layout_new *how, struct vz_err *err);
	/* Is it whole, and the VE's? VZ_E_NOPRIVATE says what is wrong. */
	int (*check)(const struct vz_ve *ve, const struct vz_area *a, struct vz_err *err);
	/* *ret_mnt: a detached mount, O_PATH; nodev and the like are the caller's. */
	int (*mount)(const struct vz_ve *ve, const struct vz_area *a,
		     const struct vz_layout_mount *how, int *ret_mnt, struct vz_err *err);
	/*
	 * Fill the new area with a whole tree of a VE's files, and see to it that they
	 * are on the disk. NULL: by writing to what mount() gives.
	 */
	int (*fill)(const struct vz_ve *ve, const struct vz_area *a, int from,
		    struct vz_copy *copy, struct vz_err *err);
	/*
	 * The directory of which the VE's disk use is counted: everything that the VE
	 * writes lies below it, and inherits its project id. A descriptor. NULL: its
	 * files are in a file system of their own, with its size and its users' limits.
	 */
	int (*quota_dir)(const struct vz_area *a);
	const struct vz_snap_ops *snap; /* see ve/snap_priv.h; NULL: it can't */
};

/* The row, or VZ_E_LAYOUT with the names that there are. */
int vz_layout_find(const char *name, const struct vz_layout **ret, struct vz_err *err);
/* The one for a new area: VE_LAYOUT, or the default. */
int vz_layout_wanted(const struct vz_ve *ve, const struct vz_layout **ret,
		     struct vz_err *err);

/*
 * Look at the VE's private area, or at one in `path` (not NULL), and check it:
 * VZ_E_NOPRIVATE (absent, damaged, another VE's), VZ_E_LAYOUT (a layout or version
 * of it that this vz does not know). A privileged VE's root can make files that look
 * like a marker in an area of simfs, so there the marker and VE_LAYOUT must agree.
 */
int vz_layout_open(const struct vz_ve *ve, const char *path, const struct vz_layout **ret,
		   struct vz_area *ret_area, struct vz_err *err);

/* The host's owner of the area's top must be one of the VE's ids. */
int vz_layout_check_owner(const struct vz_ve *ve, const struct vz_area *a, int fd,
			  struct vz_err *err);

extern const struct vz_layout vz_layout_simfs, vz_layout_overlay, vz_layout_ploop;

#endif
