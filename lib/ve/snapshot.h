/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SNAPSHOT_H
#define VZ_VE_SNAPSHOT_H

#include "ve/snaptree.h"
#include "ve/ve.h"

/*
 * Snapshots: the files of a VE as they were at a moment, and its configuration.
 *
 * Each step is made aside and takes effect by one rename, of the marker that names
 * what counts (and, for simfs, of the area). A marker's [pending] section says what
 * is still to be done after that: vz_snapshot_settle() does it, at the end of a
 * command, or of the next one when the first was killed. What no marker names is
 * garbage of a killed command.
 *
 * The caller holds the VE's lock.
 */
struct vz_snapshot_how {
	const char *uuid; /* take: NULL makes one */
	const char *name, *description; /* take: NULL or "" for none */
	bool temporary; /* take: a command's own; no list shows it, see vz_snapshot_hold() */
	/*
	 * take: with the memory of a VE that runs, or is suspended; VZ_E_CHECKPOINT: it
	 * can't be had. switch: if there is one the VE is suspended to it then.
	 */
	bool memory;
	bool skip_config; /* take: don't keep the configuration; switch: nor restore it */
	/* Called now and then with bytes copied, of about `total`; may be NULL. */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	void *progress_data;
};

/*
 * Take one, of a VE that runs, too: it holds still while its files are copied, which
 * takes a moment where the file system shares blocks, or is no copy at all.
 * VZ_E_SNAP_CREATE; ret_uuid gets which.
 */
int vz_snapshot_take(const struct vz_ve *ve, const struct vz_snapshot_how *how,
		     char ret_uuid[VZ_UUID_SIZE], struct vz_err *err);

/*
 * Make the VE's files and configuration what they were. The present ones are lost.
 * The VE must neither run nor be mounted. VZ_E_SNAP_SWITCH.
 */
int vz_snapshot_switch(const struct vz_ve *ve, const struct vz_snapshot_how *how,
		       struct vz_err *err);

/*
 * Delete one; those that were taken after it keep their files. VZ_E_SNAP_DELETE;
 * VZ_E_SNAP_MERGE: it is deleted, but its room could not be given back.
 */
int vz_snapshot_delete(const struct vz_ve *ve, const char *uuid, struct vz_err *err);

/* Mount one read-only on a directory, and unmount it: VZ_E_SNAP_MOUNT, _UMOUNT. */
int vz_snapshot_mount(const struct vz_ve *ve, const char *uuid, const char *target,
		      struct vz_err *err);
int vz_snapshot_umount(const struct vz_ve *ve, const char *uuid, struct vz_err *err);
/* Where it is mounted, to be freed by the caller; NULL: it is not. */
char *vz_snapshot_target(const struct vz_ve *ve, const char *uuid);
/* One of the VE's that is mounted; to be freed by the caller; NULL: none. */
char *vz_snapshot_any_mounted(const struct vz_ctx *ctx, uint32_t veid);

/*
 * A temporary snapshot stays until *ret_fd is closed, and the next command that looks
 * removes it, also while it is not the one that took it. *ret_mnt is a read-only mount
 * of it, attached nowhere. VZ_E_SNAP_MOUNT.
 */
int vz_snapshot_hold(const struct vz_ve *ve, const char *uuid, int *ret_fd, int *ret_mnt,
		     struct vz_err *err);
/* Whether it has a memory. */
bool vz_snapshot_has_memory(const struct vz_ve *ve, const char *uuid);
/* Whether it is still there, and the VE. */
bool vz_snapshot_exists(const struct vz_ve *ve, const char *uuid);

/* One as the lists show it. */
struct vz_snapshot {
	struct vz_snap snap;
	char *name, *description; /* "" for none */
	bool memory; /* it has the VE's */
};
struct vz_snapshots {
	struct vz_snapshot *v;
	size_t n;
};
/* In the order in which they were taken. VZ_E_SNAP_LIST. Needs no lock. */
int vz_snapshot_list(const struct vz_ve *ve, struct vz_snapshots *ret,
		     struct vz_err *err);
/*
 * How many of them lie beside the private area, not in it, and so do not go where the
 * area goes: those of layout simfs. VZ_E_SNAP_LIST.
 */
int vz_snapshot_count_beside(const struct vz_ve *ve, size_t *ret, struct vz_err *err);
void vz_snapshots_done(struct vz_snapshots *s);
#define vz_autosnapshots VZ_CLEANUP(vz_snapshots_done)

/*
 * Finish what a killed command left, if anything. 1: the VE's configuration file
 * changed; 0 or -errno with the error set.
 */
int vz_snapshot_settle(const struct vz_ve *ve, struct vz_err *err);

/* Where those of a VE of layout simfs lie: PRIVATE.snapshots, to be freed. */
char *vz_snapshot_beside(const char *private);

#endif
