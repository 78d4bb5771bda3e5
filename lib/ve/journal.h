/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_JOURNAL_H
#define VZ_VE_JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "ve/ids.h"

/*
 * How far the migration of a VE has come, written down on each of the two nodes
 * before the step that it names: STATEDIR/migrate/VEID.out on the source, VEID.in
 * on the destination. Of all states of the two together, in any order of crashes,
 * at most one node owns the VE, which is the one that may run it:
 *
 * - the source, until it has written VZ_MIG_HANDED; it writes that only when the
 *   destination has said that it has written VZ_MIG_PREPARED;
 * - from then on the destination, unless it writes VZ_MIG_REFUSED; it may run the
 *   VE when it has written VZ_MIG_TAKING, which it does when told of HANDED;
 * - the source again when it has learned of VZ_MIG_REFUSED.
 */
enum vz_mig_role {
	VZ_MIG_SOURCE,
	VZ_MIG_DEST,
};

enum vz_mig_state {
	VZ_MIG_NONE,
	/* of the source */
	VZ_MIG_COPYING, /* ours; it runs, if it did */
	VZ_MIG_STOPPING, /* ours; it is being stopped for the last pass */
	VZ_MIG_HANDED, /* the destination's */
	VZ_MIG_CLEARING, /* it has proved itself there: our copy goes */
	VZ_MIG_UNDONE, /* ours; the destination may not know that yet */
	/* of the destination */
	VZ_MIG_RECEIVING, /* the source's; what we have is of no worth */
	VZ_MIG_PREPARED, /* all is here; whose it is the source knows */
	VZ_MIG_TAKING, /* ours; being put into its place, and started */
	VZ_MIG_DONE, /* ours; the source may not know that yet */
	VZ_MIG_REFUSED, /* the source's again: it did not start here */
	VZ_MIG__COUNT,
};

struct vz_journal {
	enum vz_mig_state state;
	char id[40]; /* of this one migration, on both nodes */
	char peer[256]; /* DESTINATION as it was given; or the source's address */
	char ssh[512]; /* the source: --ssh, for who finishes it */
	bool start; /* the VE ran when it began, and is to run there */
	bool live; /* with its processes: a dump goes along */
	bool keep; /* the source's copy stays, disabled; the files there stay on failure */
	uint32_t pid; /* the destination: who serves it, and when that began */
	uint64_t pid_start;
	char private[PATH_MAX]; /* the destination: the VE's private area */
	uint32_t uid, gid; /* the destination: first ids there; 0: privileged */
	uint32_t old_uid, old_gid; /* and on the source */
};

/* -ENOENT: no migration is under way. A damaged file is VZ_E_SYSTEM. */
int vz_journal_load(const struct vz_ctx *ctx, uint32_t veid, enum vz_mig_role role,
		    struct vz_journal *ret, struct vz_err *err);
/* Returns when it is on the disk. VZ_E_SYSTEM. */
int vz_journal_save(const struct vz_ctx *ctx, uint32_t veid, enum vz_mig_role role,
		    const struct vz_journal *j, struct vz_err *err);
int vz_journal_remove(const struct vz_ctx *ctx, uint32_t veid, enum vz_mig_role role,
		      struct vz_err *err);

/* The VEs that have one in this role. 0 or -errno. */
int vz_journal_list(const struct vz_ctx *ctx, enum vz_mig_role role, struct vz_ids *ids);

/* "copying" … of a state, for messages, files and the other node; and back. */
const char *vz_mig_state_name(enum vz_mig_state state);
enum vz_mig_state vz_mig_state_find(const char *name); /* VZ_MIG_NONE: unknown */

/*
 * Whether the VE is this node's to start, change or destroy: -EBUSY with
 * VZ_E_LOCKED and what to do when a migration was left half-way and the other
 * node may own it.
 */
int vz_journal_check(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err);

/*
 * Somebody who has the VE's lock starts or stops it, so whoever was stopping it to
 * migrate it has died, and whether it runs is not for --recover to say any more. What
 * can't be written down stays as it was. A live migration's is kept: what that left
 * standing has to be put right first.
 */
void vz_journal_stands_back(const struct vz_ctx *ctx, uint32_t veid);

#endif
