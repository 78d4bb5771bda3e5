/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_BASE_H
#define VZMIGRATE_BASE_H

#include "ve/layout.h"
#include "ve/unpacked.h"
#include "vzmigrate/wire.h"

/*
 * How a VE's files lie, as both nodes must understand it: layout and version, and for
 * an overlay the unpacked template below it, which does not go along: the destination
 * has the same, by its digest.
 */

/*
 * On the source: {"layout", "version", "base" (digest or ""), "template", "kept" (how many
 * images are kept as snapshots)}. NULL: error.
 */
json_t *base_describe(const struct vz_ve *ve, struct vz_err *err);

/*
 * On the destination: whether that is understood and there. unpack: a tarball of the
 * template that has the digest is unpacked if that was not done yet. MIG_E_LAYOUT.
 */
int base_check(const struct vz_cfg *cfg, const json_t *about, const struct vz_ctx *ctx,
	       bool unpack, struct vz_err *err);

/* Whether its files can have other host ids: no kept image is written to. MIG_E_CONFIG. */
int base_check_shift(const json_t *about, struct vz_err *err);

/*
 * On the destination, before base_check(): no unpacked template goes while it is held;
 * and then the reference to the VE's own, in the directory that its area comes into,
 * since the area's marker is one file of many. Of other layouts nothing is done.
 */
int base_hold(const struct vz_cfg *cfg, const json_t *about, const struct vz_ctx *ctx,
	      struct vz_unpacked *ret, struct vz_err *err);
int base_refer(const json_t *about, const char *staging, uint32_t veid,
	       struct vz_err *err);

#endif
