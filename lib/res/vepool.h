/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_VEPOOL_H
#define VZ_RES_VEPOOL_H

#include "res/cfg.h"
#include "res/word.h"

/*
 * A pool of VEs, as CONFDIR/pools/NAME.conf has it: limits, shares and a
 * reservation that its VEs have together. VEs name it by POOL.
 */
struct vz_vepool {
	char name[VZ_POOLNAME_MAX + 1];
	struct vz_cfg *cfg; /* of its own file alone: vz.conf's defaults are VEs' */
	/* VEs may reserve more than the pool: the rest is taken from the node. */
	bool expandable;
};

/* VZ_E_BADCONF: there is none, or its file has a bad value or a key of no pool. */
int vz_vepool_load(const struct vz_ctx *ctx, const char *name, struct vz_vepool *ret,
		   struct vz_err *err);
/* The same from a file in memory; and the path of a pool's, freed by the caller. */
int vz_vepool_read(const struct vz_ctx *ctx, const char *name, const struct vz_conf *conf,
		   struct vz_vepool *ret, struct vz_err *err);
int vz_vepool_file(const struct vz_ctx *ctx, const char *name, char **ret,
		   struct vz_err *err);
/* Whether the pool that a VE's configuration names, if it does, is there: VZ_E_VALUE. */
int vz_vepool_check(const struct vz_ctx *ctx, const struct vz_cfg *cfg,
		    struct vz_err *err);
void vz_vepool_done(struct vz_vepool *p);
#define vz_autovepool VZ_CLEANUP(vz_vepool_done)

struct vz_vepools {
	struct vz_vepool *v;
	size_t n;
};

/* All that there are, by name; a bad file is a warning. */
int vz_vepools_load(const struct vz_ctx *ctx, struct vz_vepools *ret, struct vz_err *err);
const struct vz_vepool *vz_vepools_find(const struct vz_vepools *l, const char *name);
void vz_vepools_done(struct vz_vepools *l);
#define vz_autovepools VZ_CLEANUP(vz_vepools_done)

/* Whether a parameter is one of pools. */
bool vz_vepool_takes(enum vz_param_id id);
#define VZ_VEPOOL_EXPANDABLE "EXPANDABLE" /* yes or no: the one key of pools alone */

#endif
