/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/pages.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Before 4.2, and since. */
struct narrow {
	uint32_t command, n;
	uint64_t at, whose;
};
struct wide {
	uint32_t command, none;
	uint64_t n, at, whose;
};

size_t pages_head_size(uint32_t version)
{
	if (version >= 31000 && version < 40200)
		return sizeof(struct narrow);
	return version >= 40200 && version < 40300 ? sizeof(struct wide) : 0;
}

int pages_read(int fd, void *buf, size_t n)
{
	char *at = buf;

	while (n) {
		ssize_t got = recv(fd, at, n, MSG_WAITALL);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EPIPE;
		at += got;
		n -= got;
	}
	return 0;
}

int pages_write(int fd, const void *head, size_t head_n, const void *data, size_t n)
{
	struct iovec v[] = { { (void *)head, head_n }, { (void *)data, n } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	while (v[0].iov_len + v[1].iov_len) {
		ssize_t done = sendmsg(fd, &m, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		for (int i = 0; i < 2; i++) {
			size_t part =
				(size_t)done < v[i].iov_len ? (size_t)done : v[i].iov_len;

			v[i].iov_base = (char *)v[i].iov_base + part;
			v[i].iov_len -= part;
			done -= part;
		}
	}
	return 0;
}

int pages_read_head(int fd, size_t size, struct pages_head *ret)
{
	struct narrow n = { 0 };
	struct wide w = { 0 };
	bool is_wide = size == sizeof(w);
	int r = pages_read(fd, is_wide ? (void *)&w : &n, size);

	*ret = is_wide ? (struct pages_head){ w.command, w.n, w.at, w.whose }
		       : (struct pages_head){ n.command, n.n, n.at, n.whose };
	return r;
}

int pages_say(int fd, size_t size, const struct pages_head *h, const void *data, size_t n)
{
	const struct narrow narrow = { h->command, (uint32_t)h->n, h->at, h->whose };
	const struct wide wide = { h->command, 0, h->n, h->at, h->whose };

	if (size == sizeof(wide))
		return pages_write(fd, &wide, sizeof(wide), data, n);
	return pages_write(fd, &narrow, sizeof(narrow), data, n);
}
