/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a dump's memory goes over: only what differs from what was sent before, in
 * the words of criu's page server, of both kinds of heads.
 */
#include "vzmigrate/sieve.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "vzmigrate/pages.h"
/* They belong to a tool, not to the library. */
#include "vzmigrate/early.c"
#include "vzmigrate/pages.c"
#include "vzmigrate/sieve.c"

enum { PAGES = 8, VPID = 7 };

static size_t page;
static char *memory;
static struct early early;

/* Pages 0-3 at 0x10000 and 4-7 at 0x40000 of process 7 were sent. */
static void send_before(size_t head)
{
	static struct early_run v[2];
	static struct early_proc p = { .vpid = VPID, .v = v, .n = 2 };

	v[0] = (struct early_run){ 0x10000, 4 * page, 0 };
	v[1] = (struct early_run){ 0x40000, 4 * page, 4 * page };
	early = (struct early){ .procs = &p,
				.n = 1,
				.pages = memory,
				.used = PAGES * page,
				.size = PAGES * page,
				.head = head };
}

struct sides {
	int criu, server, from, to;
	int r;
};

static void *run(void *data)
{
	struct sides *s = data;

	s->r = sieve_run(&early, s->from, s->to);
	close(s->from);
	close(s->to);
	return NULL;
}

static pthread_t begin(struct sides *s)
{
	int a[2], b[2];
	pthread_t t;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, a) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, b))
		abort();
	*s = (struct sides){ a[0], b[0], a[1], b[1], 0 };
	pthread_create(&t, NULL, run, s);
	return t;
}

static void end(struct sides *s, pthread_t t)
{
	pthread_join(t, NULL);
	close(s->criu);
	close(s->server);
}

static void say(struct sides *s, uint32_t command, uint64_t whose, uint64_t at,
		const char *data, uint64_t n)
{
	const struct pages_head h = {
		.command = command, .n = n, .at = at, .whose = whose
	};

	pages_say(s->criu, early.head, &h, data, data ? n * page : 0);
}

static bool heard(struct sides *s, uint32_t command, uint64_t at, uint64_t n)
{
	struct pages_head h;

	return !pages_read_head(s->server, early.head, &h) && h.command == command &&
	       h.at == at && h.n == n;
}

static bool heard_pages(struct sides *s, uint64_t at, const char *data, uint64_t n)
{
	char buf[PAGES * 4096];

	return heard(s, pages_command(PAGES_ADD, PAGES_PRESENT), at, n) &&
	       !pages_read(s->server, buf, n * page) && !memcmp(buf, data, n * page);
}

static bool heard_same(struct sides *s, uint64_t at, uint64_t n)
{
	return heard(s, pages_command(PAGES_ADD, PAGES_OF_PARENT), at, n);
}

static void test_pages(size_t head)
{
	const uint32_t add = pages_command(PAGES_ADD, PAGES_PRESENT);
	vz_autofree char *now = malloc(PAGES * page);
	struct sides s;
	int32_t status = 0;
	pthread_t t;
	char one = 1;

	send_before(head);
	memcpy(now, memory, PAGES * page);
	now[2 * page + 17] ^= 1;
	t = begin(&s);
	say(&s, PAGES_OPEN2, pages_of(VPID), 0, NULL, 0);
	tap_ok(heard(&s, PAGES_OPEN2, 0, 0), "it is asked for the process");
	pages_write(s.server, &one, 1, NULL, 0);
	tap_ok(!pages_read(s.criu, &one, 1) && !one, "criu knows of no parent");

	say(&s, add, pages_of(VPID), 0x10000, now, 4);
	say(&s, add, pages_of(VPID), 0x10000 + 4 * page, now + 4 * page, 1);
	say(&s, add, pages_of(VPID), 0x40000, now + 4 * page, 4);
	say(&s, add, pages_of(VPID + 1), 0x40000, now + 4 * page, 1);
	say(&s, add, (uint64_t)VPID << 8 | 2, 0x40000, now + 4 * page, 1);
	say(&s, PAGES_FORCE_CLOSE, 0, 0, NULL, 0);
	tap_ok(heard_same(&s, 0x10000, 2), "pages as they were are of the parent");
	tap_ok(heard_pages(&s, 0x10000 + 2 * page, now + 2 * page, 1),
	       "one bit makes a page another");
	tap_ok(heard_same(&s, 0x10000 + 3 * page, 1), "the next one is as it was");
	tap_ok(heard_pages(&s, 0x10000 + 4 * page, now + 4 * page, 1),
	       "the same bytes where nothing was sent");
	tap_ok(heard_same(&s, 0x40000, 4), "another mapping");
	tap_ok(heard_pages(&s, 0x40000, now + 4 * page, 1), "another process");
	tap_ok(heard_pages(&s, 0x40000, now + 4 * page, 1), "shared memory");
	tap_ok(heard(&s, PAGES_FORCE_CLOSE, 0, 0), "the end");
	status = 5;
	pages_write(s.server, &status, sizeof(status), NULL, 0);
	status = 0;
	tap_ok(!pages_read(s.criu, &status, sizeof(status)) && status == 5,
	       "what the server says of it");
	end(&s, t);
	tap_is_int(s.r, 0, "all was passed on");
}

static void test_ends(size_t head)
{
	const uint32_t add = pages_command(PAGES_ADD, PAGES_PRESENT);
	struct sides s;
	pthread_t t;

	send_before(head);
	t = begin(&s);
	say(&s, add, pages_of(VPID), 0x10000, NULL, 4);
	pages_write(s.criu, memory, page, NULL, 0);
	shutdown(s.criu, SHUT_RDWR);
	end(&s, t);
	tap_is_int(s.r, -EPIPE, "criu dies in the midst of pages");

	t = begin(&s);
	say(&s, 77, 0, 0, NULL, 0);
	end(&s, t);
	tap_is_int(s.r, -EBADMSG, "a word that is not known");

	t = begin(&s);
	shutdown(s.server, SHUT_RDWR);
	say(&s, PAGES_OPEN2, pages_of(VPID), 0, NULL, 0);
	end(&s, t);
	tap_ok(s.r < 0, "the way to the server is cut");
}

static void test_versions(void)
{
	tap_is_int(pages_head_size(31701), 24, "Debian 12's");
	tap_is_int(pages_head_size(40101), 24, "the last with short heads");
	tap_is_int(pages_head_size(40201), 32, "the first with long ones");
	tap_is_int(pages_head_size(50000), 0, "one that is not known");
}

int main(void)
{
	page = sysconf(_SC_PAGESIZE);
	memory = malloc(PAGES * page);
	for (size_t i = 0; i < PAGES * page; i++)
		memory[i] = (char)(i * 31 + i / page);
	test_pages(24);
	test_pages(32);
	test_ends(24);
	test_ends(32);
	test_versions();
	free(memory);
	return tap_done();
}
