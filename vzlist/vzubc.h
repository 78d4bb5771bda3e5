/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZUBC_H
#define VZUBC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "tool/ubcview.h"

struct options {
	bool watch, watch_diff, watch_bare;
	int watch_ms;
	bool colour, json, clear_failures, clear_helds, verbose, sources;
	const char *file; /* NULL: the VEs that run */
	const char *dir; /* of what is kept from run to run */
	struct vz_ubcview view;
	struct vz_strv words; /* VEIDs and names */
};

/* What was read, or kept from an earlier run. */
struct blocks {
	struct vz_ubc *v;
	size_t n;
};
void blocks_done(struct blocks *b);
const struct vz_ubc *blocks_find(const struct blocks *b, uint32_t veid);

/* ubcopt.c: 1: go on; 0: help or version were printed. VZ_E_SYNTAX. */
int options_parse(struct options *o, int argc, char **argv, struct vz_err *err);
void options_done(struct options *o);

/*
 * ubcsave.c: values of earlier runs, DIR/failcnt and DIR/held, each a text as
 * user_beancounters is.
 */
int kept_load(const char *dir, const char *name, struct blocks *ret, struct vz_err *err);
/* What of `now` is there is replaced, other VEs' stays. */
int kept_save(const char *dir, const char *name, const struct blocks *before,
	      const struct blocks *now, struct vz_err *err);
int kept_clear(const char *dir, const char *name, struct vz_err *err);

/* ubcjson.c: an array of the VEs. */
int json_print(const struct options *o, const struct blocks *b,
	       const struct blocks *failures, const struct blocks *helds);

/* ubcsources.c: where each counter comes from on this node. */
void sources_add(const struct vz_ctx *ctx, struct vz_frame *f);
int sources_print_json(const struct vz_ctx *ctx);

#endif
