/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vz-rsh: what rsync runs in place of ssh where a session is open already, which
 * vzmigrate has left it as descriptor 3 (vzmigrate/channel.h). The command line goes
 * there first, then what rsync says; and back what the other end says. Nothing else is
 * linked in: it runs where there is no /proc.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SESSION 3

static int write_all(int fd, const char *buf, size_t n)
{
	while (n) {
		ssize_t done = write(fd, buf, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		buf += done;
		n -= done;
	}
	return 0;
}

/* Of which there are so many bytes, each word ended by a NUL. */
static int send_words(char **words)
{
	size_t len = 0;
	char head[16];

	for (char **w = words; *w; w++)
		len += strlen(*w) + 1;
	snprintf(head, sizeof(head), "%08zx", len);
	if (write_all(SESSION, head, 8))
		return -1;
	for (char **w = words; *w; w++)
		if (write_all(SESSION, *w, strlen(*w) + 1))
			return -1;
	return 0;
}

/* What there is, on. 0 at its end. */
static ssize_t pass(int from, int to)
{
	char buf[65536];
	ssize_t n;

	do
		n = read(from, buf, sizeof(buf));
	while (n < 0 && errno == EINTR);
	return n > 0 && write_all(to, buf, n) ? -1 : n;
}

int main(int argc, char **argv)
{
	struct pollfd p[] = { { .fd = 0, .events = POLLIN },
			      { .fd = SESSION, .events = POLLIN } };
	ssize_t n = 1;

	/* First comes the node's name, as an rsh has it. */
	if (argc < 3 || send_words(argv + 2))
		return 1;
	while (n > 0) {
		if (poll(p, 2, -1) < 0) {
			if (errno != EINTR)
				return 1;
			continue;
		}
		if (p[1].revents)
			n = pass(SESSION, 1);
		if (p[0].revents && pass(0, SESSION) <= 0) {
			shutdown(SESSION, SHUT_WR);
			p[0].fd = -1;
		}
	}
	return n < 0;
}
