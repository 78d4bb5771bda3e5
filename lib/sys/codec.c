/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/codec.h"

#include <errno.h>
#include <lzma.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/fs.h"

enum { IN_SIZE = 256 << 10, OUT_SIZE = 256 << 10 };
/* xz -9e takes 65 MiB; who asks for more is no friend. */
#define XZ_MEMORY (512UL << 20)
/* zstd --ultra --long=27. */
#define ZSTD_WINDOW_LOG 27

/* Both ends of a decoder's step: what is left to take in, what came out. */
struct codec {
	const uint8_t *in;
	size_t left;
	bool last; /* there is no more after `left` */
	bool whole; /* what has been taken in so far is complete in itself */
	uint8_t *out;
	size_t n_out;
	const char *why;
	union {
		ZSTD_DStream *zstd;
		z_stream gzip;
		lzma_stream xz;
	};
};

/* A format: step() takes in what it can, and fills out at most once. */
struct format {
	const char *magic;
	size_t n_magic;
	int (*begin)(struct codec *c);
	int (*step)(struct codec *c);
	void (*end)(struct codec *c);
};

static int damaged(struct codec *c, const char *why)
{
	c->why = why;
	return -EBADMSG;
}

/* Between frames: zeros to the end of the file are no data. */
static void skip_zeros(struct codec *c)
{
	while (c->whole && c->left && !*c->in) {
		c->in++;
		c->left--;
	}
}

static int zstd_begin(struct codec *c)
{
	c->zstd = ZSTD_createDStream();
	if (!c->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax,
							    ZSTD_WINDOW_LOG)))
		return -ENOMEM;
	return 0;
}

static int zstd_step(struct codec *c)
{
	ZSTD_inBuffer in = { c->in, c->left, 0 };
	ZSTD_outBuffer out = { c->out, OUT_SIZE, 0 };
	size_t r = ZSTD_decompressStream(c->zstd, &out, &in);

	if (ZSTD_isError(r))
		return damaged(c, ZSTD_getErrorName(r));
	c->in += in.pos;
	c->left -= in.pos;
	c->n_out = out.pos;
	c->whole = !r;
	return 0;
}

static void zstd_end(struct codec *c)
{
	ZSTD_freeDStream(c->zstd);
}

static int gzip_begin(struct codec *c)
{
	/* 16: gzip's header and trailer, and nothing else's. */
	return inflateInit2(&c->gzip, 16 + MAX_WBITS) == Z_OK ? 0 : -ENOMEM;
}

static int gzip_step(struct codec *c)
{
	int r;

	c->gzip.next_in = (uint8_t *)c->in;
	c->gzip.avail_in = c->left;
	c->gzip.next_out = c->out;
	c->gzip.avail_out = OUT_SIZE;
	r = inflate(&c->gzip, Z_NO_FLUSH);
	c->in = c->gzip.next_in;
	c->left = c->gzip.avail_in;
	c->n_out = OUT_SIZE - c->gzip.avail_out;
	c->whole = r == Z_STREAM_END;
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return damaged(c, c->gzip.msg ? c->gzip.msg : "gzip data damaged");
	/* Another member may follow. */
	if (c->whole)
		inflateReset(&c->gzip);
	return 0;
}

static void gzip_end(struct codec *c)
{
	inflateEnd(&c->gzip);
}

static int xz_begin(struct codec *c)
{
	c->xz = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_stream_decoder(&c->xz, XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK
		       ? 0
		       : -ENOMEM;
}

static const char *xz_says(lzma_ret r)
{
	return r == LZMA_MEMLIMIT_ERROR ? "xz data that takes too much memory"
	       : r == LZMA_FORMAT_ERROR ? "not xz data"
	       : r == LZMA_BUF_ERROR	? "cut off"
					: "xz data damaged";
}

static int xz_step(struct codec *c)
{
	lzma_ret r;

	c->xz.next_in = c->in;
	c->xz.avail_in = c->left;
	c->xz.next_out = c->out;
	c->xz.avail_out = OUT_SIZE;
	/* It counts padding, so it has to know where the file ends. */
	r = lzma_code(&c->xz, c->last ? LZMA_FINISH : LZMA_RUN);
	c->in = c->xz.next_in;
	c->left = c->xz.avail_in;
	c->n_out = OUT_SIZE - c->xz.avail_out;
	c->whole = r == LZMA_STREAM_END;
	if (r == LZMA_MEM_ERROR)
		return -ENOMEM;
	return r == LZMA_OK || r == LZMA_STREAM_END ? 0 : damaged(c, xz_says(r));
}

static void xz_end(struct codec *c)
{
	lzma_end(&c->xz);
}

static int plain_begin(struct codec *c)
{
	c->whole = true;
	return 0;
}

static int plain_step(struct codec *c)
{
	c->n_out = c->left < OUT_SIZE ? c->left : OUT_SIZE;
	memcpy(c->out, c->in, c->n_out);
	c->in += c->n_out;
	c->left -= c->n_out;
	return 0;
}

static void plain_end(struct codec *c)
{
}

static const struct format formats[] = {
	{ "\x28\xb5\x2f\xfd", 4, zstd_begin, zstd_step, zstd_end },
	{ "\x1f\x8b\x08", 3, gzip_begin, gzip_step, gzip_end },
	{ "\xfd"
	  "7zXZ\0",
	  6, xz_begin, xz_step, xz_end },
	{ "", 0, plain_begin, plain_step, plain_end },
};

static const struct format *find_format(const uint8_t *in, size_t n)
{
	const struct format *f = formats;

	while (f->n_magic > n || memcmp(f->magic, in, f->n_magic))
		f++;
	return f;
}

/* Fill buf, unless the file ends before. */
static ssize_t fill(int fd, uint8_t *buf)
{
	size_t n = 0;
	ssize_t r;

	while (n < IN_SIZE) {
		r = read(fd, buf + n, IN_SIZE - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			break;
		n += r;
	}
	return n;
}

/* All of what was read; at the end of the file, all that is in the decoder. */
static int run(struct codec *c, const struct format *f, int out)
{
	size_t before;
	int r;

	do {
		/* xz has padding of its own. */
		if (f->step != xz_step && f->step != plain_step) {
			skip_zeros(c);
			if (c->whole && !c->left)
				return 0;
		}
		before = c->left;
		c->n_out = 0;
		r = f->step(c);
		if (!r && c->n_out && vz_write_all(out, c->out, c->n_out))
			r = -EPIPE;
	} while (!r && (c->left || c->n_out == OUT_SIZE) &&
		 (c->n_out || before != c->left));
	return r;
}

static int decompress(struct codec *c, const struct format *f, int in, uint8_t *buf,
		      ssize_t n, int out, _Atomic uint64_t *done)
{
	int r = f->begin(c);

	while (!r) {
		c->in = buf;
		c->left = n;
		c->last = n < IN_SIZE;
		r = run(c, f, out);
		atomic_fetch_add_explicit(done, n, memory_order_relaxed);
		if (r || c->last)
			break;
		n = fill(in, buf);
		if (n < 0)
			r = n;
	}
	f->end(c);
	return r || c->whole ? r : damaged(c, "cut off");
}

int vz_codec_decompress(int in, int out, _Atomic uint64_t *done, const char **ret_why)
{
	vz_autofree uint8_t *buf = malloc(IN_SIZE), *outbuf = malloc(OUT_SIZE);
	struct codec c = { .out = outbuf };
	ssize_t n;
	int r;

	if (!buf || !outbuf)
		return -ENOMEM;
	n = fill(in, buf);
	if (n < 0)
		return n;
	if (!n) {
		*ret_why = "empty";
		return -EBADMSG;
	}
	r = decompress(&c, find_format(buf, n), in, buf, n, out, done);
	if (r == -EBADMSG)
		*ret_why = c.why;
	return r;
}
