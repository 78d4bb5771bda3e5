/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_LIFE_H
#define VZ_VE_LIFE_H

#include "ve/ve.h"

/* Start, stop and what a VE is just now: the words behind vzctl's commands. */
struct vz_start {
	bool wait; /* return when the default run level is reached */
	bool force; /* also when DISABLED, or what it reserves is not there */
	bool migrating; /* the caller is the migration that its journal is of */
	int lock_fd;
	uint32_t reboots; /* quick ones in a row that led to this */
};
/*
 * What comes before a VE can be started or resumed: it does not run, it may be
 * (VZ_E_RUNNING, VZ_E_DISABLED), and what was left of it is removed.
 */
int vz_ve_prepare_start(struct vz_ve *ve, const struct vz_start *how, struct vz_err *err);
/* From its dump, when there is one: one that can't be restored is put aside. */
int vz_ve_start(struct vz_ve *ve, const struct vz_start *how, struct vz_err *err);

struct vz_stop {
	bool fast; /* kill, do not ask init */
	bool skip_umount;
	bool migrating; /* as in struct vz_start */
};
int vz_ve_stop(struct vz_ve *ve, const struct vz_stop *how, struct vz_err *err);

/*
 * A VE's init has ended by itself: clean up, or on `reboot` start it again.
 * One that reboots at once over and over is left down.
 */
int vz_ve_ended(struct vz_ve *ve, bool reboot, int lock_fd, struct vz_err *err);

struct vz_status {
	bool exists, mounted, running, suspended;
};
int vz_ve_status(const struct vz_ctx *ctx, uint32_t id, struct vz_status *ret,
		 struct vz_err *err);

#endif
