/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_CFG_PRIV_H
#define VZ_RES_CFG_PRIV_H

/* Inside lib/res: what a configuration is made of. */
#include "res/cfg.h"
#include "res/value.h"

enum vz_origin {
	VZ_ORIGIN_NONE, /* the row's default */
	VZ_ORIGIN_GLOBAL, /* vz.conf */
	VZ_ORIGIN_OWN, /* the VE's file or the command line */
};

struct vz_cfg_entry {
	enum vz_origin origin;
	struct vz_value value;
	char *path; /* PATH: with `$VEID` expanded */
};

struct vz_cfg {
	uint32_t veid;
	struct vz_cfg_entry v[VZ_P__COUNT];
};

/* Take a value over (it is then empty). 0 or -ENOMEM. */
int vz_cfg_put(struct vz_cfg *cfg, enum vz_param_id id, enum vz_origin origin,
	       struct vz_value *value);
/* Back to the default. */
int vz_cfg_unset(struct vz_cfg *cfg, enum vz_param_id id);

#endif
