/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_CFGFILE_H
#define VZ_TOOL_CFGFILE_H

#include "res/cfg.h"

/* A configuration in any file, above vz.conf where there is one. */
struct vz_cfgfile {
	struct vz_conf *conf;
	struct vz_cfg *cfg;
};

int vz_cfgfile_load(const struct vz_ctx *ctx, const char *path, struct vz_cfgfile *ret,
		    struct vz_err *err);
/*
 * Put what differs from f->cfg into the file, or all of it so changed into
 * another one (to: NULL, the same file; "-": standard output).
 */
int vz_cfgfile_save(struct vz_cfgfile *f, const struct vz_cfg *changed, const char *to,
		    struct vz_err *err);
void vz_cfgfile_done(struct vz_cfgfile *f);
#define vz_autocfgfile VZ_CLEANUP(vz_cfgfile_done)

#endif
