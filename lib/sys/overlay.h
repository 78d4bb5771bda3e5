/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_OVERLAY_H
#define VZ_SYS_OVERLAY_H

#include <stddef.h>
#include <sys/types.h>

/*
 * An overlay of directories: `base` at the bottom, the frozen `layers` above it, and
 * `upper`, into which is written. Names of layers, upper and work are relative to
 * `dir`, without commas, colons and backslashes; /proc/mounts shows them so.
 *
 * `idmap`, a user namespace: the base is seen through its mapping, so one unpacked
 * template with the ids 0 .. 65535 on the disk is every VE's own, and its pages are in
 * memory once. What is copied up lands in `upper` with the mapped ids. The layers have
 * the VE's ids on the disk already.
 *
 * No renames of template directories by reference, no metadata-only copies, no index:
 * layers are whole by themselves, can be stacked on, folded together and moved.
 */
struct vz_overlay {
	const char *dir;
	const char *const *layer; /* the topmost first */
	size_t layers;
	const char *base;
	const char *base_at; /* an empty directory in dir, on which the base is shown */
	int idmap; /* -1: as it is */
	const char *upper, *work; /* NULL: read-only; then there is a layer */
};

/*
 * *ret_mnt is a mount that is attached nowhere. Made in a process and a mount
 * namespace of its own, so nothing is left when it is killed. 0 or -errno, with what
 * failed in *ret_step: -EINVAL of the overlay is also a file system that can't be
 * below one, -EINVAL of the ids one that can't be seen with other ids.
 */
int vz_overlay_mount(const struct vz_overlay *o, int *ret_mnt, const char **ret_step);

/* A user namespace that maps 0 .. count-1 to what begins at uid and gid. fd or -errno. */
int vz_overlay_idmap(uid_t uid, gid_t gid, unsigned int count);

#endif
