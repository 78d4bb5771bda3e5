/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SNAP_CONF_H
#define VZ_VE_SNAP_CONF_H

#include "ve/snapshot.h"

/*
 * What is kept of a snapshot beside its files: `info`, what users say of it,
 * `ve.conf`, the VE's configuration of that moment, and `quota`.
 */
int vz_snap_conf_save(const struct vz_ve *ve, const char *dir,
		      const struct vz_snapshot_how *how, struct vz_err *err);

/* Name and description, "" when there is none; freed by the caller. 0 or -ENOMEM. */
int vz_snap_conf_words(const struct vz_ve *ve, const char *dir, char **ret_name,
		       char **ret_description);

/*
 * Make the VE's configuration what a file says, but for where its files lie and
 * whose they are. A name that is another VE's by now is not taken back. Doing it
 * twice is doing it once.
 */
int vz_snap_conf_restore(const struct vz_ve *ve, const char *path, struct vz_err *err);

/*
 * The same for limits of the VE's users and groups, in `quota`, where the node's file
 * system keeps them (in an image they are its own). Those that can't be set are warned
 * of: the files are what counts.
 */
int vz_snap_conf_save_quota(const struct vz_ve *ve, const char *dir, struct vz_err *err);
void vz_snap_conf_restore_quota(const struct vz_ve *ve, const char *dir);

#endif
