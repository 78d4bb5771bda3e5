/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decompressors: what they take, and that nothing damaged gets by. */
#include <errno.h>
#include <lzma.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/fs.h"
#include "sys/codec.h"
#include "tests/unit/tap.h"

enum { ZSTD, GZIP, XZ, PLAIN, N_FORMATS };
static const char *const names[] = { "zstd", "gzip", "xz", "plain" };

/* Half of it can't be compressed, so that a file is longer than a buffer. */
static uint8_t *make_data(size_t n)
{
	uint8_t *data = malloc(n + 1);

	srand(1);
	for (size_t i = 0; i < n; i++)
		data[i] = i & 4096 ? 'x' : rand() >> 7;
	return data;
}

static size_t zstd(const uint8_t *data, size_t n, uint8_t *out, size_t max)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t r;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	r = ZSTD_compress2(c, out, max, data, n);
	ZSTD_freeCCtx(c);
	return r;
}

static size_t gzip(const uint8_t *data, size_t n, uint8_t *out, size_t max)
{
	z_stream z = { .next_in = (uint8_t *)data, .avail_in = n };

	z.next_out = out;
	z.avail_out = max;
	deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return max - z.avail_out;
}

static size_t compress_as(int format, const uint8_t *data, size_t n, uint8_t *out,
			  size_t max)
{
	size_t at = 0;

	if (format == ZSTD)
		return zstd(data, n, out, max);
	if (format == GZIP)
		return gzip(data, n, out, max);
	if (format == XZ) {
		lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, data, n, out, &at,
					max);
		return at;
	}
	memcpy(out, data, n);
	return n;
}

/* The result, and whether what came out is data: all of it, or its beginning. */
static int decompress(const uint8_t *file, size_t n, const uint8_t *data, size_t len,
		      bool *ret_same)
{
	int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	_Atomic uint64_t done = 0;
	const char *why = NULL;
	uint8_t *back;
	off_t size;
	int r = vz_write_all(in, file, n);

	lseek(in, 0, SEEK_SET);
	if (!r)
		r = vz_codec_decompress(in, out, &done, &why);
	size = lseek(out, 0, SEEK_END);
	back = malloc(size + 1);
	*ret_same = pread(out, back, size, 0) == size && (size_t)size == len &&
		    !memcmp(back, data, len);
	if (r == -EBADMSG && !why)
		r = -EFAULT;
	free(back);
	close(in);
	close(out);
	return r;
}

static void check_sizes(int format)
{
	static const size_t sizes[] = { 1, 100, 4096, 262144, 262145, 3 << 20 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t n = sizes[i], max = 2 * n + 4096, len;
		uint8_t *data = make_data(n), *file = malloc(max);
		bool same;
		int r;

		len = compress_as(format, data, n, file, max);
		r = decompress(file, len, data, n, &same);
		tap_ok(!r && same, "%s: %zu bytes come back", names[format], n);
		free(data);
		free(file);
	}
}

/* What follows a whole file: another one, zeros, or what does not belong there. */
static void check_tail(int format)
{
	size_t n = 300000, max = 4 * n, len, more;
	uint8_t *data = make_data(2 * n), *file = malloc(max);
	bool same;
	int r;

	len = compress_as(format, data, n, file, max);
	more = compress_as(format, data + n, n, file + len, max - len);
	r = decompress(file, len + more, data, 2 * n, &same);
	tap_ok(!r && same, "%s: two in one file", names[format]);
	memset(file + len, 0, 10240);
	r = decompress(file, len + 10240, data, n, &same);
	tap_ok(!r && same, "%s: zeros behind it", names[format]);
	memcpy(file + len, "rubbish!", 8);
	r = decompress(file, len + 8, data, n, &same);
	tap_ok(r == -EBADMSG, "%s: rubbish behind it is refused", names[format]);
	memcpy(file + len, "\0\0\0\0rubbish!", 12);
	r = decompress(file, len + 12, data, n, &same);
	tap_ok(r == -EBADMSG, "%s: also behind zeros", names[format]);
	free(data);
	free(file);
}

static void check_damage(int format)
{
	size_t n = 300000, max = 2 * n, len, bad = 0, cut = 0, tried = 0;
	uint8_t *data = make_data(n), *file = malloc(max);
	bool same;
	int r;

	len = compress_as(format, data, n, file, max);
	for (size_t back = 1; back < len; back = back < 40 ? back + 1 : back * 3) {
		size_t at = len - back;

		tried++;
		/* A cut before the magic's end makes it another kind of file. */
		cut += at < 6 || decompress(file, at, data, n, &same) == -EBADMSG;
		file[at] ^= 0x10;
		/* Not each bit of a header says something of the contents. */
		r = decompress(file, len, data, n, &same);
		bad += r == -EBADMSG || (!r && same);
		file[at] ^= 0x10;
	}
	tap_ok(bad == tried, "%s: %zu files with a bit changed, %zu refused or the same",
	       names[format], tried, bad);
	tap_ok(cut == tried, "%s: %zu files cut off, %zu refused", names[format], tried,
	       cut);
	free(data);
	free(file);
}

static void check_reader_gone(void)
{
	uint8_t *data = make_data(1 << 20), *file = malloc(3 << 20);
	size_t len = compress_as(GZIP, data, 1 << 20, file, 3 << 20);
	int in = memfd_create("in", MFD_CLOEXEC), p[2];
	_Atomic uint64_t done = 0;
	const char *why;
	int r = vz_write_all(in, file, len);

	signal(SIGPIPE, SIG_IGN);
	lseek(in, 0, SEEK_SET);
	if (!r && !pipe(p)) {
		close(p[0]);
		r = vz_codec_decompress(in, p[1], &done, &why);
		close(p[1]);
	}
	tap_ok(r == -EPIPE, "nobody reads: EPIPE");
	close(in);
	free(data);
	free(file);
}

int main(void)
{
	bool same;

	for (int f = 0; f < N_FORMATS; f++)
		check_sizes(f);
	for (int f = 0; f < PLAIN; f++) {
		check_tail(f);
		check_damage(f);
	}
	tap_ok(decompress((const uint8_t *)"", 0, (const uint8_t *)"", 0, &same) ==
		       -EBADMSG,
	       "an empty file is refused");
	check_reader_gone();
	return tap_done();
}
