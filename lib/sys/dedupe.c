/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/dedupe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/grow.h"
#include "base/str.h"
#include "sys/blocks.h"
#include "sys/digest.h"
#include "sys/root.h"

enum {
	SIZE_MIN = 4096,
	DEPTH_MAX = 200, /* a descriptor each */
	FILES_MAX = 4 << 20,
};

struct file {
	uint32_t root; /* which of the trees */
	char *path; /* in it */
	dev_t dev;
	ino_t ino;
	uint64_t size;
	char digest[VZ_DIGEST_LEN]; /* "": can't be read, or has changed */
};

struct dedupe {
	const struct vz_dedupe *how;
	struct vz_dedupe_sum *sum;
	struct file *v;
	size_t n, room;
	uint64_t done, total;
};

static void dedupe_done(struct dedupe *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].path);
	free(d->v);
}

static int tick(struct dedupe *d, uint64_t more)
{
	return d->how->tick ? d->how->tick(d->how->tick_data, d->done + more, d->total)
			    : 0;
}

/* --- what there is --- */

static int add_file(struct dedupe *d, uint32_t root, const char *path,
		    const struct stat *st)
{
	struct file *v;

	if (d->n == FILES_MAX) {
		d->sum->left++;
		return 0;
	}
	if (vz_grow(&d->v, d->n, &d->room, sizeof(*d->v)))
		return -ENOMEM;
	v = &d->v[d->n];
	*v = (struct file){ .root = root,
			    .path = strdup(path),
			    .dev = st->st_dev,
			    .ino = st->st_ino,
			    .size = st->st_size };
	d->n += v->path != NULL;
	return v->path ? 0 : -ENOMEM;
}

static bool is_sparse(const struct stat *st)
{
	return st->st_blocks * UINT64_C(512) + SIZE_MIN < (uint64_t)st->st_size;
}

static int walk(struct dedupe *d, uint32_t root, int fd, const char *path, int depth);

/* What goes away as it is looked at was never there. */
static int look(struct dedupe *d, uint32_t root, int at, const char *path,
		const char *name, int depth)
{
	vz_autofree char *sub = vz_strf("%s%s%s", path, *path ? "/" : "", name);
	vz_autofd int fd = -1;
	struct stat st;

	if (!sub)
		return -ENOMEM;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return 0;
	if (S_ISREG(st.st_mode)) {
		d->sum->files++;
		d->sum->bytes += st.st_size;
		return st.st_size < SIZE_MIN || is_sparse(&st)
			       ? 0
			       : add_file(d, root, sub, &st);
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth >= DEPTH_MAX || strlen(sub) >= PATH_MAX - NAME_MAX - 2) {
		d->sum->left++;
		return 0;
	}
	fd = vz_open_subdir(at, name);
	return fd < 0 ? 0 : walk(d, root, fd, sub, depth + 1);
}

static int walk(struct dedupe *d, uint32_t root, int fd, const char *path, int depth)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	vz_autodir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!dir) {
		r = -errno;
		if (copy >= 0)
			close(copy);
		return r;
	}
	while (!r && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = look(d, root, dirfd(dir), path, e->d_name, depth);
	return r ? r : tick(d, 0);
}

/* --- which are the same --- */

static int by_number(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int by_contents(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int r;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	r = strcmp(x->digest, y->digest);
	return r		    ? r
	       : x->root != y->root ? (x->root < y->root ? -1 : 1)
				    : by_number(a, b);
}

/* Names of one file count once. */
static void drop_names(struct dedupe *d)
{
	size_t n = 0;

	qsort(d->v, d->n, sizeof(*d->v), by_number);
	for (size_t i = 0; i < d->n; i++) {
		if (n && !by_number(&d->v[n - 1], &d->v[i]))
			free(d->v[i].path);
		else
			d->v[n++] = d->v[i];
	}
	d->n = n;
}

static bool is_alone(const struct dedupe *d, size_t i)
{
	return !(i && d->v[i - 1].size == d->v[i].size) &&
	       !(i + 1 < d->n && d->v[i + 1].size == d->v[i].size);
}

/* Only what has another of its size can have one of its contents. */
static void drop_lonely(struct dedupe *d)
{
	vz_autofree bool *alone = calloc(d->n + 1, sizeof(*alone));
	size_t n = 0;

	qsort(d->v, d->n, sizeof(*d->v), by_contents);
	for (size_t i = 0; alone && i < d->n; i++)
		alone[i] = is_alone(d, i);
	for (size_t i = 0; i < d->n; i++) {
		if (alone && alone[i]) {
			free(d->v[i].path);
			continue;
		}
		d->total += d->v[i].size;
		d->v[n++] = d->v[i];
	}
	d->n = n;
}

/* The file that was seen, if it is still that; or -errno. */
static int open_file(const struct dedupe *d, const struct file *f)
{
	vz_autofd int fd = vz_root_open_file(d->how->root[f->root], f->path,
					     O_RDONLY | O_NOFOLLOW | O_NOATIME);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || st.st_dev != f->dev || st.st_ino != f->ino ||
	    (uint64_t)st.st_size != f->size)
		return -ESTALE;
	return vz_take_fd(&fd);
}

static int tick_reading(void *data, uint64_t done)
{
	return tick(data, done);
}

static int read_all(struct dedupe *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct file *f = &d->v[i];
		vz_autofd int fd = open_file(d, f);
		int r = fd < 0 ? 0
			       : vz_digest_part(fd, f->size, tick_reading, d, f->digest);

		if (r) {
			*f->digest = 0;
			/* A bad block is the file's own trouble; to be told to end is not. */
			if (r != -EIO)
				return r;
		}
		d->done += f->size;
		d->sum->changed += !*f->digest;
		r = tick(d, 0);
		if (r)
			return r;
	}
	return 0;
}

/* --- sharing --- */

static int share_one(struct dedupe *d, int from, const struct file *f)
{
	vz_autofd int to = open_file(d, f);
	uint64_t done = 0;
	int r;

	if (to < 0) {
		d->sum->changed++;
		return 0;
	}
	if (vz_blocks_shared(from, to)) {
		d->sum->were_files++;
		d->sum->were_bytes += f->size;
		return 0;
	}
	r = vz_blocks_share(from, to, f->size, &done);
	d->sum->shared_bytes += done;
	d->sum->shared_files += !r;
	d->sum->changed += r != 0;
	/* Immutable, a swap file, or changed: only what the file system says counts. */
	return r == -ENOSPC || r == -EDQUOT || r == -EIO ? r : tick(d, 0);
}

static int share_all(struct dedupe *d)
{
	vz_autofd int from = -1;
	const struct file *first = NULL;
	int r = 0;

	qsort(d->v, d->n, sizeof(*d->v), by_contents);
	for (size_t i = 0; !r && i < d->n; i++) {
		const struct file *f = &d->v[i];

		if (!*f->digest)
			continue;
		if (first && from >= 0 && first->size == f->size &&
		    !strcmp(first->digest, f->digest)) {
			r = share_one(d, from, f);
			continue;
		}
		if (from >= 0)
			close(vz_take_fd(&from));
		first = f;
		if (i + 1 < d->n && d->v[i + 1].size == f->size &&
		    !strcmp(d->v[i + 1].digest, f->digest))
			from = open_file(d, f);
	}
	return r;
}

int vz_dedupe(const struct vz_dedupe *how, struct vz_dedupe_sum *ret)
{
	VZ_CLEANUP(dedupe_done) struct dedupe d = { .how = how, .sum = ret };
	int r = 0;

	*ret = (struct vz_dedupe_sum){ 0 };
	for (size_t i = 0; !r && i < how->n; i++)
		r = walk(&d, i, how->root[i], "", 0);
	if (r || !d.n)
		return r;
	drop_names(&d);
	drop_lonely(&d);
	r = read_all(&d);
	return r ? r : share_all(&d);
}
