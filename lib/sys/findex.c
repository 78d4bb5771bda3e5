/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/findex.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/grow.h"

/* Before each path, whose end is a NUL. */
struct packed {
	uint32_t archive;
	unsigned char sum[VZ_FILESUM_SIZE];
};

int vz_findex_add(struct vz_findex *x, const char *path, uint32_t archive,
		  const unsigned char sum[VZ_FILESUM_SIZE])
{
	struct vz_findex_entry *v;

	if (vz_grow(&x->v, x->n, &x->room, sizeof(*x->v)))
		return -ENOMEM;
	v = &x->v[x->n];
	v->path = strdup(path);
	v->archive = archive;
	memcpy(v->sum, sum, sizeof(v->sum));
	x->n += v->path != NULL;
	return v->path ? 0 : -ENOMEM;
}

static int by_path(const void *a, const void *b)
{
	const struct vz_findex_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void vz_findex_sort(struct vz_findex *x)
{
	if (x->n)
		qsort(x->v, x->n, sizeof(*x->v), by_path);
}

const struct vz_findex_entry *vz_findex_find(const struct vz_findex *x, const char *path)
{
	const struct vz_findex_entry key = { .path = (char *)path };

	return x->n ? bsearch(&key, x->v, x->n, sizeof(*x->v), by_path) : NULL;
}

uint64_t vz_findex_count(const struct vz_findex *x, uint32_t archive)
{
	uint64_t n = 0;

	for (size_t i = 0; i < x->n; i++)
		n += x->v[i].archive == archive;
	return n;
}

int vz_findex_pack(const struct vz_findex *x, char **ret, size_t *ret_len)
{
	struct packed p;
	size_t len = 0;
	char *s;

	for (size_t i = 0; i < x->n; i++)
		len += sizeof(p) + strlen(x->v[i].path) + 1;
	*ret = s = malloc(len + 1);
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < x->n; i++) {
		size_t n = strlen(x->v[i].path) + 1;

		p.archive = htole32(x->v[i].archive);
		memcpy(p.sum, x->v[i].sum, sizeof(p.sum));
		memcpy(s, &p, sizeof(p));
		memcpy(s + sizeof(p), x->v[i].path, n);
		s += sizeof(p) + n;
	}
	*ret_len = len;
	return 0;
}

int vz_findex_unpack(const char *data, size_t len, struct vz_findex *ret)
{
	vz_autofindex struct vz_findex x = { 0 };
	struct packed p;
	size_t n;
	int r = 0;

	for (; !r && len; data += n, len -= n) {
		if (len <= sizeof(p))
			return -EBADMSG;
		memcpy(&p, data, sizeof(p));
		n = strnlen(data + sizeof(p), len - sizeof(p));
		if (!n || n == len - sizeof(p) || n >= PATH_MAX)
			return -EBADMSG;
		r = vz_findex_add(&x, data + sizeof(p), le32toh(p.archive), p.sum);
		n += sizeof(p) + 1;
	}
	if (r)
		return r;
	vz_findex_sort(&x);
	*ret = x;
	x = (struct vz_findex){ 0 };
	return 0;
}

void vz_findex_done(struct vz_findex *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->v[i].path);
	free(x->v);
	*x = (struct vz_findex){ 0 };
}
