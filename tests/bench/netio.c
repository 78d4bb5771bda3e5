/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much a TCP connection takes.
 *
 *   netio serve ADDRESS PORT            one connection after the other
 *   netio bytes ADDRESS PORT SECONDS    prints megabytes a second, sent
 *   netio asks ADDRESS PORT SECONDS     prints questions and answers a second
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buf[128 << 10];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * Every kernel has reno, and it sends what there is room for: one that paces by what
 * it takes a link to be measures itself.
 */
static int tcp(char **word, struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	*to = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_port = htons(atoi(word[1])) };
	if (inet_pton(AF_INET, word[0], &to->sin_addr) != 1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	return fd;
}

/* The first byte says what the rest is. */
static void answer(int fd)
{
	ssize_t n = read(fd, buf, 1);
	char what = *buf;

	while (n > 0 && (n = read(fd, buf, what == 'b' ? sizeof(buf) : 1)) > 0)
		if (what == 'a' && write(fd, buf, 1) != 1)
			break;
	close(fd);
}

static int serve(char **word)
{
	struct sockaddr_in at;
	int fd = tcp(word, &at), c;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8)) {
		perror("netio");
		return 1;
	}
	while ((c = accept(fd, NULL, NULL)) >= 0)
		answer(c);
	return 1;
}

static int drive(char what, char **word, double seconds)
{
	struct sockaddr_in to;
	int fd = tcp(word, &to);
	double begin = now(), end = begin + seconds, at = begin, n = 0;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    write(fd, &what, 1) != 1) {
		perror("netio");
		return 1;
	}
	while (at < end) {
		size_t len = what == 'b' ? sizeof(buf) : 1;

		if (write(fd, buf, len) != (ssize_t)len ||
		    (what == 'a' && read(fd, buf, 1) != 1))
			return 1;
		n += what == 'b' ? len / 1e6 : 1;
		at = now();
	}
	printf("%.1f\n", n / (at - begin));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "serve"))
		return serve(argv + 2);
	if (argc == 5 && (*argv[1] == 'a' || *argv[1] == 'b'))
		return drive(*argv[1], argv + 2, atof(argv[4]));
	return 2;
}
