/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CRIUSTAGE_H
#define VZ_SYS_CRIUSTAGE_H

#include "sys/criu.h"

/*
 * In the process that becomes criu: a mount namespace of its own, in which /tmp is
 * empty but for the call's root (VZ_CRIU_STAGE/root), mounts and images. 0 or -errno,
 * and *ret_failed is what could not be had.
 */
int vz_criustage_enter(const struct vz_criu_call *call, const char **ret_failed);
/* The directory of the images as it is there. A descriptor, or -errno. */
int vz_criustage_images(void);

#endif
