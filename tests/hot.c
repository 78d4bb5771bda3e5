/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program whose memory changes as it answers: what a live migration has most trouble
 * with. Every byte of its memory has a value that it knows, so that a wrong one is seen.
 *
 *   hot serve PORT MIB HOT_MIB MIB_PER_S
 *       has MIB of memory, of which it rewrites HOT_MIB at that rate, and answers on
 *       TCP: to a byte 'p' with 'p', to 'v' with how many words of its memory are wrong,
 *       as 8 digits.
 *   hot ask ADDRESS PORT FILE
 *       asks every 10 ms on one connection until FILE is there; then prints "gap MS" (the
 *       longest between two answers), "answers N" and "wrong N". Exit status 1 when the
 *       connection is lost.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define WORDS (PAGE / sizeof(uint64_t))
#define CLIENTS 8
#define TICK_MS 5

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* --- the server --- */

struct memory {
	uint64_t *words;
	uint32_t *version; /* of each page */
	size_t pages, hot, next;
};

static uint64_t value(size_t page, uint32_t version, size_t i)
{
	return (page * 0x9e3779b97f4a7c15ull) ^ ((uint64_t)version << 32) ^ i;
}

static void write_page(struct memory *m, size_t page)
{
	uint64_t *w = m->words + page * WORDS;

	m->version[page]++;
	for (size_t i = 0; i < WORDS; i++)
		w[i] = value(page, m->version[page], i);
}

static unsigned int count_wrong(const struct memory *m)
{
	unsigned int wrong = 0;

	for (size_t p = 0; p < m->pages; p++)
		for (size_t i = 0; i < WORDS; i++)
			wrong += m->words[p * WORDS + i] != value(p, m->version[p], i);
	return wrong;
}

static int begin(struct memory *m, size_t mib, size_t hot_mib)
{
	m->pages = (mib << 20) / PAGE;
	m->hot = (hot_mib << 20) / PAGE;
	m->words = mmap(NULL, m->pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	m->version = calloc(m->pages, sizeof(*m->version));
	if (m->words == MAP_FAILED || !m->version)
		return -1;
	for (size_t p = 0; p < m->pages; p++)
		write_page(m, p);
	return 0;
}

static int listen_on(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8) ? -1 : fd;
}

static int answer(const struct memory *m, int fd)
{
	char ask, text[16];

	if (read(fd, &ask, 1) != 1)
		return -1;
	if (ask == 'p')
		return write(fd, "p", 1) == 1 ? 0 : -1;
	snprintf(text, sizeof(text), "%08u", count_wrong(m));
	return write(fd, text, 8) == 8 ? 0 : -1;
}

static int serve(int port, size_t mib, size_t hot_mib, size_t rate)
{
	struct pollfd p[1 + CLIENTS];
	struct memory m = { 0 };
	int64_t last = now_us(), owed = 0;
	int on = 1;

	for (int i = 0; i <= CLIENTS; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	/* Who reaches it finds it with all its memory. */
	if (begin(&m, mib, hot_mib) || (p[0].fd = listen_on(port)) < 0)
		return perror("hot"), 1;
	for (;;) {
		int64_t now;

		poll(p, 1 + CLIENTS, TICK_MS);
		for (int i = 1; i <= CLIENTS; i++) {
			if (p[0].revents && p[i].fd < 0) {
				p[i].fd = accept(p[0].fd, NULL, NULL);
				setsockopt(p[i].fd, IPPROTO_TCP, TCP_NODELAY, &on,
					   sizeof(on));
				p[i].revents = p[0].revents = 0;
			}
			if (p[i].fd >= 0 && p[i].revents && answer(&m, p[i].fd)) {
				close(p[i].fd);
				p[i].fd = -1;
			}
		}
		now = now_us();
		/* What was not written while it stood still is not made up for. */
		owed += now - last < 50000 ? (now - last) * (int64_t)rate : 0;
		last = now;
		for (; m.hot && owed >= PAGE; owed -= PAGE) {
			write_page(&m, m.next);
			m.next = (m.next + 1) % m.hot;
		}
	}
}

/* --- the client --- */

static int reach(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	inet_pton(AF_INET, address, &to.sin_addr);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -1 : fd;
}

static int read_all(int fd, char *buf, size_t n)
{
	while (n) {
		ssize_t got = read(fd, buf, n);

		if (got <= 0)
			return -1;
		buf += got;
		n -= got;
	}
	return 0;
}

static int ask(const char *address, int port, const char *file)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int64_t last, longest = 0;
	long answers = 0;
	int fd = reach(address, port);
	char text[16] = "";

	if (fd < 0)
		return perror(address), 1;
	last = now_us();
	for (; access(file, F_OK); answers++) {
		int64_t now;

		if (write(fd, "p", 1) != 1 || read_all(fd, text, 1))
			return perror("the connection is lost"), 1;
		now = now_us();
		longest = now - last > longest ? now - last : longest;
		last = now;
		nanosleep(&pause, NULL);
	}
	if (write(fd, "v", 1) != 1 || read_all(fd, text, 8))
		return perror("the connection is lost"), 1;
	printf("gap %lld.%03d\nanswers %ld\nwrong %d\n", (long long)longest / 1000,
	       (int)(longest % 1000), answers, atoi(text));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "serve"))
		return serve(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	if (argc == 5 && !strcmp(argv[1], "ask"))
		return ask(argv[2], atoi(argv[3]), argv[4]);
	fputs("hot: see the source\n", stderr);
	return 2;
}
