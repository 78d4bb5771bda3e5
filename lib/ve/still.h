/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_STILL_H
#define VZ_VE_STILL_H

#include "ve/ve.h"

/*
 * A VE that holds still while its files are copied: its processes are frozen, or
 * its file system is. Whatever becomes of the command, it goes on: a child of it
 * lets it go when the command has said so or is gone.
 */
struct vz_still {
	int pipe; /* the child waits for its end */
	int pid;
};
#define VZ_STILL_NONE ((struct vz_still){ .pipe = -1, .pid = -1 })

/*
 * Freeze the processes of a running VE; of one that does not run, or stands still
 * already (ve/freeze.h), nothing.
 */
int vz_still_processes(const struct vz_ve *ve, struct vz_still *ret, struct vz_err *err);
/* Freeze the file system that `fd` is of, all of which is on the disk then. */
int vz_still_files(const struct vz_ve *ve, int fd, struct vz_still *ret,
		   struct vz_err *err);
/* Go on; it has gone on when this returns. */
void vz_still_end(struct vz_still *s);
#define vz_autostill VZ_CLEANUP(vz_still_end)

#endif
