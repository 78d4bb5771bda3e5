/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
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

/* What is sought, and what was found. */
struct search {
	const char *const *keys;
	size_t n;
	uint32_t initials; /* a bit for each capital that a key begins with */
	const char **values;
};

/*
 * Most lines of a file are KEY="value", most of them of keys that nobody asked
 * for, and nine tenths of the time would go into scanning them properly. True:
 * this line is one, or a comment, it surely ends where it seems to, and is
 * dealt with. Not for files with a backslash or a single quote, where it takes
 * more to know where a value ends.
 */
static bool take_plain(char *at, char *eol, const struct search *se)
{
	char *eq;
	int i;

	if (at == eol || *at == '#')
		return true;
	if (*at < 'A' || *at > 'Z' || eol - at < 4 || eol[-1] != '"' || eol[-2] <= ' ' ||
	    eol[-2] == '=')
		return false;
	if (!(se->initials & 1u << (*at - 'A')))
		return true;
	eq = memchr(at, '=', eol - at);
	if (!eq || eq[-1] <= ' ')
		return false;
	i = find_key(at, eq - at, se->keys, se->n);
	if (i < 0)
		return true;
	if (eq[1] != '"' || memchr(eq + 2, '"', eol - 1 - (eq + 2)))
		return false;
	eol[-1] = 0;
	se->values[i] = eq + 2;
	return true;
}

/* Deal with such lines up to one that is none. */
static void take_plain_lines(struct vz_scan *scan, const struct search *se)
{
	while (scan->at < scan->end) {
		char *at = (char *)scan->at;
		char *eol = memchr(at, '\n', scan->end - at);

		if (!eol || !take_plain(at, eol, se))
			return;
		scan->at = eol + 1;
	}
}

static uint32_t initials_of(const char *const *keys, size_t n)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++)
		if (keys[i][0] >= 'A' && keys[i][0] <= 'Z')
			bits |= 1u << (keys[i][0] - 'A');
	return bits;
}

static void take(const struct vz_scan_item *it, const struct search *se)
{
	int i = find_key(it->key, it->key_len, se->keys, se->n);
	char *value = (char *)it->value;

	if (i < 0)
		return;
	/* The scanner is past the quote or line end that makes room. */
	value[vz_scan_unquote(it, value)] = 0;
	se->values[i] = value;
}

/* All of a file in memory. */
static void search_text(char *text, size_t len, const struct search *se)
{
	bool plain = !memchr(text, '\\', len) && !memchr(text, '\'', len);
	struct vz_scan scan;
	struct vz_scan_item it;
	const char *problem;
	int r;

	vz_scan_init(&scan, text, len);
	do {
		if (plain)
			take_plain_lines(&scan, se);
		r = vz_scan_next(&scan, &it, &problem);
		if (r < 0)
			pass_line(&scan);
		else if (r && it.key)
			take(&it, se);
	} while (r);
}

int vz_peek_read(struct vz_peek *p, int dirfd, const char *name, const char *const *keys,
		 size_t n, const char **ret_values)
{
	/* Not to wait for a fifo's writer. */
	vz_autofd int fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct search se = { keys, n, initials_of(keys, n), ret_values };
	size_t len = 0;
	int r = fd < 0 ? -errno : slurp(p, fd, &len);

	if (r)
		return r;
	memset(ret_values, 0, n * sizeof(*ret_values));
	p->buf[len] = 0;
	search_text(p->buf, len, &se);
	return 0;
}

void vz_peek_done(struct vz_peek *p)
{
	free(p->buf);
	*p = (struct vz_peek){ 0 };
}
