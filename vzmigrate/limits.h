/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_LIMITS_H
#define VZMIGRATE_LIMITS_H

#include "ve/layout.h"
#include "vzmigrate/landing.h"
#include "vzmigrate/peer.h"

/*
 * Disk quotas of a VE on its way. What its users and groups may have is no part of its
 * files, unless these lie in a file system of their own: it goes along as text, and is
 * set on the destination before the VE is started there.
 */

/* On the source: how many have limits that must go along. 0 or -errno. */
int limits_count(const struct vz_ve *ve, uint64_t *ret, struct vz_err *err);
/* They, after the last of the files and before "prepare". MIG_E_QUOTA, MIG_E_CONNECT. */
int limits_send(const struct vz_ve *ve, struct peer *peer, struct vz_err *err);

/*
 * On the destination: whether the file system of `dir`, which is to have the VE's files,
 * keeps what the VE insists on. With `limits`, of so many users and groups.
 */
void limits_check(const struct vz_ctx *ctx, const char *dir, const struct vz_cfg *cfg,
		  const struct vz_layout *layout, uint64_t limits, json_t *problems);
/* A piece of them has come: into the staging directory. MIG_E_QUOTA. */
int limits_take(const struct landing *l, const json_t *ask, struct vz_err *err);
/* Set them, of a VE that is in its place. None came: 0. MIG_E_QUOTA. */
int limits_set(const struct landing *l, struct vz_err *err);

#endif
