/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "sys/hold.h"
#include "ve/backup.h"
#include "ve/create.h"
#include "ve/layout.h"
#include "ve/mount.h"

/*
 * What made the VE another machine's: the host's ids, and paths that have the old
 * number in them. A privileged VE stays one.
 */
static int adapt(struct vz_conf *conf, uint32_t was, uint32_t id, const char *layout)
{
	static const char *const ids[] = { "LOCAL_UID", "LOCAL_GID" };
	static const char *const paths[] = { "VE_ROOT", "VE_PRIVATE" };
	const char *value;
	int r = 0;

	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(ids); i++) {
		value = vz_conf_get(conf, ids[i]);
		if (value && strcmp(value, "0"))
			r = vz_conf_set(conf, ids[i], NULL);
	}
	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(paths); i++) {
		value = vz_conf_get(conf, paths[i]);
		if (value && was != id && !strstr(value, "$VEID"))
			r = vz_conf_set(conf, paths[i], NULL);
	}
	return r ? r : vz_conf_set(conf, "VE_LAYOUT", layout);
}

static int make_base(const struct vz_ctx *ctx, uint32_t id, uint32_t was,
		     const char *layout, const char *text, struct vz_create_base *ret,
		     struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, id);
	vz_autofree char *global = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autoconf struct vz_conf *base = NULL;
	int r = path && global ? vz_conf_load(ctx, global, &base, err) : -ENOMEM;

	if (!r)
		r = vz_conf_parse(ctx, path, text, strlen(text), &ret->conf, err);
	if (!r && adapt(ret->conf, was, id, layout))
		r = vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't make a configuration");
	if (!r)
		r = vz_cfg_new(id, &ret->cfg);
	if (!r)
		r = vz_cfg_read(ret->cfg, ctx, base, true, 0, err);
	if (!r)
		r = vz_cfg_read(ret->cfg, ctx, ret->conf, false, 0, err);
	return r;
}

/* --- the chain --- */

/* One that is being restored. */
struct restore {
	const struct vz_ctx *ctx;
	struct vz_backup_chain chain;
	struct vz_findex index; /* of the last one: where each file is */
	struct vz_create_part *part;
	struct source {
		const struct vz_findex *index;
		uint32_t number;
		uint64_t n; /* files that it gave */
	} * source;
	struct vz_unpacked over; /* what it is to lie over */
};

static void restore_done(struct restore *r)
{
	vz_backup_close_chain(&r->chain);
	vz_findex_done(&r->index);
	vz_unpacked_release(&r->over);
	free(r->part);
	free(r->source);
}

static const struct vz_backup_file *last_of(const struct restore *r)
{
	return &r->chain.v[r->chain.n - 1];
}

static bool is_of_source(void *data, const char *path)
{
	struct source *s = data;
	const struct vz_findex_entry *e = vz_findex_find(s->index, path);
	bool wanted = e && e->archive == s->number;

	s->n += wanted;
	return wanted;
}

/* Each gave what the last one says that it has. */
static int check_whole(void *data, struct vz_err *err)
{
	const struct restore *r = data;

	for (size_t i = 0; i + 1 < r->chain.n; i++)
		if (r->source[i].n != vz_findex_count(&r->index, i))
			return vz_err_set(err, VZ_E_BADTEMPLATE, EBADMSG,
					  "%s lacks files that %s has from it",
					  r->chain.v[i].path, last_of(r)->path);
	return 0;
}

/* All of the last one, and from those before it what it does not have itself. */
static int plan(struct restore *r, struct vz_err *err)
{
	size_t n = r->chain.n;
	int e = n > 1 ? vz_backup_read_index(last_of(r)->path, &r->index, err) : 0;

	if (e)
		return e;
	r->part = calloc(n, sizeof(*r->part));
	r->source = calloc(n, sizeof(*r->source));
	if (!r->part || !r->source)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't restore");
	for (size_t i = 0; i < n; i++) {
		r->part[i].file = r->chain.v[i].path;
		if (i == n - 1)
			break;
		r->source[i] = (struct source){ &r->index, i, 0 };
		r->part[i].want = is_of_source;
		r->part[i].data = &r->source[i];
	}
	return 0;
}

/* --- what it lies over --- */

static int tick(void *data, uint64_t done)
{
	return vz_hold_struck() ? -EINTR : 0;
}

/*
 * The layout that it is to have. What lay over a template does so again where that
 * version of it is.
 */
static const char *choose_layout(struct restore *r, const char *asked)
{
	const struct vz_backup_file *b = last_of(r);
	vz_autocfg struct vz_cfg *global = NULL;
	const struct vz_layout *layout;
	struct vz_err err = { 0 };
	const char *name = asked ?: b->layout, *dir;

	if (vz_layout_find(name, &layout, NULL) || !layout->over_base)
		return name;
	if (!*b->base)
		vz_err_set(&err, VZ_E_NOTEMPLATE, 0, "the backup names no template");
	else if (!vz_cfg_load_global(r->ctx, &global, &err)) {
		dir = vz_cfg_str(global, VZ_P_TEMPLATE);
		if (!dir)
			vz_err_set(&err, VZ_E_NO_TEMPLATE_SET, 0, "TEMPLATE is not set");
		else if (!vz_unpacked_by_digest(r->ctx, dir, b->template, b->base, tick,
						NULL, &r->over, &err))
			return name;
	}
	/* Who asked for it hears why not from create. */
	if (asked)
		return name;
	vz_info(r->ctx,
		"VE %u lay over a template, and the backup has all its files: it is "
		"restored as simfs, as %s (vzctl convert)",
		b->veid, err.text);
	return "simfs";
}

int vz_ve_restore_backup(const struct vz_ctx *ctx, uint32_t id, const char *file,
			 const char *layout, const struct vz_backup *how,
			 struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, id);
	VZ_CLEANUP(restore_done)
	struct restore job = { .ctx = ctx, .over = VZ_UNPACKED_NONE };
	vz_autobase struct vz_create_base base = { 0 };
	struct vz_create create = {
		.base = &base,
		.lock_fd = *how->lock_fd,
		.below = VZ_BACKUP_ROOT,
		.unpacked = check_whole,
		.unpacked_data = &job,
		.progress = how->progress,
		.progress_data = how->progress_data,
	};
	int r;

	if (path && !access(path, F_OK))
		return vz_err_set(err, VZ_E_PRIVATE_EXISTS, 0,
				  "VE %u exists: destroy it first, or say another VEID",
				  id);
	r = vz_backup_open_chain(ctx, file, &job.chain, err);
	if (!r)
		r = plan(&job, err);
	if (r)
		return r;
	layout = choose_layout(&job, layout);
	r = make_base(ctx, id, last_of(&job)->veid, layout, last_of(&job)->conf, &base,
		      err);
	create.cfg = base.cfg;
	create.part = job.part;
	create.parts = job.chain.n;
	create.quota = last_of(&job)->quota;
	create.over = job.over.lock >= 0 ? &job.over : NULL;
	return r ? r : vz_ve_create(ctx, id, &create, err);
}
