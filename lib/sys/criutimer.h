/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CRIUTIMER_H
#define VZ_SYS_CRIUTIMER_H

#include "base/str.h"

/*
 * CRIU 3 does not set a timer of setitimer() or alarm() that was to fire but once: one
 * without an interval is none to it. Give those in the images in `dir` an interval of
 * ten years: then they fire as they should, and once. Done again it changes nothing; each
 * file is replaced in one step. 0 or -errno.
 */
int vz_criutimer_mend(int dir);

/* Of what one image holds: 1 and the new image in *ret, 0: it is good, or -errno. */
int vz_criutimer_image(const void *data, size_t len, struct vz_str *ret);

#endif
