/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_CONVERT_H
#define VZ_VE_CONVERT_H

#include "ve/ve.h"

/*
 * Give a VE's private area another layout. The VE is down and not mounted; the caller
 * holds its lock. The new area is made in PRIVATE.converting, and when it is complete
 * and on the disk both change places in one step: at any moment PRIVATE is one whole
 * area, the old or the new. What a killed conversion left the next one removes, or
 * finishes; a signal gives it up. The quota's project is given at the next mount.
 *
 * To a layout over a template: only what differs from it is kept; the template is
 * OSTEMPLATE, as it is now.
 *
 * VZ_E_LAYOUT, VZ_E_RUNNING, VZ_E_MOUNTED, VZ_E_NOSPACE and what create has. The
 * files, owners, modes, times, extended attributes and hard links are as they were.
 * *ret_done: false when it was of that layout already.
 */
struct vz_convert {
	const char *layout;
	int lock_fd; /* of the VE; -1: none */
	void (*progress)(void *data, uint64_t done, uint64_t total); /* may be NULL */
	void *progress_data;
};
int vz_ve_convert(struct vz_ve *ve, const struct vz_convert *how, bool *ret_done,
		  struct vz_err *err);

#endif
