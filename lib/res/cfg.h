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

/* How strict a load is. */
enum vz_cfg_flags {
	VZ_CFG_STRICT = 1 << 0, /* an unknown key is an error */
};

/* vz.conf alone (VZ_E_NOGLOBAL when it is missing). Freed by vz_cfg_free(). */
int vz_cfg_load_global(const struct vz_ctx *ctx, struct vz_cfg **ret, struct vz_err *err);
/* vz.conf and conf/VEID.conf (VZ_E_NOCONF), `$VEID` in paths expanded. */
int vz_cfg_load_ve(const struct vz_ctx *ctx, uint32_t veid, struct vz_cfg **ret,
		   struct vz_err *err);
/* vz.conf and conf/ve-NAME.conf-sample (VZ_E_NOCONF), for VE `veid`. */
int vz_cfg_load_sample(const struct vz_ctx *ctx, const char *name, uint32_t veid,
		       struct vz_cfg **ret, struct vz_err *err);
/*
 * Defaults only, then any files one above the other: what the functions above
 * are made of. `global`: it stands for vz.conf.
 */
int vz_cfg_new(uint32_t veid, struct vz_cfg **ret);
int vz_cfg_read(struct vz_cfg *cfg, const struct vz_ctx *ctx, const struct vz_conf *conf,
		bool global, unsigned int flags, struct vz_err *err);
int vz_cfg_copy(const struct vz_cfg *cfg, struct vz_cfg **ret);
void vz_cfg_free(struct vz_cfg *cfg);
static inline void vz_cfg_freep(struct vz_cfg **c)
{
	vz_cfg_free(*c);
}
#define vz_autocfg VZ_CLEANUP(vz_cfg_freep)

/* Whether the VE's file (or the command line, or vz.conf) gives a value. */
bool vz_cfg_has(const struct vz_cfg *cfg, enum vz_param_id id);

/* Whether the VE's own file or the command line gives it, not vz.conf. */
bool vz_cfg_own(const struct vz_cfg *cfg, enum vz_param_id id);

/*
 * The value in force: the VE's, else vz.conf's, else the row's default. Each
 * asserts that the row is of its type. Strings and lists belong to cfg.
 */
bool vz_cfg_bool(const struct vz_cfg *cfg, enum vz_param_id id);
uint64_t vz_cfg_u64(const struct vz_cfg *cfg, enum vz_param_id id); /* also enums */
struct vz_limit vz_cfg_limit(const struct vz_cfg *cfg, enum vz_param_id id);
const char *vz_cfg_str(const struct vz_cfg *cfg, enum vz_param_id id); /* NULL: unset */
const struct vz_strv *vz_cfg_list(const struct vz_cfg *cfg, enum vz_param_id id);

/* The value as a file has it, to be freed by the caller; NULL: unset. */
char *vz_cfg_text(const struct vz_cfg *cfg, enum vz_param_id id);
/* Whether a parameter has one and the same value in both. */
bool vz_cfg_same(const struct vz_cfg *a, const struct vz_cfg *b, enum vz_param_id id);

/* A limit on memory, not the beancounters of old, rules the VE. */
bool vz_cfg_vswap(const struct vz_cfg *cfg);
/*
 * With ram and swap (in pages) set, what other counters are when they are not;
 * factor is vm_overcommit in thousandths. False: nothing follows for this one.
 */
bool vz_cfg_implied(enum vz_param_id id, uint64_t ram, uint64_t swap, uint64_t factor,
		    struct vz_limit *ret);

/* Set from text as a file has it (VZ_E_VALUE); NULL unsets. */
int vz_cfg_set(struct vz_cfg *cfg, enum vz_param_id id, const char *text,
	       struct vz_err *err);

/* What a command line says, in its order; the texts are the caller's. */
struct vz_change {
	enum vz_param_id id;
	const struct vz_param_opt *opt;
	const char *text;
};
struct vz_changes {
	struct vz_change *v;
	size_t n;
};
int vz_changes_add(struct vz_changes *c, enum vz_param_id id,
		   const struct vz_param_opt *opt, const char *text);
void vz_changes_done(struct vz_changes *c);
#define vz_autochanges VZ_CLEANUP(vz_changes_done)
/* Do them: what deletes first, as vzctl 4 does. */
int vz_cfg_change(struct vz_cfg *cfg, const struct vz_changes *c, struct vz_err *err);

/*
 * Put what differs between old and new (NULL: all that new has of its own)
 * into a file in memory. *ret_changed counts the keys; may be NULL.
 */
int vz_cfg_store(const struct vz_cfg *old, const struct vz_cfg *new, struct vz_conf *conf,
		 unsigned int *ret_changed);

/* Rules over the whole of a configuration (VZ_E_VALUE). Pure. */
int vz_cfg_check(const struct vz_cfg *cfg, struct vz_err *err);

/* The uid and gid range: first id on the host; 0 is a privileged VE. */
#define VZ_ID_RANGE 65536u

#endif
