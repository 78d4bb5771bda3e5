/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_DIGEST_H
#define VZ_SYS_DIGEST_H

#include <stdint.h>

/* SHA-256 in hexadecimal, with its end. */
#define VZ_DIGEST_LEN 65

/*
 * Of a file's contents from its begin; the descriptor's offset is not used. `tick`
 * (may be NULL) is called now and then with the bytes done; other than 0 ends it all
 * and is returned. 0 or -errno.
 */
int vz_digest_fd(int fd, int (*tick)(void *data, uint64_t done), void *data,
		 char ret[VZ_DIGEST_LEN]);

/* The same of its first `len` bytes. */
int vz_digest_part(int fd, uint64_t len, int (*tick)(void *data, uint64_t done),
		   void *data, char ret[VZ_DIGEST_LEN]);

/* Whether s is one. */
int vz_digest_valid(const char *s);

#endif
