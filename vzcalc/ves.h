/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZCALC_VES_H
#define VZCALC_VES_H

/* The VEs of a node as planning sees them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "res/plan.h"
#include "ve/reserve.h"

struct ve {
	uint32_t id;
	bool defined; /* it has a configuration here */
	bool running;
	struct vz_ubc ubc; /* the counters; those of its configuration when it is down */
	struct vz_reserve reserve; /* of its configuration */
	struct vz_plan plan; /* its configuration's, and what is current */
};

struct ves {
	struct ve *v;
	size_t n, running;
	bool partial; /* a configuration could not be read: it is left out */
};

/* Which VEs there are: those that run, or the defined ones too. */
enum ves_which {
	VES_RUNNING,
	VES_ALL,
};

/*
 * ubc_file: a saved user_beancounters, whose VEs are those that run; NULL: this
 * node's. What nobody counts of a VE that runs is not known.
 */
int ves_load(const struct vz_ctx *ctx, const char *ubc_file, enum ves_which which,
	     struct ves *ret, struct vz_err *err);
/* One VE (VZ_E_NOCONF). */
int ves_load_one(const struct vz_ctx *ctx, const char *ubc_file, uint32_t id,
		 struct ve *ret, struct vz_err *err);
void ves_done(struct ves *ves);
#define vz_autoves VZ_CLEANUP(ves_done)

/* The names of the counters that the plan needs and that nobody knows of a VE. */
void ves_unknown(const struct vz_ubc *u, struct vz_str *out);

#endif
