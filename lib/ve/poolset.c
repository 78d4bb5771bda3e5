/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/poolset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "ve/balance.h"
#include "ve/poolgroup.h"
#include "ve/reserve.h"

/* One pool, before and after. */
struct poolset {
	const struct vz_ctx *ctx;
	const char *name;
	char *path;
	struct vz_conf *conf; /* as it will be */
	char *was; /* the file's text; NULL: there was none */
	struct vz_vepool old, new;
	struct vz_reserves list;
	struct vz_vepools pools; /* with the new one */
};

static void poolset_done(struct poolset *s)
{
	free(s->path);
	free(s->was);
	vz_conf_free(s->conf);
	vz_vepool_done(&s->old);
	vz_vepool_done(&s->new);
	vz_reserves_done(&s->list);
	vz_vepools_done(&s->pools);
}

static int no_memory(struct poolset *s, struct vz_err *err)
{
	return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't set pool %s", s->name);
}

/* The name is of the command line here. */
static int find_file(struct poolset *s, struct vz_err *err)
{
	int r = vz_vepool_file(s->ctx, s->name, &s->path, err);

	if (r && err)
		err->status = VZ_E_VALUE;
	return r;
}

static int open_file(struct poolset *s, bool create, struct vz_err *err)
{
	vz_autofree char *dir = vz_strf("%s/pools", s->ctx->confdir);
	int r = vz_conf_load(s->ctx, s->path, &s->conf, err);

	if (!r && create)
		return vz_err_set(err, VZ_E_VALUE, 0, "there is a pool %s already: %s",
				  s->name, s->path);
	if (r == -ENOENT && !create)
		return vz_err_set(err, VZ_E_NOCONF, 0, "there is no pool %s: no file %s",
				  s->name, s->path);
	if (r && r != -ENOENT)
		return r;
	if (r) {
		r = dir ? vz_mkdir_p(dir, 0755) : -ENOMEM;
		if (!r)
			r = vz_conf_new(s->path, &s->conf);
		return r ? vz_err_set(err, VZ_E_SAVE, -r, "can't make %s", s->path) : 0;
	}
	s->was = vz_conf_text(s->conf);
	return s->was ? vz_vepool_read(s->ctx, s->name, s->conf, &s->old, err)
		      : no_memory(s, err);
}

static int change(struct poolset *s, const struct vz_changes *changes,
		  const char *expandable, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r = s->old.cfg ? vz_cfg_copy(s->old.cfg, &cfg) : vz_cfg_new(0, &cfg);

	if (r)
		return no_memory(s, err);
	r = vz_cfg_change(cfg, changes, err);
	if (!r)
		r = vz_cfg_check(cfg, err);
	if (r)
		return r;
	if (vz_cfg_store(s->old.cfg, cfg, s->conf, NULL) ||
	    (expandable && vz_conf_set(s->conf, VZ_VEPOOL_EXPANDABLE, expandable)))
		return no_memory(s, err);
	return vz_vepool_read(s->ctx, s->name, s->conf, &s->new, err);
}

/* The pools as they will be. */
static int replace_pool(struct poolset *s)
{
	struct vz_vepool *p = NULL, *v;

	for (size_t i = 0; i < s->pools.n; i++)
		if (!strcmp(s->pools.v[i].name, s->name))
			p = &s->pools.v[i];
	if (!p) {
		v = reallocarray(s->pools.v, s->pools.n + 1, sizeof(*v));
		if (!v)
			return -ENOMEM;
		s->pools.v = v;
		p = &v[s->pools.n++];
		*p = (struct vz_vepool){ 0 };
	}
	vz_vepool_done(p);
	*p = s->new;
	p->cfg = NULL;
	return vz_cfg_copy(s->new.cfg, &p->cfg);
}

static int check(struct poolset *s, bool force, struct vz_err *err)
{
	struct vz_err why = { 0 };
	struct vz_capacity node;
	int r = vz_reserves_read(s->ctx, &s->list, err);

	if (!r)
		r = vz_vepools_load(s->ctx, &s->pools, err);
	if (!r && replace_pool(s))
		r = no_memory(s, err);
	if (!r)
		r = vz_capacity_read(s->ctx, &node, err);
	if (r)
		return r;
	r = vz_reserves_check_pool(&s->list, s->name, s->old.cfg ? &s->old : NULL,
				   &s->pools, &node, &why);
	if (r && force) {
		vz_warn(s->ctx, "%s", why.text);
		return 0;
	}
	if (r && err)
		*err = why;
	return r;
}

static bool is_used(const struct poolset *s)
{
	for (size_t i = 0; i < s->list.n; i++)
		if (!strcmp(s->list.v[i].pool, s->name))
			return true;
	return false;
}

static int lock(const struct poolset *s, int *ret_fd, struct vz_err *err)
{
	int r = vz_reserve_lock(s->ctx, ret_fd);

	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't lock %s/reserved",
			      s->ctx->rundir)
		 : 0;
}

/* Under the lock: the last VE in it takes the group with it. */
static int raise_group(struct poolset *s, const struct vz_cg_host *host,
		       const struct vz_cfg *cfg, struct vz_err *err)
{
	vz_autofd int fd = -1;
	int r = lock(s, &fd, err);

	if (r)
		return r;
	vz_reserves_done(&s->list);
	r = vz_reserves_read(s->ctx, &s->list, err);
	if (!r && is_used(s))
		r = vz_poolgroup_raise(s->ctx, host, cfg, s->name, err);
	return r;
}

/* What the file says, to the kernel. */
static int put_in_force(struct poolset *s, const struct vz_cfg *cfg, struct vz_err *err)
{
	struct vz_reserve changed = { 0 };
	struct vz_cg_host host;
	int r = vz_cg_probe(s->ctx, &host, err);

	snprintf(changed.pool, sizeof(changed.pool), "%s", s->name);
	/* So that what it may have given back counts. */
	changed.want[VZ_RESERVE_CPU] =
		s->old.cfg ? vz_cfg_u64(s->old.cfg, VZ_P_CPURESERVE) : 0;
	if (!r)
		r = raise_group(s, &host, cfg, err);
	return r ? r : vz_balance(s->ctx, &host, cfg, &changed, err);
}

static int check_and_save(struct poolset *s, bool force, struct vz_err *err)
{
	vz_autofd int fd = -1;
	int r = lock(s, &fd, err);

	if (!r)
		r = check(s, force, err);
	return r ? r : vz_conf_save(s->conf, NULL, err);
}

int vz_poolset(const struct vz_ctx *ctx, const struct vz_cfg *cfg, const char *name,
	       const struct vz_changes *changes, const char *expandable,
	       unsigned int flags, struct vz_err *err)
{
	VZ_CLEANUP(poolset_done) struct poolset s = { .ctx = ctx, .name = name };
	int r = find_file(&s, err);

	if (!r)
		r = open_file(&s, flags & VZ_POOLSET_CREATE, err);
	if (!r)
		r = change(&s, changes, expandable, err);
	if (!r)
		r = check_and_save(&s, flags & VZ_POOLSET_FORCE, err);
	if (r || !is_used(&s))
		return r;
	r = put_in_force(&s, cfg, err);
	if (r && s.was && !vz_replace_file(s.path, s.was, strlen(s.was), 0644))
		put_in_force(&s, cfg, NULL);
	return r;
}

int vz_poolset_remove(const struct vz_ctx *ctx, const char *name, struct vz_err *err)
{
	VZ_CLEANUP(poolset_done) struct poolset s = { .ctx = ctx, .name = name };
	vz_autofd int fd = -1;
	int r = find_file(&s, err);

	if (r)
		return r;
	r = lock(&s, &fd, err);
	if (!r)
		r = vz_reserves_read(ctx, &s.list, err);
	if (r)
		return r;
	if (is_used(&s))
		return vz_err_set(err, VZ_E_RUNNING, 0, "VEs run in pool %s", name);
	if (!unlink(s.path))
		return 0;
	return errno == ENOENT
		       ? vz_err_set(err, VZ_E_NOCONF, 0,
				    "there is no pool %s: no file %s", name, s.path)
		       : vz_err_set(err, VZ_E_SAVE, errno, "can't remove %s", s.path);
}
