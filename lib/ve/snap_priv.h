/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SNAP_PRIV_H
#define VZ_VE_SNAP_PRIV_H

#include "sys/copy.h"
#include "ve/layout.h"
#include "ve/snapshot.h"

/* A VE's snapshots, opened; what snapshot.c and the layouts' parts of it share. */
struct vz_snaps {
	const struct vz_ve *ve;
	const struct vz_layout *layout;
	struct vz_area area; /* the VE's private area */
	struct vz_area own; /* of the snapshots themselves, for simfs */
	struct vz_area *tree; /* whichever of them names the snapshots */
	char *dir; /* with a directory UUID for each */
	int dirfd; /* -1: there is none yet */
	struct vz_copy copy;
	const struct vz_snapshot_how *how; /* NULL: nobody watches */
	uint64_t total; /* bytes to copy, about */
	bool held; /* take: the VE does not move, others see to it */
};

/*
 * What a layout does for snapshots. Each changes the marker in memory only, but for
 * what is said.
 */
struct vz_snap_ops {
	/* Keep the present files in the new directory `fd`, or by the marker. */
	int (*take)(struct vz_snaps *s, const char *uuid, int fd, struct vz_err *err);
	/*
	 * Make them the present ones. What can't be done by the marker alone is left
	 * to settle(), as [pending] next.
	 */
	int (*select)(struct vz_snaps *s, const char *uuid, struct vz_err *err);
	/* Carry out what select() left. NULL: it leaves nothing. */
	int (*settle)(struct vz_snaps *s, struct vz_err *err);
	/*
	 * Remove what the marker does not name; saves the marker when it changes it.
	 * `idle`: neither the VE nor a snapshot of it is mounted. 1: not all could be
	 * done now.
	 */
	int (*sweep)(struct vz_snaps *s, bool idle, struct vz_err *err);
	int (*mount)(struct vz_snaps *s, const char *uuid, int *ret_mnt,
		     struct vz_err *err);
};

extern const struct vz_snap_ops vz_snap_simfs;
extern const struct vz_snap_ops vz_snap_image;
extern const struct vz_snap_ops vz_snap_overlay;

/* A mount of one, attached nowhere, for snap_mount.c. */
int vz_snap_open_mount(const struct vz_ve *ve, const char *uuid, int *ret_mnt,
		       struct vz_err *err);

/* snap_memory.c: ops.take(), with the memory of a VE that runs or is suspended. */
int vz_snap_memory_take(struct vz_snaps *s, const char *uuid, int fd, struct vz_err *err);
/* Whether a snapshot has one. */
bool vz_snap_memory_has(const struct vz_snaps *s, const char *uuid);
/* What [pending] memory says: make it what the VE is suspended to. */
int vz_snap_memory_settle(struct vz_snaps *s, struct vz_err *err);

/* For s->copy.tick; gives up when a signal waits (sys/hold.h). */
int vz_snap_tick(void *s, uint64_t done);

#endif
