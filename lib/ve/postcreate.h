/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_POSTCREATE_H
#define VZ_VE_POSTCREATE_H

#include <stdbool.h>

#include "ve/layout.h"

/*
 * POST_CREATE: a script of the distribution that runs once in a new VE, before its
 * init first does, and makes anew what two VEs of a template must not share. To run
 * it alone takes a launch, many times what an area over a template takes to make. So
 * there it waits for the VE's first launch, and until then the area's marker says
 * [ve] post_create = due. Whatever copies the VE's files before calls
 * vz_postcreate_settle(), so that no copy is ever without it.
 */

/* Run it now, in a VE that is mounted and not running. VZ_E_DISTSCRIPT and others. */
int vz_postcreate_now(struct vz_ve *ve, int lock_fd, struct vz_err *err);

/* The area's marker, not yet saved, says that it is due. 0 or -errno. */
int vz_postcreate_defer(struct vz_area *a);

/*
 * When it is due: run it in the VE that is just being launched (for vz_launch's
 * configure()), and mark it as done.
 */
int vz_postcreate_launched(struct vz_ve *ve, struct vz_err *err);

/* When it is due, and the VE down: mount it, run it, unmount it. */
int vz_postcreate_settle(struct vz_ve *ve, int lock_fd, struct vz_err *err);

#endif
