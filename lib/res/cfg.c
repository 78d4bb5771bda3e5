/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/cfg.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "res/cfg_priv.h"

void vz_cfg_free(struct vz_cfg *cfg)
{
	if (!cfg)
		return;
	for (size_t i = 0; i < VZ_P__COUNT; i++) {
		vz_value_done(&cfg->v[i].value);
		free(cfg->v[i].path);
	}
	free(cfg);
}

/* "$VEID" and "${VEID}" by the number, in a path. */
static char *expand(const char *s, uint32_t veid)
{
	vz_autostr struct vz_str b = { 0 };
	size_t n;

	for (; *s; s += n) {
		n = strcspn(s, "$");
		vz_str_addn(&b, s, n);
		s += n;
		n = !strncmp(s, "${VEID}", 7) ? 7 : !strncmp(s, "$VEID", 5) ? 5 : !!*s;
		if (n > 1)
			vz_str_addf(&b, "%u", veid);
		else
			vz_str_addn(&b, s, n);
	}
	return vz_str_steal(&b);
}

int vz_cfg_put(struct vz_cfg *cfg, enum vz_param_id id, enum vz_origin origin,
	       struct vz_value *value)
{
	struct vz_cfg_entry *e = &cfg->v[id];
	char *path = NULL;

	if (vz_params[id].type == VZ_T_PATH && value->str) {
		path = expand(value->str, cfg->veid);
		if (!path)
			return -ENOMEM;
	}
	vz_value_done(&e->value);
	free(e->path);
	e->path = path;
	e->value = *value;
	*value = (struct vz_value){ 0 };
	e->origin = origin;
	return 0;
}

static int put_default(struct vz_cfg *cfg, enum vz_param_id id)
{
	const struct vz_param *p = &vz_params[id];
	vz_autovalue struct vz_value v = { 0 };
	int r = 0;

	if (p->type == VZ_T_LIMIT)
		v.limit = (struct vz_limit){ VZ_UNLIMITED, VZ_UNLIMITED };
	if (p->def)
		r = vz_value_parse(p, 0, p->def, &v);
	return r ? r : vz_cfg_put(cfg, id, VZ_ORIGIN_NONE, &v);
}

int vz_cfg_new(uint32_t veid, struct vz_cfg **ret)
{
	vz_autocfg struct vz_cfg *cfg = calloc(1, sizeof(*cfg));
	int r = 0;

	if (!cfg)
		return -ENOMEM;
	cfg->veid = veid;
	for (int i = 0; !r && i < VZ_P__COUNT; i++)
		r = put_default(cfg, i);
	if (!r)
		*ret = vz_take(cfg);
	return r;
}

int vz_cfg_unset(struct vz_cfg *cfg, enum vz_param_id id)
{
	return put_default(cfg, id);
}

int vz_cfg_copy(const struct vz_cfg *cfg, struct vz_cfg **ret)
{
	vz_autocfg struct vz_cfg *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->veid = cfg->veid;
	for (int i = 0; i < VZ_P__COUNT; i++) {
		vz_autovalue struct vz_value v = { 0 };

		if (vz_value_copy(&cfg->v[i].value, &v) ||
		    vz_cfg_put(c, i, cfg->v[i].origin, &v))
			return -ENOMEM;
	}
	*ret = vz_take(c);
	return 0;
}

static int bad_value(const struct vz_conf *conf, const char *key,
		     const struct vz_param *p, struct vz_err *err)
{
	vz_autostr struct vz_str want = { 0 };

	vz_param_expected(p, &want);
	return vz_err_set(err, VZ_E_BADCONF, 0, "%s:%d: %s=\"%.80s\": expected %s",
			  vz_conf_path(conf), vz_conf_line(conf, key), key,
			  vz_conf_get(conf, key), want.s ? want.s : "?");
}

/* An alias and its key in one file: the later line counts. */
static bool overruled(const struct vz_conf *conf, const struct vz_param *p,
		      const char *key)
{
	int line = vz_conf_line(conf, key);

	if (vz_conf_line(conf, p->key) > line)
		return true;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(p->alias); i++)
		if (p->alias[i] && vz_conf_line(conf, p->alias[i]) > line)
			return true;
	return false;
}

static int read_key(struct vz_cfg *cfg, const struct vz_ctx *ctx,
		    const struct vz_conf *conf, const char *key, bool global,
		    unsigned int flags, struct vz_err *err)
{
	enum vz_origin origin = global ? VZ_ORIGIN_GLOBAL : VZ_ORIGIN_OWN;
	const char *text = vz_conf_get(conf, key);
	vz_autovalue struct vz_value v = { 0 };
	int id = vz_param_by_key(key), r;
	const struct vz_param *p = &vz_params[id < 0 ? 0 : id];

	if (id < 0 && flags & VZ_CFG_STRICT)
		return vz_err_set(err, VZ_E_BADCONF, 0, "%s:%d: unknown key %s",
				  vz_conf_path(conf), vz_conf_line(conf, key), key);
	if (id < 0 || overruled(conf, p, key))
		return 0;
	r = vz_value_parse(p, 0, text, &v);
	/* OpenVZ wrote KEY="" for what was emptied. */
	if (r == -EINVAL && !*text)
		return 0;
	if (r == -ENOMEM)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "%s", vz_conf_path(conf));
	if (r)
		return bad_value(conf, key, p, err);
	if (p->scope == (global ? VZ_SCOPE_VE : VZ_SCOPE_GLOBAL)) {
		vz_debug(ctx, "%s:%d: %s counts in %s only", vz_conf_path(conf),
			 vz_conf_line(conf, key), key,
			 global ? "a VE's file" : "vz.conf");
		return 0;
	}
	r = vz_cfg_put(cfg, id, origin, &v);
	return r ? vz_err_set(err, VZ_E_RESOURCES, -r, "%s", vz_conf_path(conf)) : 0;
}

int vz_cfg_read(struct vz_cfg *cfg, const struct vz_ctx *ctx, const struct vz_conf *conf,
		bool global, unsigned int flags, struct vz_err *err)
{
	const char *key;
	int r = 0;

	for (size_t i = 0; !r && (key = vz_conf_key(conf, i)); i++)
		r = read_key(cfg, ctx, conf, key, global, flags, err);
	return r;
}

static int read_file(struct vz_cfg *cfg, const struct vz_ctx *ctx, const char *path,
		     bool global, struct vz_err *err)
{
	vz_autoconf struct vz_conf *conf = NULL;
	int r = vz_conf_load(ctx, path, &conf, err);

	return r ? r : vz_cfg_read(cfg, ctx, conf, global, 0, err);
}

static int load_global(const struct vz_ctx *ctx, uint32_t veid, struct vz_cfg **ret,
		       struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r = path ? vz_cfg_new(veid, &cfg) : -ENOMEM;

	if (r)
		return vz_err_set(err, VZ_E_RESOURCES, -r, "can't load vz.conf");
	r = read_file(cfg, ctx, path, true, err);
	if (r == -ENOENT && err)
		err->status = VZ_E_NOGLOBAL;
	if (!r)
		*ret = vz_take(cfg);
	return r;
}

int vz_cfg_load_global(const struct vz_ctx *ctx, struct vz_cfg **ret, struct vz_err *err)
{
	return load_global(ctx, 0, ret, err);
}

static int load_above(const struct vz_ctx *ctx, uint32_t veid, const char *path,
		      struct vz_cfg **ret, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r = path ? load_global(ctx, veid, &cfg, err)
		     : vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't load a file");

	if (!r)
		r = read_file(cfg, ctx, path, false, err);
	if (!r)
		*ret = vz_take(cfg);
	return r;
}

int vz_cfg_load_ve(const struct vz_ctx *ctx, uint32_t veid, struct vz_cfg **ret,
		   struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, veid);

	return load_above(ctx, veid, path, ret, err);
}

int vz_cfg_load_sample(const struct vz_ctx *ctx, const char *name, uint32_t veid,
		       struct vz_cfg **ret, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/ve-%s.conf-sample", ctx->confdir, name);

	if (!*name || strchr(name, '/'))
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "bad name of a sample '%.80s': expected one without "
				  "directories",
				  name);
	return load_above(ctx, veid, path, ret, err);
}

bool vz_cfg_has(const struct vz_cfg *cfg, enum vz_param_id id)
{
	return cfg->v[id].origin != VZ_ORIGIN_NONE;
}

bool vz_cfg_own(const struct vz_cfg *cfg, enum vz_param_id id)
{
	return cfg->v[id].origin == VZ_ORIGIN_OWN;
}

bool vz_cfg_bool(const struct vz_cfg *cfg, enum vz_param_id id)
{
	assert(vz_params[id].type == VZ_T_BOOL);
	return cfg->v[id].value.num;
}

uint64_t vz_cfg_u64(const struct vz_cfg *cfg, enum vz_param_id id)
{
	enum vz_type t = vz_params[id].type;

	assert(t == VZ_T_NUM || t == VZ_T_SIZE || t == VZ_T_MILLI || t == VZ_T_ENUM);
	return cfg->v[id].value.num;
}

const char *vz_cfg_str(const struct vz_cfg *cfg, enum vz_param_id id)
{
	assert(vz_params[id].type == VZ_T_STR || vz_params[id].type == VZ_T_PATH);
	return cfg->v[id].path ? cfg->v[id].path : cfg->v[id].value.str;
}

const struct vz_strv *vz_cfg_list(const struct vz_cfg *cfg, enum vz_param_id id)
{
	assert(vz_params[id].type == VZ_T_LIST);
	return &cfg->v[id].value.list;
}

bool vz_cfg_vswap(const struct vz_cfg *cfg)
{
	return vz_cfg_has(cfg, VZ_P_PHYSPAGES) && vz_cfg_has(cfg, VZ_P_SWAPPAGES) &&
	       cfg->v[VZ_P_PHYSPAGES].value.limit.limit != VZ_UNLIMITED;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t s;

	if (a >= VZ_UNLIMITED || b >= VZ_UNLIMITED || __builtin_add_overflow(a, b, &s))
		return VZ_UNLIMITED;
	return s < VZ_UNLIMITED ? s : VZ_UNLIMITED;
}

/* (ram + swap) times vm_overcommit, or unlimited. */
static uint64_t overcommitted(uint64_t total, uint64_t factor)
{
	__uint128_t v = (__uint128_t)total * factor / 1000;

	return !factor || total == VZ_UNLIMITED || v > VZ_UNLIMITED ? VZ_UNLIMITED : v;
}

bool vz_cfg_implied(enum vz_param_id id, uint64_t ram, uint64_t swap, uint64_t factor,
		    struct vz_limit *ret)
{
	uint64_t total = sum(ram, swap), over = overcommitted(total, factor);

	switch (id) {
	case VZ_P_LOCKEDPAGES:
		*ret = (struct vz_limit){ ram, ram };
		return true;
	case VZ_P_OOMGUARPAGES:
		*ret = (struct vz_limit){ ram, VZ_UNLIMITED };
		return true;
	case VZ_P_VMGUARPAGES:
		*ret = (struct vz_limit){ total, VZ_UNLIMITED };
		return true;
	case VZ_P_PRIVVMPAGES:
		*ret = (struct vz_limit){ over, over };
		return true;
	default:
		return false;
	}
}

struct vz_limit vz_cfg_limit(const struct vz_cfg *cfg, enum vz_param_id id)
{
	struct vz_limit v = cfg->v[id].value.limit;

	assert(vz_params[id].type == VZ_T_LIMIT);
	if (!vz_cfg_has(cfg, id) && vz_cfg_vswap(cfg))
		vz_cfg_implied(id, cfg->v[VZ_P_PHYSPAGES].value.limit.limit,
			       cfg->v[VZ_P_SWAPPAGES].value.limit.limit,
			       vz_cfg_u64(cfg, VZ_P_VM_OVERCOMMIT), &v);
	return v;
}

char *vz_cfg_text(const struct vz_cfg *cfg, enum vz_param_id id)
{
	return vz_cfg_has(cfg, id) ? vz_value_format(&vz_params[id], &cfg->v[id].value)
				   : NULL;
}

bool vz_cfg_same(const struct vz_cfg *a, const struct vz_cfg *b, enum vz_param_id id)
{
	return vz_cfg_has(a, id) == vz_cfg_has(b, id) &&
	       vz_value_equal(&a->v[id].value, &b->v[id].value);
}
