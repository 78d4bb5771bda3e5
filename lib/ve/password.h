/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_PASSWORD_H
#define VZ_VE_PASSWORD_H

#include "ve/ve.h"

/*
 * Set "user:password" inside a VE. One that is stopped is mounted and given a
 * process 1 of ours for that long. VZ_E_VALUE, VZ_E_PASSWORD.
 */
int vz_ve_password(struct vz_ve *ve, const char *userpw, struct vz_err *err);

#endif
