/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "vzmigrate/exit.h"

struct entry {
	char *path; /* below the area; NULL: this place is free */
	ino_t inode;
	bool seen, is_dir; /* now */
};

/* Open addressing, by path; at most half full. */
struct tree {
	struct entry *v;
	size_t n, room; /* a power of two */
};

void tree_free(struct tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->room; i++)
		free(t->v[i].path);
	free(t->v);
	free(t);
}

/* FNV-1a. */
static uint64_t hash(const char *s)
{
	uint64_t h = 14695981039346656037ull;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211ull;
	return h;
}

static struct entry *find(const struct tree *t, const char *path)
{
	size_t at = hash(path) & (t->room - 1);

	while (t->v[at].path && strcmp(t->v[at].path, path))
		at = (at + 1) & (t->room - 1);
	return &t->v[at];
}

static int grow(struct tree *t)
{
	struct tree bigger = { .n = t->n, .room = t->room ? t->room * 2 : 4096 };

	bigger.v = calloc(bigger.room, sizeof(*bigger.v));
	if (!bigger.v)
		return -ENOMEM;
	for (size_t i = 0; i < t->room; i++)
		if (t->v[i].path)
			*find(&bigger, t->v[i].path) = t->v[i];
	free(t->v);
	*t = bigger;
	return 0;
}

static int add(struct tree *t, const char *path, ino_t inode)
{
	struct entry *e;

	if (2 * t->n >= t->room && grow(t))
		return -ENOMEM;
	e = find(t, path);
	if (e->path)
		return 0;
	*e = (struct entry){ .path = strdup(path), .inode = inode };
	t->n++;
	return e->path ? 0 : -ENOMEM;
}

FTS *tree_walk(const char *private)
{
	char *const roots[] = { (char *)private, NULL };

	return fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
}

/* Directories come twice. */
static bool counts(const FTSENT *e)
{
	return e->fts_info != FTS_DP;
}

static bool failed(const FTSENT *e)
{
	return e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS;
}

int tree_read(const char *private, struct tree **ret, struct vz_err *err)
{
	size_t skip = strlen(private);
	autotree struct tree *t = calloc(1, sizeof(*t));
	FTS *fts = tree_walk(private);
	FTSENT *e;
	int r = !t ? -ENOMEM : fts ? grow(t) : -errno;

	/* What a live VE has removed meanwhile is not there: that is no failure. */
	while (!r && (e = fts_read(fts)))
		if (counts(e) && !failed(e))
			r = add(t, e->fts_path + skip, e->fts_statp->st_ino);
	if (fts)
		fts_close(fts);
	if (r)
		return mig_fail(err, MIG_E_COPY, -r, "can't read %s", private);
	*ret = vz_take(t);
	return 0;
}

static bool is_after(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec >= b->tv_nsec;
}

static int put(FILE *out, const char *path, size_t *n)
{
	/* The area itself has no name below it. */
	const char *name = *path ? path : ".";

	++*n;
	return fwrite(name, strlen(name) + 1, 1, out) == 1 ? 0 : -EIO;
}

static int put_changed(struct tree *then, const FTSENT *e, const char *path,
		       const struct timespec *since, FILE *out, size_t *n)
{
	struct entry *was = find(then, path);

	if (was->path) {
		was->seen = true;
		was->is_dir = e->fts_info == FTS_D;
		if (was->inode == e->fts_statp->st_ino &&
		    !is_after(&e->fts_statp->st_ctim, since))
			return 0;
	}
	return put(out, path, n);
}

/* With what was below it, which is not named: rsync would look for where it was. */
static bool goes_with_another(const struct tree *then, const char *path)
{
	const char *slash = strrchr(path, '/');
	vz_autofree char *above = slash ? strndup(path, slash - path) : NULL;
	const struct entry *e = above ? find(then, above) : NULL;

	return e && !(e->path && e->seen && e->is_dir);
}

static int put_gone(const struct tree *then, FILE *out, size_t *n)
{
	int r = 0;

	for (size_t i = 0; i < then->room && !r; i++)
		if (then->v[i].path && !then->v[i].seen &&
		    !goes_with_another(then, then->v[i].path))
			r = put(out, then->v[i].path, n);
	return r;
}

int tree_changes(struct tree *then, const char *private, const struct timespec *since,
		 FILE *out, size_t *ret_n)
{
	size_t skip = strlen(private);
	FTS *fts = tree_walk(private);
	FTSENT *e;
	int r = fts ? 0 : -errno;

	*ret_n = 0;
	while (!r && (errno = 0, e = fts_read(fts))) {
		if (failed(e))
			r = -e->fts_errno;
		else if (counts(e))
			r = put_changed(then, e, e->fts_path + skip, since, out, ret_n);
	}
	if (!r && errno)
		r = -errno;
	if (fts)
		fts_close(fts);
	return r ? r : put_gone(then, out, ret_n);
}

int tree_changed_since(const char *private, const struct timespec *since, bool live,
		       FILE *out, size_t *ret_n)
{
	size_t skip = strlen(private);
	FTS *fts = tree_walk(private);
	FTSENT *e;
	int r = fts ? 0 : -errno;

	*ret_n = 0;
	while (!r && (errno = 0, e = fts_read(fts))) {
		if (failed(e))
			r = live ? 0 : -e->fts_errno;
		else if (e->fts_info == FTS_F && is_after(&e->fts_statp->st_ctim, since))
			r = put(out, e->fts_path + skip, ret_n);
	}
	if (!r && errno)
		r = -errno;
	if (fts)
		fts_close(fts);
	return r;
}
