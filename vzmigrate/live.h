/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_LIVE_H
#define VZMIGRATE_LIVE_H

#include "ve/ve.h"
#include "vzmigrate/copy.h"
#include "vzmigrate/departure.h"
#include "vzmigrate/early.h"
#include "vzmigrate/landing.h"
#include "vzmigrate/report.h"

/*
 * A VE with its processes. It stands still from the beginning of its dump on, whose
 * memory goes to the destination at once; the last of its files and the rest of the dump
 * go over, the destination restores it and says so, and only then it is ended here.
 * Whatever fails before it is handed over, it goes on; as long as it is not known
 * whether it was restored there, it stands still.
 */
struct live {
	struct vz_ve *ve;
	struct departure *d;
	struct copy copy; /* of its files, which were copied while it ran */
	struct timespec since; /* see copy_changed() */
	struct tree *then; /* see copy_rest(); NULL: all files are looked at once more */
	bool channels; /* the destination can take its memory by a channel */
	size_t early_head; /* see pages_head_size(); 0: nothing goes early */
	uint64_t early_max; /* bytes of it that may go over early, while it runs */
	void (*phase)(void *data, enum phase phase);
	void *phase_data;
	/* ours */
	struct channel rsync, pages;
	struct early early; /* what went over */
	int to_sieve, sieve; /* criu's end of it, and its process; -1: there is none */
	char *path; /* the dump's, without .new */
	int dir;
	bool left; /* its addresses lead there */
	bool dumped; /* what fails then is no fault of the dump's */
};

/*
 * 0: it runs there (VZ_MIG_CLEARING). Else the journal says what came of it: what is
 * STOPPING goes on here and is to be undone; UNDONE was refused, and goes on here;
 * HANDED stands still here and is the destination's, to be finished by --recover.
 */
int live_move(struct live *l, struct vz_err *err);

/* Whether the dump of such a try has all: else only its VE, which stood still, has. */
bool live_dump_whole(int dir);

/* On the destination: restore it. It does not move before VZ_MIG_DONE is written. */
int live_restore(struct landing *l, struct vz_err *err);
/* Then it moves, also when who restored it was killed before he had let it go. */
int live_go_on(const struct landing *l, struct vz_err *err);

#endif
