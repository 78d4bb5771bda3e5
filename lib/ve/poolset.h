/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_POOLSET_H
#define VZ_VE_POOLSET_H

#include "res/vepool.h"

/* Pools of VEs are made, changed and removed here, by their files. */
enum vz_poolset_flags {
	VZ_POOLSET_CREATE = 1 << 0, /* there must be none yet; else there must be one */
	VZ_POOLSET_FORCE = 1 << 1, /* what can't be kept is a warning */
};

/*
 * Change a pool's file, keeping its comments, and its groups if VEs of it run.
 * expandable: "yes", "no" or NULL. VZ_E_OVERCOMMIT: its reservation can't be
 * kept, or those of VEs in it. Then, as after any failure, nothing has changed.
 * cfg: vz.conf's.
 */
int vz_poolset(const struct vz_ctx *ctx, const struct vz_cfg *cfg, const char *name,
	       const struct vz_changes *changes, const char *expandable,
	       unsigned int flags, struct vz_err *err);

/* Remove the file. VZ_E_RUNNING: VEs run in it. */
int vz_poolset_remove(const struct vz_ctx *ctx, const char *name, struct vz_err *err);

#endif
