/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzcalc/ves.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "ve/ids.h"
#include "ve/state.h"
#include "ve/ubc.h"

#define UBC_FILE_MAX (256u << 20)
#define PAGE 4096u

struct counters {
	struct vz_ubc *v;
	size_t n;
};

static int parse_file(const char *path, struct counters *ret, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	int r = vz_read_file(path, UBC_FILE_MAX, &text, NULL);

	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path);
	r = vz_ubc_parse(text, &ret->v, &ret->n);
	return r ? vz_err_set(err, VZ_E_VALUE, 0,
			      "%s: it is not a user_beancounters file", path)
		 : 0;
}

static void set_unknown(struct vz_ubc *u)
{
	for (int i = 0; i < VZ_UBC__COUNT; i++)
		u->v[i] = (struct vz_ubc_value){ VZ_UBC_UNKNOWN, VZ_UBC_UNKNOWN,
						 VZ_UBC_UNKNOWN, VZ_UBC_UNKNOWN,
						 VZ_UBC_UNKNOWN };
}

/* Of a saved file, or the node's own: when these can't be read they are not known. */
static int read_counters(const struct vz_ctx *ctx, const char *file, struct counters *ret,
			 struct vz_err *err)
{
	struct vz_err why = { 0 };

	if (file)
		return parse_file(file, ret, err);
	if (vz_ubc_read(ctx, 0, true, &ret->v, &ret->n, &why))
		vz_warn(ctx, "%s", why.text);
	return 0;
}

static const struct vz_ubc *find(const struct counters *c, uint32_t id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].veid == id)
			return &c->v[i];
	return NULL;
}

/* Those of a file, or those that are found to run here. */
static int running_ids(const struct vz_ctx *ctx, const char *file,
		       const struct counters *c, struct vz_ids *ret)
{
	vz_autoids struct vz_ids active = { 0 };
	int r = file ? 0 : vz_ids_active(ctx, &active);

	for (size_t i = 0; !r && file && i < c->n; i++)
		if (c->v[i].veid)
			r = vz_ids_add(ret, c->v[i].veid);
	for (size_t i = 0; !r && i < active.n; i++)
		if (vz_state_running(ctx, active.v[i]) == 1)
			r = vz_ids_add(ret, active.v[i]);
	vz_ids_sort(ret);
	return r;
}

struct loader {
	const struct vz_ctx *ctx;
	struct vz_cfg *base; /* vz.conf */
	struct counters counters;
	struct vz_ids running;
};

static void loader_done(struct loader *l)
{
	vz_cfg_free(l->base);
	free(l->counters.v);
	vz_ids_done(&l->running);
}
#define vz_autoloader VZ_CLEANUP(loader_done)

static int loader_init(struct loader *l, const struct vz_ctx *ctx, const char *file,
		       struct vz_err *err)
{
	int r = read_counters(ctx, file, &l->counters, err);

	l->ctx = ctx;
	if (!r)
		r = vz_cfg_load_global(ctx, &l->base, err);
	if (!r && running_ids(ctx, file, &l->counters, &l->running))
		r = vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't list the VEs that run");
	return r;
}

static int read_config(const struct loader *l, struct ve *ve, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", l->ctx->confdir, ve->id);
	vz_autoconf struct vz_conf *conf = NULL;
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r;

	if (!path || vz_cfg_copy(l->base, &cfg))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't load VE %u",
				  ve->id);
	r = vz_conf_load(l->ctx, path, &conf, err);
	if (!r)
		r = vz_cfg_read(cfg, l->ctx, conf, false, 0, err);
	if (r)
		return r;
	ve->defined = true;
	snprintf(ve->reserve.pool, sizeof(ve->reserve.pool), "%s",
		 vz_cfg_str(cfg, VZ_P_POOL) ?: "");
	ve->reserve.veid = ve->id;
	ve->reserve.want[VZ_RESERVE_CPU] = vz_cfg_u64(cfg, VZ_P_CPURESERVE);
	ve->reserve.want[VZ_RESERVE_MEM] = vz_cfg_u64(cfg, VZ_P_MEMRESERVE) * PAGE;
	vz_plan_limits(cfg, &ve->ubc);
	vz_plan_of_cfg(cfg, &ve->plan);
	return 0;
}

/* One VE, from its configuration, its counters, or both. */
static int load(const struct loader *l, uint32_t id, struct ve *ret, struct vz_err *err)
{
	const struct vz_ubc *counted = find(&l->counters, id);
	struct ve ve = { .id = id, .running = vz_ids_has(&l->running, id) };
	int r = read_config(l, &ve, err);

	if (r && (r != -ENOENT || !ve.running))
		return r;
	vz_err_clear(err);
	if (ve.running && counted)
		ve.ubc = *counted;
	else if (!ve.defined)
		set_unknown(&ve.ubc);
	ve.ubc.veid = id;
	if (!ve.defined)
		vz_plan_of_ubc(&ve.ubc, &ve.plan);
	if (ve.running)
		vz_plan_current(&ve.ubc, &ve.plan);
	*ret = ve;
	return 0;
}

int ves_load_one(const struct vz_ctx *ctx, const char *ubc_file, uint32_t id,
		 struct ve *ret, struct vz_err *err)
{
	vz_autoloader struct loader l = { 0 };
	int r = loader_init(&l, ctx, ubc_file, err);

	return r ? r : load(&l, id, ret, err);
}

/* A broken configuration is left out, and said to be. */
static void load_all(const struct loader *l, const struct vz_ids *ids, struct ves *ret)
{
	struct vz_err err = { 0 };

	for (size_t i = 0; i < ids->n; i++) {
		if (load(l, ids->v[i], &ret->v[ret->n], &err)) {
			vz_warn(l->ctx, "VE %u is left out: %s", ids->v[i], err.text);
			ret->partial = true;
			continue;
		}
		ret->running += ret->v[ret->n++].running;
	}
}

int ves_load(const struct vz_ctx *ctx, const char *ubc_file, enum ves_which which,
	     struct ves *ret, struct vz_err *err)
{
	vz_autoloader struct loader l = { 0 };
	vz_autoids struct vz_ids ids = { 0 };
	int r = loader_init(&l, ctx, ubc_file, err);

	if (r)
		return r;
	if (which == VES_ALL)
		r = vz_ids_defined(ctx, &ids);
	for (size_t i = 0; !r && i < l.running.n; i++)
		r = vz_ids_add(&ids, l.running.v[i]);
	vz_ids_sort(&ids);
	ret->v = r ? NULL : calloc(ids.n + 1, sizeof(*ret->v));
	if (!ret->v)
		return vz_err_set(err, VZ_E_SYSTEM, r ? -r : ENOMEM, "can't list VEs");
	load_all(&l, &ids, ret);
	return 0;
}

void ves_done(struct ves *ves)
{
	free(ves->v);
}

void ves_unknown(const struct vz_ubc *u, struct vz_str *out)
{
	static const enum vz_ubc_id used[] = {
		VZ_UBC_KMEMSIZE,     VZ_UBC_TCPSNDBUF,	 VZ_UBC_TCPRCVBUF,
		VZ_UBC_OTHERSOCKBUF, VZ_UBC_DGRAMRCVBUF, VZ_UBC_PHYSPAGES,
		VZ_UBC_OOMGUARPAGES, VZ_UBC_PRIVVMPAGES, VZ_UBC_NUMPROC,
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(used); i++)
		if (u->v[used[i]].held == VZ_UBC_UNKNOWN)
			vz_str_addf(out, "%s%s", out->len ? ", " : "",
				    vz_ubc_descs[used[i]].name);
}
