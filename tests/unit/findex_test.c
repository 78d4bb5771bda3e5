/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of a backup, and the sums in it. */
#include "sys/findex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "tests/unit/tap.h"

enum { SIZE = 5 * VZ_FILESUM_BLOCK + 100 };

typedef unsigned char sum_t[VZ_FILESUM_SIZE];

/* In pieces of `piece` bytes; those that are all zeros are not given if `skip`. */
static void sum_pieces(const unsigned char *data, size_t piece, bool skip, sum_t ret)
{
	static const unsigned char zeros[SIZE];
	struct vz_filesum s;

	vz_filesum_begin(&s);
	vz_filesum_words(&s, "x", 1);
	for (size_t at = 0; at < SIZE; at += piece) {
		size_t n = SIZE - at < piece ? SIZE - at : piece;

		if (!skip || memcmp(data + at, zeros, n))
			vz_filesum_data(&s, at, data + at, n);
	}
	vz_filesum_end(&s, ret);
}

static void same_sums(void)
{
	static const size_t pieces[] = { 1, 7, 100, 4095, 4096, 4097, 3 * 4096, SIZE };
	vz_autofd int fd = memfd_create("sum", MFD_CLOEXEC);
	unsigned char data[SIZE] = { 0 };
	struct vz_filesum s;
	sum_t want, got;

	/* A block of zeros in the middle, and one at the end. */
	memset(data, 'a', 4096 + 50);
	memset(data + 3 * 4096 + 17, 'b', 4000);
	sum_pieces(data, SIZE, false, want);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(pieces); i++)
		for (int skip = 0; skip < 2; skip++) {
			sum_pieces(data, pieces[i], skip, got);
			tap_ok(!memcmp(got, want, sizeof(want)),
			       "in pieces of %zu%s the sum is the same", pieces[i],
			       skip ? ", zeros left out," : "");
		}
	/* With holes. */
	tap_ok(pwrite(fd, data, 4146, 0) == 4146 &&
		       pwrite(fd, data + 3 * 4096, 4096, 3 * 4096) == 4096 &&
		       !ftruncate(fd, SIZE),
	       "a file");
	vz_filesum_begin(&s);
	vz_filesum_words(&s, "x", 1);
	tap_ok(!vz_filesum_fd(&s, fd, SIZE, NULL, NULL), "is read");
	vz_filesum_end(&s, got);
	tap_ok(!memcmp(got, want, sizeof(want)), "with the same sum");
	data[4 * 4096] ^= 1;
	sum_pieces(data, SIZE, false, got);
	tap_ok(memcmp(got, want, sizeof(want)), "another byte, another sum");
	vz_filesum_begin(&s);
	vz_filesum_words(&s, "y", 1);
	data[4 * 4096] ^= 1;
	vz_filesum_data(&s, 0, data, SIZE);
	vz_filesum_end(&s, got);
	tap_ok(memcmp(got, want, sizeof(want)), "other words, too");
}

static void round_trip(void)
{
	static const char *const paths[] = { "z", "a/b", "a", "\xff\n", "a/c" };
	vz_autofindex struct vz_findex x = { 0 }, y = { 0 }, bad = { 0 };
	const struct vz_findex_entry *e;
	vz_autofree char *data = NULL;
	sum_t sum = { 1, 2, 3 };
	size_t len = 0, ok = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(paths); i++) {
		sum[0] = i;
		tap_bad += vz_findex_add(&x, paths[i], i % 2, sum) != 0;
	}
	tap_ok(!vz_findex_pack(&x, &data, &len), "packed");
	tap_ok(!vz_findex_unpack(data, len, &y) && y.n == x.n, "unpacked");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(paths); i++) {
		e = vz_findex_find(&y, paths[i]);
		tap_ok(e && e->archive == i % 2 && e->sum[0] == i && e->sum[2] == 3,
		       "entry %zu is there", i);
	}
	tap_ok(!vz_findex_find(&y, "a/"), "nothing else is");
	tap_ok(vz_findex_count(&y, 0) == 3 && vz_findex_count(&y, 1) == 2, "counted");
	/* Cut anywhere but between two entries it is none. */
	for (size_t n = 1; n < len; n++) {
		int r = vz_findex_unpack(data, n, &bad);

		ok += r == -EBADMSG || (!r && bad.n < x.n);
		vz_findex_done(&bad);
	}
	tap_ok(ok == len - 1, "cut off it is not taken for whole");
	tap_ok(!vz_findex_unpack(data, 0, &bad) && !bad.n, "an empty one is one");
}

int main(void)
{
	same_sums();
	round_trip();
	return tap_done();
}
