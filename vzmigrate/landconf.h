/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_LANDCONF_H
#define VZMIGRATE_LANDCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "res/cfg.h"

/* A VE's configuration as it will be here, from the text that the source sent. */
struct landing_conf {
	struct vz_cfg *was, *cfg; /* as sent; as it will be */
	struct vz_conf *conf; /* the file in memory, as sent */
};
void landing_conf_done(struct landing_conf *c);
#define autolanding_conf VZ_CLEANUP(landing_conf_done)
/*
 * moved: VE_ROOT and VE_PRIVATE are where the source's vz.conf puts them, and go
 * where ours does. MIG_E_CONFIG, MIG_E_REMOTECONF (our vz.conf).
 */
int landing_conf_read(const struct vz_ctx *ctx, uint32_t veid, const char *text,
		      bool moved, struct landing_conf *ret, struct vz_err *err);

#endif
