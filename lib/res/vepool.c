/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/vepool.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool vz_vepool_takes(enum vz_param_id id)
{
	return vz_params[id].opt[0].name && vz_params[id].opt[0].cmds & VZ_OPT_POOL;
}

/* A word that nobody reads would be a limit that nobody keeps. */
static int check_keys(const struct vz_conf *conf, struct vz_err *err)
{
	const char *key;
	int id;

	for (size_t i = 0; (key = vz_conf_key(conf, i)); i++) {
		id = vz_param_by_key(key);
		if ((id >= 0 && vz_vepool_takes(id)) ||
		    !strcmp(key, VZ_VEPOOL_EXPANDABLE))
			continue;
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "%s:%d: a pool of VEs has no key %s",
				  vz_conf_path(conf), vz_conf_line(conf, key), key);
	}
	return 0;
}

static int read_expandable(const struct vz_conf *conf, bool *ret, struct vz_err *err)
{
	const char *text = vz_conf_get(conf, VZ_VEPOOL_EXPANDABLE);

	if (!text || !*text || !strcmp(text, "no"))
		return 0;
	*ret = !strcmp(text, "yes");
	return *ret ? 0
		    : vz_err_set(err, VZ_E_BADCONF, 0,
				 "%s:%d: %s=\"%.80s\": expected yes or no",
				 vz_conf_path(conf),
				 vz_conf_line(conf, VZ_VEPOOL_EXPANDABLE),
				 VZ_VEPOOL_EXPANDABLE, text);
}

int vz_vepool_read(const struct vz_ctx *ctx, const char *name, const struct vz_conf *conf,
		   struct vz_vepool *ret, struct vz_err *err)
{
	vz_autovepool struct vz_vepool p = { 0 };
	int r = vz_cfg_new(0, &p.cfg);

	if (r)
		return vz_err_set(err, VZ_E_RESOURCES, -r, "can't load pool %s", name);
	snprintf(p.name, sizeof(p.name), "%s", name);
	r = check_keys(conf, err);
	if (!r)
		r = read_expandable(conf, &p.expandable, err);
	if (!r)
		r = vz_cfg_read(p.cfg, ctx, conf, false, 0, err);
	if (r)
		return r;
	r = vz_cfg_check(p.cfg, err);
	if (r && err) {
		vz_err_prefix(err, "%s", vz_conf_path(conf));
		err->status = VZ_E_BADCONF;
	}
	if (r)
		return r;
	*ret = p;
	p.cfg = NULL;
	return 0;
}

int vz_vepool_file(const struct vz_ctx *ctx, const char *name, char **ret,
		   struct vz_err *err)
{
	vz_autostr struct vz_str checked = { 0 };

	/* It is a word of a file, on its way to become part of paths. */
	if (vz_word_poolname(name, &checked))
		return vz_err_set(err, VZ_E_BADCONF, 0, "bad name of a pool '%.80s'",
				  name);
	*ret = vz_strf("%s/pools/%s.conf", ctx->confdir, name);
	return *ret ? 0 : vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "pool %s", name);
}

int vz_vepool_load(const struct vz_ctx *ctx, const char *name, struct vz_vepool *ret,
		   struct vz_err *err)
{
	vz_autoconf struct vz_conf *conf = NULL;
	vz_autofree char *path = NULL;
	int r = vz_vepool_file(ctx, name, &path, err);

	if (r)
		return r;
	r = vz_conf_load(ctx, path, &conf, err);
	if (r == -ENOENT)
		return vz_err_set(err, VZ_E_BADCONF, 0, "there is no pool %s: no file %s",
				  name, path);
	return r ? r : vz_vepool_read(ctx, name, conf, ret, err);
}

int vz_vepool_check(const struct vz_ctx *ctx, const struct vz_cfg *cfg,
		    struct vz_err *err)
{
	const char *name = vz_cfg_str(cfg, VZ_P_POOL);
	vz_autovepool struct vz_vepool pool = { 0 };
	int r = name && *name ? vz_vepool_load(ctx, name, &pool, err) : 0;

	if (r && err)
		err->status = VZ_E_VALUE;
	return r;
}

void vz_vepool_done(struct vz_vepool *p)
{
	vz_cfg_free(p->cfg);
	p->cfg = NULL;
}

static int is_conf(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return *e->d_name != '.' && dot && !strcmp(dot, ".conf");
}

int vz_vepools_load(const struct vz_ctx *ctx, struct vz_vepools *ret, struct vz_err *err)
{
	vz_autofree char *dir = vz_strf("%s/pools", ctx->confdir);
	struct vz_vepools l = { 0 };
	struct dirent **e = NULL;
	struct vz_err why;
	int n = dir ? scandir(dir, &e, is_conf, alphasort) : -1, r = 0;

	if (n < 0 && dir && errno == ENOENT)
		n = 0;
	l.v = n < 0 ? NULL : calloc(n + 1, sizeof(*l.v));
	if (!l.v)
		r = vz_err_set(err, VZ_E_SYSTEM, errno, "can't read the pools of VEs");
	for (int i = 0; i < n; i++) {
		e[i]->d_name[strlen(e[i]->d_name) - strlen(".conf")] = 0;
		/* One that is broken breaks its own VEs, and no other. */
		if (!r && !vz_vepool_load(ctx, e[i]->d_name, &l.v[l.n], &why))
			l.n++;
		else if (!r)
			vz_warn(ctx, "%s", why.text);
		free(e[i]);
	}
	free(e);
	if (r)
		vz_vepools_done(&l);
	else
		*ret = l;
	return r;
}

const struct vz_vepool *vz_vepools_find(const struct vz_vepools *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

void vz_vepools_done(struct vz_vepools *l)
{
	for (size_t i = 0; i < l->n; i++)
		vz_vepool_done(&l->v[i]);
	free(l->v);
	*l = (struct vz_vepools){ 0 };
}
