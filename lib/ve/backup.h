/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_BACKUP_H
#define VZ_VE_BACKUP_H

#include "ve/backupfile.h"
#include "ve/ve.h"

struct vz_backup {
	void (*progress)(void *data, uint64_t done, uint64_t total); /* or NULL */
	void *progress_data;
	/*
	 * The VE's lock, the caller's: of a VE that runs it is let go (-1) when the
	 * snapshot that is copied has been taken.
	 */
	int *lock_fd;
	/* Only what changed since this backup of the VE; NULL: all. */
	const char *since;
};

/*
 * Write one. The VE may run: its files are of one moment, by a temporary snapshot. Of a
 * VE that never ran POST_CREATE is run before (ve/postcreate.h).
 * The file is there when it is complete, in place of one of that name; a command that
 * fails or is killed leaves none. VZ_E_NOSPACE, VZ_E_SYSTEM, and those of snapshots.
 */
int vz_ve_backup(struct vz_ve *ve, const char *file, const struct vz_backup *how,
		 struct vz_err *err);

/*
 * Make a VE of one, which must not exist: with its configuration, but ids of its own
 * from the pool, as `layout` (NULL: as it was; what lay over a template that is not
 * here is simfs). Of an increment all that it needs are found and read. The caller
 * holds the lock of `id`. As vz_ve_create().
 */
int vz_ve_restore_backup(const struct vz_ctx *ctx, uint32_t id, const char *file,
			 const char *layout, const struct vz_backup *how,
			 struct vz_err *err);

#endif
