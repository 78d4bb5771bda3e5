/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which unpacked templates there are, who lies over them, and which can go. */
#include <errno.h>
#include <fcntl.h>
#include <iniparser.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/str.h"
#include "res/cfg.h"
#include "ve/area.h"
#include "ve/ids.h"
#include "ve/journal.h"
#include "ve/template.h"
#include "ve/unpacked.h"
#include "ve/unpacked_priv.h"

enum { LOCK_WAIT_S = 60 };

/* --- what there is --- */

static int read_about(int store, struct vz_unpacked_version *v)
{
	char path[VZ_DIGEST_LEN + 64];
	const char *name;
	dictionary *d;
	uint64_t made;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s/" VZ_UNPACKED_ABOUT, store,
		 v->digest);
	if (access(path, F_OK))
		return -errno;
	d = iniparser_load(path);
	if (!d)
		return 0;
	name = iniparser_getstring(d, "template:name", NULL);
	if (name && !(v->template = strdup(name)))
		r = -ENOMEM;
	vz_parse_u64(iniparser_getstring(d, "template:size", ""), UINT64_MAX, &v->bytes);
	if (!vz_parse_u64(iniparser_getstring(d, "template:made", ""), INT64_MAX, &made))
		v->made = made;
	iniparser_freedict(d);
	return r;
}

static int add_version(struct vz_unpacked_list *l, int store, const char *name)
{
	struct vz_unpacked_version v = { 0 }, *more;
	int r;

	strcpy(v.digest, name);
	r = read_about(store, &v);
	if (r)
		return r == -ENOENT ? 0 : r;
	more = reallocarray(l->v, l->n + 1, sizeof(*more));
	if (!more) {
		free(v.template);
		return -ENOMEM;
	}
	l->v = more;
	more[l->n++] = v;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct vz_unpacked_version *x = a, *y = b;

	return x->made < y->made ? -1 : x->made > y->made;
}

/* A directory stream of a descriptor that stays the caller's. */
static DIR *read_dir(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);

	if (!d && own >= 0)
		close(own);
	return d;
}

static int read_versions(int store, struct vz_unpacked_list *l)
{
	vz_autodir DIR *d = read_dir(store);
	struct dirent *e;
	int r = d ? 0 : -errno;

	while (!r && (e = readdir(d)))
		if (vz_digest_valid(e->d_name))
			r = add_version(l, store, e->d_name);
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_time);
	return r;
}

/* --- who uses it --- */

/* Whether it refers to one, known or not. */
static bool count_area(const char *path, struct vz_unpacked_list *l)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	const char *digest;

	if (vz_area_open(path, &a, NULL))
		return false;
	digest = vz_area_get(&a, "overlay", "base");
	for (size_t i = 0; digest && i < l->n; i++)
		if (!strcmp(l->v[i].digest, digest))
			l->v[i].users++;
	return digest;
}

/* A damaged marker may still name one: who mends it will want it. */
static void count_entry(const char *dir, const char *name, struct vz_unpacked_list *l)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);
	vz_autofree char *work = vz_strf("%s/%s/root", dir, name);
	const char *dot = strchr(name, '.');

	/* VEID.migrating says itself what the area in it will refer to. */
	if (path && count_area(path, l))
		return;
	/* VEID.creating, VEID.converting: what will be one. */
	if (work && dot)
		count_area(work, l);
}

static int count_dir(const char *dir, struct vz_unpacked_list *l)
{
	vz_autodir DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			count_entry(dir, e->d_name, l);
	return 0;
}

/* Where the area is, all links followed: its neighbours are looked at, too. */
static int add_parent(const char *private, struct vz_strv *dirs)
{
	vz_autofree char *real = private ? realpath(private, NULL) : NULL;
	vz_autofree char *dir = private ? strdup(real ? real : private) : NULL;
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!slash)
		return 0;
	slash[slash == dir] = 0;
	return vz_strv_has(dirs, dir) ? 0 : vz_strv_add(dirs, dir);
}

static int add_parents(const struct vz_ctx *ctx, uint32_t id, struct vz_strv *dirs,
		       struct vz_err *err)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	struct vz_err why = { 0 };
	int r = vz_cfg_load_ve(ctx, id, &cfg, &why);

	if (!r)
		r = add_parent(vz_cfg_str(cfg, VZ_P_VE_PRIVATE), dirs);
	if (!r || why.status == VZ_E_NOCONF)
		return 0;
	vz_err_prefix(&why, "which template VE %u lies over is not known", id);
	if (err)
		*err = why;
	return r;
}

/* Where VEs are to be that have no configuration here yet. */
static int add_arriving(const struct vz_ctx *ctx, struct vz_strv *dirs,
			struct vz_err *err)
{
	vz_autoids struct vz_ids ids = { 0 };
	int r = vz_journal_list(ctx, VZ_MIG_DEST, &ids);

	for (size_t i = 0; i < ids.n && !r; i++) {
		struct vz_journal j;

		r = vz_journal_load(ctx, ids.v[i], VZ_MIG_DEST, &j, err);
		if (!r)
			r = add_parent(j.private, dirs);
		else if (r == -ENOENT)
			r = 0;
	}
	return r;
}

static int count_users(const struct vz_ctx *ctx, struct vz_unpacked_list *l,
		       struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autoconf struct vz_conf *conf = NULL;
	vz_autocfg struct vz_cfg *global = NULL;
	vz_autostrv struct vz_strv dirs = { 0 };
	vz_autoids struct vz_ids ids = { 0 };
	int r = path ? vz_conf_load(ctx, path, &conf, err) : -ENOMEM;

	/* As the number of a VE that has no configuration yet would have it. */
	if (!r)
		r = vz_cfg_new(1, &global);
	if (!r)
		r = vz_cfg_read(global, ctx, conf, true, 0, err);
	if (!r)
		r = add_parent(vz_cfg_str(global, VZ_P_VE_PRIVATE), &dirs);
	if (!r)
		r = vz_ids_defined(ctx, &ids);
	for (size_t i = 0; i < ids.n && !r; i++)
		r = add_parents(ctx, ids.v[i], &dirs, err);
	if (!r)
		r = add_arriving(ctx, &dirs, err);
	for (size_t i = 0; i < dirs.n && !r; i++)
		r = count_dir(dirs.v[i], l);
	return r;
}

static int list(const struct vz_ctx *ctx, const char *dir, int store,
		struct vz_unpacked_list *ret, struct vz_err *err)
{
	vz_autounpackedlist struct vz_unpacked_list l = { 0 };
	struct vz_err why = { 0 };
	int r = read_versions(store, &l);

	if (!r)
		r = count_users(ctx, &l, &why);
	if (r && !why.status)
		vz_err_set(&why, VZ_E_SYSTEM, -r, "can't list %s/base", dir);
	if (r) {
		if (err)
			*err = why;
		return r;
	}
	*ret = l;
	l = (struct vz_unpacked_list){ 0 };
	return 0;
}

int vz_unpacked_list(const struct vz_ctx *ctx, const char *dir,
		     struct vz_unpacked_list *ret, struct vz_err *err)
{
	vz_autofd int store = -1, lock = -1;

	store = vz_unpacked_open_store(dir, &lock);
	if (store == -ENOENT) {
		*ret = (struct vz_unpacked_list){ 0 };
		return 0;
	}
	return store < 0 ? vz_err_set(err, VZ_E_SYSTEM, -store, "can't open %s/base", dir)
			 : list(ctx, dir, store, ret, err);
}

void vz_unpacked_list_done(struct vz_unpacked_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].template);
	free(l->v);
	*l = (struct vz_unpacked_list){ 0 };
}

/* --- what can go --- */

/* It loses its name first: what has one is whole. */
static int remove_version(int store, const char *digest)
{
	char gone[VZ_DIGEST_LEN + sizeof(VZ_UNPACKED_REMOVED)];
	int r;

	snprintf(gone, sizeof(gone), "%s" VZ_UNPACKED_REMOVED, digest);
	r = vz_remove_tree(store, gone);
	if (!r && renameat(store, digest, store, gone))
		r = -errno;
	if (!r && fsync(store))
		r = -errno;
	return r ? r : vz_remove_tree(store, gone);
}

static bool ends_in(const char *name, const char *end)
{
	return strlen(name) == VZ_DIGEST_LEN - 1 + strlen(end) &&
	       !strcmp(name + VZ_DIGEST_LEN - 1, end);
}

/* With the lock nobody unpacks or removes: what looks so was left. */
static int remove_unfinished(int store)
{
	vz_autodir DIR *d = read_dir(store);
	struct dirent *e;
	int r = d ? 0 : -errno;

	while (!r && (e = readdir(d)))
		if (ends_in(e->d_name, VZ_UNPACKED_CREATING) ||
		    ends_in(e->d_name, VZ_UNPACKED_REMOVED))
			r = vz_remove_tree(store, e->d_name);
	return r;
}

/* Notes about versions that are no more, or about files that may be no more. */
static int forget_files(int store)
{
	return vz_remove_tree(store, VZ_UNPACKED_BY_FILE);
}

static int lock_all(const char *dir, int lock, struct vz_err *err)
{
	for (int i = 0; flock(lock, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return vz_err_set(err, VZ_E_SYSTEM, errno, "can't lock %s/base",
					  dir);
		if (i == LOCK_WAIT_S * 20)
			return vz_err_set(err, VZ_E_LOCKED, 0,
					  "VEs are being created over templates in "
					  "%s/base: try again later",
					  dir);
		usleep(50000);
	}
	return 0;
}

int vz_unpacked_prune(const struct vz_ctx *ctx, const char *dir,
		      void (*removed)(void *data, const struct vz_unpacked_version *v),
		      void *data, struct vz_err *err)
{
	vz_autounpackedlist struct vz_unpacked_list l = { 0 };
	vz_autofd int store = -1, lock = -1;
	int r;

	store = vz_unpacked_open_store(dir, &lock);
	if (store < 0)
		return store == -ENOENT ? 0
					: vz_err_set(err, VZ_E_SYSTEM, -store,
						     "can't open %s/base", dir);
	r = lock_all(dir, lock, err);
	if (!r)
		r = list(ctx, dir, store, &l, err);
	if (r)
		return r;
	r = remove_unfinished(store);
	for (size_t i = 0; i < l.n && !r; i++) {
		if (l.v[i].users)
			continue;
		r = remove_version(store, l.v[i].digest);
		if (!r)
			removed(data, &l.v[i]);
	}
	if (!r)
		r = forget_files(store);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't remove from %s/base", dir) : 0;
}

/* --- a version that is asked for --- */

static bool is_version(const char *tarball, const char *digest)
{
	vz_autofd int fd = open(tarball, O_RDONLY | O_CLOEXEC);
	char is[VZ_DIGEST_LEN];

	return fd >= 0 && !vz_digest_fd(fd, NULL, NULL, is) && !strcmp(is, digest);
}

int vz_unpacked_by_digest(const struct vz_ctx *ctx, const char *dir, const char *name,
			  const char *digest, int (*tick)(void *data, uint64_t done),
			  void *data, struct vz_unpacked *ret, struct vz_err *err)
{
	vz_autounpacked struct vz_unpacked u = VZ_UNPACKED_NONE;
	vz_autofree char *root = NULL, *tarball = NULL;
	int r = vz_unpacked_hold(ctx, dir, &u, err);

	if (r)
		return r;
	if (!vz_unpacked_root(dir, digest, &root, NULL)) {
		snprintf(u.digest, sizeof(u.digest), "%s", digest);
	} else {
		vz_unpacked_release(&u);
		if (!name || vz_bad_template(name) ||
		    vz_template_find(dir, name, &tarball, NULL) ||
		    !is_version(tarball, digest))
			return vz_err_set(err, VZ_E_NOTEMPLATE, 0,
					  "the template %s of digest %.12s... is not "
					  "here",
					  name ?: "", digest);
		r = vz_unpacked_get(ctx, dir, name, tarball, tick, data, &u, err);
		if (r)
			return r;
	}
	*ret = u;
	u = VZ_UNPACKED_NONE;
	return 0;
}
