/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/digest.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { READ_SIZE = 256 << 10 };

int vz_digest_part(int fd, uint64_t len, int (*tick)(void *data, uint64_t done),
		   void *data, char ret[VZ_DIGEST_LEN])
{
	vz_autofree uint8_t *buf = malloc(READ_SIZE);
	uint8_t sum[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;
	uint64_t at = 0;
	ssize_t n;
	int r;

	if (!buf)
		return -ENOMEM;
	sha256_init(&sha);
	while (at < len) {
		n = pread(fd, buf, len - at < READ_SIZE ? len - at : READ_SIZE, at);
		if (!n)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		sha256_update(&sha, n, buf);
		at += n;
		r = tick ? tick(data, at) : 0;
		if (r)
			return r;
	}
	sha256_digest(&sha, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		sprintf(ret + 2 * i, "%02x", sum[i]);
	return 0;
}

int vz_digest_fd(int fd, int (*tick)(void *data, uint64_t done), void *data,
		 char ret[VZ_DIGEST_LEN])
{
	return vz_digest_part(fd, UINT64_MAX, tick, data, ret);
}

int vz_digest_valid(const char *s)
{
	return strlen(s) == VZ_DIGEST_LEN - 1 &&
	       strspn(s, "0123456789abcdef") == VZ_DIGEST_LEN - 1;
}
