/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_AREA_H
#define VZ_VE_AREA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

/*
 * A private area as it is on the disk. That of simfs is the VE's root itself, any
 * directory, as OpenVZ's were. Any other is a directory of the host's root, mode
 * 700, with a marker in it: area.ini, which says layout, version and VEID, and what
 * the layout keeps about itself:
 *
 *	[area]
 *	layout = overlay
 *	version = 1
 *	veid = 101
 *	[overlay]
 *	…
 *
 * A VE can't make up a marker: its root is not owned by the host's root, and the
 * marker of an area of which that does not hold is not looked at. (A privileged VE
 * could; see vz_layout_open() for what that gets it.) The file is replaced whole,
 * see vz_area_save(): whatever the moment of a crash, the old or the new is there.
 */
struct vz_area_ini;

struct vz_area {
	char *path; /* where it is looked for: PRIVATE, or the work directory's */
	int fd; /* the directory */
	struct vz_area_ini *ini; /* NULL: it has no marker */
	char layout[32]; /* "simfs" without a marker */
	uint32_t version, veid; /* of the marker */
};
#define VZ_AREA_NONE ((struct vz_area){ .fd = -1 })
#define VZ_AREA_MARKER "area.ini"

/*
 * Look at the area in `path`. VZ_E_NOPRIVATE: there is none, or its marker is
 * damaged. Which layouts there are this module does not know.
 */
int vz_area_open(const char *path, struct vz_area *ret, struct vz_err *err);
void vz_area_close(struct vz_area *a);
#define vz_autoarea VZ_CLEANUP(vz_area_close)

/*
 * Begin the marker of a new area; `fd` is its directory, of which the area gets a
 * descriptor of its own. Nothing is written before vz_area_save().
 */
int vz_area_new(const char *path, int fd, const char *layout, uint32_t version,
		uint32_t veid, struct vz_area *ret, struct vz_err *err);

/* What stands there, valid until the area is changed or closed; NULL: nothing. */
const char *vz_area_get(const struct vz_area *a, const char *section, const char *key);
uint64_t vz_area_get_u64(const struct vz_area *a, const char *section, const char *key,
			 uint64_t none);
/*
 * Change it in memory; NULL removes the key. Names and values are words of lower-case
 * letters, digits and _.-+:/ (a section's may hold a space): no text of users.
 * 0 or -errno.
 */
int vz_area_set(struct vz_area *a, const char *section, const char *key,
		const char *value);
int vz_area_set_u64(struct vz_area *a, const char *section, const char *key,
		    uint64_t value);
void vz_area_drop_section(struct vz_area *a, const char *section);
/* The names of the sections that begin so ("layer "), in their order. 0 or -ENOMEM. */
int vz_area_sections(const struct vz_area *a, const char *prefix, struct vz_strv *ret);

/*
 * Replace the marker: temporary file, fsync, rename, fsync of the directory.
 * `fresh`: the area has no name yet, so nobody reads it before its maker has seen to
 * the disk for all of it; nothing is waited for. VZ_E_NEWPRIVATE, VZ_E_NOSPACE; then
 * the old one is still there.
 */
int vz_area_save(struct vz_area *a, bool fresh, struct vz_err *err);

#endif
