/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * So many bytes by TCP, for tests of what a link lets through.
 *
 *   stream receive PORT           one connection; prints bytes and microseconds
 *   stream send ADDRESS PORT N    N bytes, tried until somebody listens
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536 };
static char buf[CHUNK];

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* The time runs from before the first byte was sent: it is there then. */
static int receive_all(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, peer;
	long long total = 0;
	int64_t began;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 1))
		return 1;
	peer = accept(fd, NULL, NULL);
	began = now_us();
	while ((n = read(peer, buf, sizeof(buf))) > 0)
		total += n;
	printf("%lld %lld\n", total, (long long)(now_us() - began));
	return n < 0;
}

static int send_all(const char *address, int port, long long left)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	ssize_t n;
	int fd = -1;

	if (!inet_pton(AF_INET, address, &to.sin_addr))
		return 2;
	for (int i = 0; i < 100; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			break;
		close(fd);
		fd = -1;
		usleep(50000);
	}
	while (fd >= 0 && left > 0) {
		n = write(fd, buf, left < CHUNK ? left : CHUNK);
		if (n < 0 && errno != EINTR)
			return 1;
		left -= n > 0 ? n : 0;
	}
	return fd < 0;
}

int main(int argc, char **argv)
{
	alarm(60);
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return receive_all(atoi(argv[2]));
	if (argc == 5 && !strcmp(argv[1], "send"))
		return send_all(argv[2], atoi(argv[3]), atoll(argv[4]));
	return 2;
}
