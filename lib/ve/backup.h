/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_BACKUP_H
#define VZ_VE_BACKUP_H

#include "ve/ve.h"

/*
 * A VE in one file: a tar archive compressed by zstd, which any tar reads, of
 *
 *	vz/backup	KEY="value": VERSION, VEID, DATE, LAYOUT
 *	vz/ve.conf	its configuration
 *	vz/quota	limits of its users and groups, where there are some
 *	root/…		its files, with the owners that they have in the VE
 *
 * and, behind that, a frame which decompressors pass over with the SHA-256 of all
 * before it: a file that was cut off or changed is known.
 */
#define VZ_BACKUP_VERSION 1
#define VZ_BACKUP_ABOUT "vz/backup"
#define VZ_BACKUP_CONF "vz/ve.conf"
#define VZ_BACKUP_QUOTA "vz/quota"
#define VZ_BACKUP_ROOT "root"

struct vz_backup {
	void (*progress)(void *data, uint64_t done, uint64_t total); /* or NULL */
	void *progress_data;
	/*
	 * The VE's lock, the caller's: of a VE that runs it is let go (-1) when the
	 * snapshot that is copied has been taken.
	 */
	int *lock_fd;
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
 * What a backup says of itself, once its checksum was found right: VZ_E_BADTEMPLATE
 * otherwise. To be freed by vz_backup_done().
 */
struct vz_backup_info {
	char *about, *conf, *quota; /* the files; quota NULL: none */
};
int vz_backup_open(const char *file, const struct vz_backup *how,
		   struct vz_backup_info *ret, struct vz_err *err);
void vz_backup_done(struct vz_backup_info *b);
#define vz_autobackup VZ_CLEANUP(vz_backup_done)

/*
 * Make a VE of one, which must not exist: with its configuration, but ids of its own
 * from the pool, as `layout` (NULL: as it was; of overlay it is simfs). The caller
 * holds the lock of `id`. As vz_ve_create().
 */
int vz_ve_restore_backup(const struct vz_ctx *ctx, uint32_t id, const char *file,
			 const char *layout, const struct vz_backup *how,
			 struct vz_err *err);

#endif
