/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/filesum.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { CHUNK = 1 << 20 };

void vz_filesum_begin(struct vz_filesum *s)
{
	sha256_init(&s->sha);
	s->len = 0;
}

void vz_filesum_words(struct vz_filesum *s, const void *words, size_t len)
{
	uint64_t n = htole64(len);

	/* So that no two lists of words look the same. */
	sha256_update(&s->sha, sizeof(n), (const uint8_t *)&n);
	sha256_update(&s->sha, len, words);
}

static void add_block(struct vz_filesum *s, uint64_t block, const unsigned char *data)
{
	static const unsigned char zeros[VZ_FILESUM_BLOCK];
	uint64_t n = htole64(block);

	if (!memcmp(data, zeros, sizeof(zeros)))
		return;
	sha256_update(&s->sha, sizeof(n), (const uint8_t *)&n);
	sha256_update(&s->sha, VZ_FILESUM_BLOCK, data);
}

static void flush(struct vz_filesum *s)
{
	if (!s->len)
		return;
	memset(s->buf + s->len, 0, sizeof(s->buf) - s->len);
	add_block(s, s->block, s->buf);
	s->len = 0;
}

void vz_filesum_data(struct vz_filesum *s, uint64_t at, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t n;

	for (; len; at += n, p += n, len -= n) {
		uint64_t block = at / VZ_FILESUM_BLOCK;
		size_t in = at % VZ_FILESUM_BLOCK;

		if (s->len && s->block != block)
			flush(s);
		if (!in && len >= VZ_FILESUM_BLOCK) {
			n = VZ_FILESUM_BLOCK;
			add_block(s, block, p);
			continue;
		}
		n = VZ_FILESUM_BLOCK - in < len ? VZ_FILESUM_BLOCK - in : len;
		if (in > s->len)
			memset(s->buf + s->len, 0, in - s->len);
		memcpy(s->buf + in, p, n);
		s->block = block;
		s->len = in + n;
	}
}

void vz_filesum_end(struct vz_filesum *s, unsigned char ret[VZ_FILESUM_SIZE])
{
	flush(s);
	sha256_digest(&s->sha, VZ_FILESUM_SIZE, ret);
}

static int add_piece(struct vz_filesum *s, int fd, uint64_t at, uint64_t end, char *buf,
		     int (*tick)(void *data, uint64_t done), void *data)
{
	int r = 0;

	while (!r && at < end) {
		ssize_t n = pread(fd, buf, end - at < CHUNK ? end - at : CHUNK, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		vz_filesum_data(s, at, buf, n);
		at += n;
		r = tick ? tick(data, at) : 0;
	}
	return r;
}

int vz_filesum_fd(struct vz_filesum *s, int fd, uint64_t size,
		  int (*tick)(void *data, uint64_t done), void *data)
{
	vz_autofree char *buf = malloc(CHUNK);
	off_t at = 0, end;
	int r = 0;

	if (!buf)
		return -ENOMEM;
	while (!r && (uint64_t)at < size) {
		at = lseek(fd, at, SEEK_DATA);
		if (at < 0)
			return errno == ENXIO ? 0 : -errno;
		end = lseek(fd, at, SEEK_HOLE);
		if (end < 0)
			return -errno;
		if ((uint64_t)end > size)
			end = size;
		r = add_piece(s, fd, at, end, buf, tick, data);
		at = end;
	}
	return r;
}
