/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_FILESUM_H
#define VZ_SYS_FILESUM_H

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a file is, in one SHA-256: words that describe it, then its contents. A block of
 * zeros is one, be it written or a hole, and costs nothing where it is a hole.
 */
enum { VZ_FILESUM_SIZE = SHA256_DIGEST_SIZE, VZ_FILESUM_BLOCK = 4096 };

struct vz_filesum {
	struct sha256_ctx sha;
	uint64_t block; /* the one that is being put together */
	size_t len; /* how far it has come; 0: none is */
	unsigned char buf[VZ_FILESUM_BLOCK];
};

void vz_filesum_begin(struct vz_filesum *s);
/* Words, before the contents. */
void vz_filesum_words(struct vz_filesum *s, const void *words, size_t len);
/* Contents, from the begin of the file to its end; what is not given is zeros. */
void vz_filesum_data(struct vz_filesum *s, uint64_t at, const void *data, size_t len);
void vz_filesum_end(struct vz_filesum *s, unsigned char ret[VZ_FILESUM_SIZE]);

/*
 * All the contents of an open file of `size` bytes. tick as of vz_tarout_tree(), with
 * bytes of this file; other than 0 is returned. 0 or -errno.
 */
int vz_filesum_fd(struct vz_filesum *s, int fd, uint64_t size,
		  int (*tick)(void *data, uint64_t done), void *data);

#endif
