/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_DEPARTURE_H
#define VZMIGRATE_DEPARTURE_H

#include "ve/journal.h"
#include "ve/ve.h"
#include "vzmigrate/peer.h"

/*
 * A VE on its way out, on the source: the steps that decide whose it is. Each can
 * be done again from its beginning, by this process or by a later --recover.
 */
struct departure {
	const struct vz_ctx *ctx;
	uint32_t veid;
	struct vz_journal j;
	int lock_fd; /* of the VE */
	struct peer *peer; /* NULL: there is no connection */
	bool standing; /* it is there, frozen, and goes on when we have undone the rest */
	bool found; /* another process began it, and has died */
};

/* Write the state down. MIG_E_SYSTEM. */
int departure_save(struct departure *d, enum vz_mig_state state, struct vz_err *err);

/*
 * Ours it stays: run it again if we stopped it, tell the destination, which needs
 * not be there to hear it. MIG_E_SYSTEM: it could not be started again.
 */
int departure_undo(struct departure *d, struct vz_err *err);

/*
 * It has been handed over (VZ_MIG_HANDED is written): let the destination take it.
 * 0: it is there, and what is left is departure_clear(). When it has refused it is
 * ours again, and has been undone: -EREMOTEIO, with why. Anything else: it is not
 * known whose it is, or it is the destination's and not running yet.
 */
int departure_finish(struct departure *d, struct vz_err *err);

/* It lives there: our copy goes, or is disabled; then both journals do. */
int departure_clear(struct departure *d, struct vz_err *err);

#endif
