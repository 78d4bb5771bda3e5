/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_LANDING_H
#define VZMIGRATE_LANDING_H

#include "ve/idpool.h"
#include "ve/journal.h"
#include "ve/ve.h"
#include "vzmigrate/landconf.h"
#include "vzmigrate/wire.h"

/*
 * A VE on its way in, on the destination. Its files come into PRIVATE.migrating/root,
 * its configuration and scripts into PRIVATE.migrating/conf; when the VE is ours
 * these move to their places. Each step writes its state down first and can be
 * done again from its beginning, by this process or one that comes after it.
 */
struct landing {
	const struct vz_ctx *ctx;
	uint32_t veid;
	struct vz_journal j;
	char *staging; /* see staging.h */
	uint64_t memory; /* of the VE, bytes */
	int lock_fd; /* of the VE */
	struct vz_idrange uids, gids;
};
#define LANDING_NONE                                                                     \
	((struct landing){                                                               \
		.lock_fd = -1, .uids = VZ_IDRANGE_NONE, .gids = VZ_IDRANGE_NONE })
void landing_done(struct landing *l);

/* Nothing of a VE of this number, nor of its private area, is here. MIG_E_EXISTS. */
int landing_check_absent(const struct vz_ctx *ctx, uint32_t veid, const char *private,
			 struct vz_err *err);

/*
 * Begin, by the message `ask` of the source. What an earlier migration of the VE
 * left here goes, if it was `old` of that source, or nobody waits for it.
 * MIG_E_LOCKED, MIG_E_EXISTS, MIG_E_CONFIG, MIG_E_COPY.
 */
int landing_begin(const struct vz_ctx *ctx, const json_t *ask, const char *peer,
		  struct landing *ret, struct vz_err *err);
/* Take up what another process began; who still serves it ends. -ENOENT. */
int landing_attach(const struct vz_ctx *ctx, uint32_t veid, const char *id,
		   struct landing *ret, struct vz_err *err);

/* The VE that will be, to be closed by the caller; its area is where it is on its way. */
int landing_open_ve(const struct landing *l, struct vz_ve *ret, struct vz_err *err);
/* What came so far on the disk, so that less is to be waited for later. */
int landing_settle(const struct landing *l, struct vz_err *err);
/* All files are here: give them their owners, put everything on the disk. */
int landing_prepare(struct landing *l, struct vz_err *err);
/*
 * The source has handed it over: put it into its place, start it, see that it
 * runs. MIG_E_START: it does not; then it is the source's again, for sure.
 */
int landing_take(struct landing *l, struct vz_err *err);
/* It is not ours: all that came goes, unless it is to be kept. */
int landing_abort(struct landing *l, struct vz_err *err);
/* The source is through with it: nothing has to be remembered. */
int landing_forget(struct landing *l, struct vz_err *err);

#endif
