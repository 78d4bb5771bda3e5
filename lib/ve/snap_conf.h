/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SNAP_CONF_H
#define VZ_VE_SNAP_CONF_H

#include "ve/snapshot.h"

/*
 * What is kept of a snapshot beside its files: `info`, what users say of it, and
 * `ve.conf`, the VE's configuration of that moment.
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

#endif
