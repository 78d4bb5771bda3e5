/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "conf/scan.h"

#define FIRST_SIZE 8192
#define MAX_SIZE (4u << 20)

static int grow(struct vz_peek *p)
{
	size_t size = p->size ? p->size * 2 : FIRST_SIZE;
	char *buf;

	if (size > MAX_SIZE)
		return -EFBIG;
	buf = realloc(p->buf, size);
	if (!buf)
		return -ENOMEM;
	p->buf = buf;
	p->size = size;
	return 0;
}

/* The whole file into p->buf; most are one short read. */
static int slurp(struct vz_peek *p, int fd, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;
	int r;

	for (;;) {
		if (len + 1 >= p->size) {
			r = grow(p);
			if (r)
				return r;
		}
		n = read(fd, p->buf + len, p->size - len - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			len += n;
		/* A regular file's short read is its end. */
		if (n == 0 || (n > 0 && len + 1 < p->size))
			break;
	}
	*ret_len = len;
	return 0;
}

static void pass_line(struct vz_scan *scan)
{
	const char *eol = memchr(scan->at, '\n', scan->end - scan->at);

	scan->at = eol ? eol + 1 : scan->end;
}

static int find_key(const char *key, size_t len, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i][0] == key[0] && !strncmp(keys[i], key, len) && !keys[i][len])
			return i;
	return -1;
}

/*
 * Most lines of a file are KEY="value" of keys that nobody asked for, and
 * nine tenths of the time would go into scanning those. True: this line is
 * one, or a comment, and surely ends where it seems to.
 */
static bool is_other(const char *at, const char *eol, const char *const *keys, size_t n)
{
	const char *eq;

	if (at == eol || *at == '#')
		return true;
	if (*at < 'A' || *at > 'Z')
		return false;
	eq = memchr(at, '=', eol - at);
	if (!eq || eq[-1] <= ' ' || eq[1] != '"' || eol - eq < 3 || eol[-1] != '"' ||
	    find_key(at, eq - at, keys, n) >= 0)
		return false;
	return !memchr(eq, '\\', eol - eq);
}

/* Step over such lines. */
static void pass_others(struct vz_scan *scan, const char *const *keys, size_t n)
{
	while (scan->at < scan->end) {
		const char *eol = memchr(scan->at, '\n', scan->end - scan->at);

		if (!eol || !is_other(scan->at, eol, keys, n))
			return;
		scan->at = eol + 1;
	}
}

static void take(const struct vz_scan_item *it, const char *const *keys, size_t n,
		 const char **values)
{
	int i = find_key(it->key, it->key_len, keys, n);
	char *value = (char *)it->value;

	if (i < 0)
		return;
	/* The scanner is past the quote or line end that makes room. */
	value[vz_scan_unquote(it, value)] = 0;
	values[i] = value;
}

int vz_peek_read(struct vz_peek *p, int dirfd, const char *name, const char *const *keys,
		 size_t n, const char **ret_values)
{
	vz_autofd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct vz_scan scan;
	struct vz_scan_item it;
	const char *problem;
	size_t len = 0;
	int r = fd < 0 ? -errno : slurp(p, fd, &len);

	if (r)
		return r;
	memset(ret_values, 0, n * sizeof(*ret_values));
	p->buf[len] = 0;
	vz_scan_init(&scan, p->buf, len);
	do {
		pass_others(&scan, keys, n);
		r = vz_scan_next(&scan, &it, &problem);
		if (r < 0)
			pass_line(&scan);
		else if (r && it.key)
			take(&it, keys, n, ret_values);
	} while (r);
	return 0;
}

void vz_peek_done(struct vz_peek *p)
{
	free(p->buf);
	*p = (struct vz_peek){ 0 };
}
