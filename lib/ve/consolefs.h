/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_CONSOLEFS_H
#define VZ_VE_CONSOLEFS_H

#include "ve/state.h"

/*
 * A new console for a VE that runs: the master of the one it was started with
 * (see ve/initfs.h) died with its supervisor, and what is hung up stays so.
 *
 * A terminal of the VE's own devpts is put on its /dev/console in the place of
 * the old one, also for services with mounts of their own: a mount of what is no more
 * could not be made again when the VE is resumed. st, init: of the VE's process 1, its
 * pidfd. *ret_master is the caller's, O_NONBLOCK. What had the old one open still has
 * that. Returns in a few seconds whatever the VE does. -errno: nothing has changed, or
 * the VE is without a console (VZ_E_SYSTEM), its numpty terminals being all in use, say,
 * or its /dev/console none of ours.
 */
int vz_consolefs_renew(const struct vz_state *st, int init, int *ret_master,
		       struct vz_err *err);

#endif
