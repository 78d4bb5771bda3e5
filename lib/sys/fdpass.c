/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/fdpass.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(VZ_FDPASS_MAX * sizeof(int))];
};

int vz_fdpass_send(int sock, const void *buf, size_t len, const int *fds, size_t n)
{
	union control c = { 0 };
	struct iovec io = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	struct cmsghdr *h;

	if (n > VZ_FDPASS_MAX)
		return -E2BIG;
	if (n) {
		m.msg_control = c.buf;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	}
	while (sendmsg(sock, &m, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

ssize_t vz_fdpass_recv(int sock, void *buf, size_t len, int *ret_fds, size_t n)
{
	union control c;
	struct iovec io = { .iov_base = buf, .iov_len = len };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = c.buf,
			    .msg_controllen = sizeof(c.buf) };
	bool reset = false;
	ssize_t got;

	/*
	 * A peer that ended without having read all that it was sent: that is told
	 * once, before its last words.
	 */
	while ((got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC)) < 0) {
		if (errno == ECONNRESET && !reset)
			reset = true;
		else if (errno != EINTR)
			return -errno;
	}
	for (size_t i = 0; i < n; i++)
		ret_fds[i] = -1;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		size_t sent = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < sent; i++) {
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (i < n)
				ret_fds[i] = fd;
			else
				close(fd);
		}
	}
	return got;
}
