/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_CFG_H
#define VZ_RES_CFG_H

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/conf.h"
#include "res/param.h"
#include "res/ubc.h"

/*
 * The typed values of every parameter: vz.conf below, a VE's file or the
 * command line above. Old and new configurations are two of these.
 */
struct vz_cfg;

/* vz.conf alone (VZ_E_NOGLOBAL when it is missing). Freed by vz_cfg_free(). */
int vz_cfg_load_global(const struct vz_ctx *ctx, struct vz_cfg **ret, struct vz_err *err);
/* vz.conf and conf/VEID.conf (VZ_E_NOCONF), `$VEID` in paths expanded. */
int vz_cfg_load_ve(const struct vz_ctx *ctx, uint32_t veid, struct vz_cfg **ret,
		   struct vz_err *err);
int vz_cfg_copy(const struct vz_cfg *cfg, struct vz_cfg **ret);
void vz_cfg_free(struct vz_cfg *cfg);
static inline void vz_cfg_freep(struct vz_cfg **c)
{
	vz_cfg_free(*c);
}
#define vz_autocfg VZ_CLEANUP(vz_cfg_freep)

/* Whether the VE's file (or the command line, or vz.conf) gives a value. */
bool vz_cfg_has(const struct vz_cfg *cfg, enum vz_param_id id);

/*
 * The value in force: the VE's, else vz.conf's, else the row's default. Each
 * asserts that the row is of its type. Strings and lists belong to cfg.
 */
bool vz_cfg_bool(const struct vz_cfg *cfg, enum vz_param_id id);
uint64_t vz_cfg_u64(const struct vz_cfg *cfg, enum vz_param_id id); /* also enums */
struct vz_limit vz_cfg_limit(const struct vz_cfg *cfg, enum vz_param_id id);
const char *vz_cfg_str(const struct vz_cfg *cfg, enum vz_param_id id); /* NULL: unset */
const struct vz_strv *vz_cfg_list(const struct vz_cfg *cfg, enum vz_param_id id);

/* The uid and gid range: first id on the host; 0 is a privileged VE. */
#define VZ_ID_RANGE 65536u

#endif
