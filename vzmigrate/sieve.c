/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/sieve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/run.h"
#include "vzmigrate/pages.h"

#define PIECE (256 << 10) /* bytes, whole pages: what a cache holds twice */
#define BUFFER (4 << 20)

struct sieve {
	const struct early *e;
	int from, to;
	size_t page;
	char *piece;
	struct pages_head same; /* what is not said yet; n 0: nothing */
};

static int say_same(struct sieve *s)
{
	int r = s->same.n ? pages_say(s->to, s->e->head, &s->same, NULL, 0) : 0;

	s->same.n = 0;
	return r;
}

static int same(struct sieve *s, const struct pages_head *h, uint64_t at, size_t n)
{
	int r = 0;

	if (s->same.n &&
	    (s->same.whose != h->whose || s->same.at + s->same.n * s->page != at))
		r = say_same(s);
	if (!s->same.n)
		s->same = (struct pages_head){ .command = pages_command(PAGES_ADD,
									PAGES_OF_PARENT),
					       .at = at,
					       .whose = h->whose };
	s->same.n += n / s->page;
	return r;
}

static int differs(struct sieve *s, const struct pages_head *h, uint64_t at,
		   const char *data, size_t n)
{
	struct pages_head head = *h;
	int r = say_same(s);

	head.at = at;
	head.n = n / s->page;
	return r ? r : pages_say(s->to, s->e->head, &head, data, n);
}

static bool is_same(const struct sieve *s, const struct pages_head *h, uint64_t at,
		    const char *data)
{
	const char *sent = early_find(s->e, (pid_t)(h->whose >> 8), at);

	return sent && !memcmp(sent, data, s->page);
}

/* Runs of the one kind and of the other. */
static int pass_piece(struct sieve *s, const struct pages_head *h, uint64_t at, size_t n)
{
	int r = 0;

	for (size_t i = 0, end; i < n && !r; i = end) {
		bool is = is_same(s, h, at + i, s->piece + i);

		for (end = i + s->page; end < n; end += s->page)
			if (is_same(s, h, at + end, s->piece + end) != is)
				break;
		r = is ? same(s, h, at + i, end - i)
		       : differs(s, h, at + i, s->piece + i, end - i);
	}
	return r;
}

static int pass_pages(struct sieve *s, const struct pages_head *h)
{
	bool ours = (h->whose & 0xff) == PAGES_KIND_PROCESS;
	uint64_t left = h->n * (uint64_t)s->page, at = h->at;
	int r = 0;

	/* Of memory that is shared nothing was sent. */
	if (!ours) {
		r = say_same(s);
		if (!r)
			r = pages_say(s->to, s->e->head, h, NULL, 0);
	}
	while (left && !r) {
		size_t n = left < PIECE ? left : PIECE;

		r = pages_read(s->from, s->piece, n);
		if (!r)
			r = ours ? pass_piece(s, h, at, n)
				 : pages_write(s->to, NULL, 0, s->piece, n);
		at += n;
		left -= n;
	}
	return r;
}

/* The answer goes back as it is, but for parents, which criu has none of. */
static int pass_question(struct sieve *s, const struct pages_head *h, size_t answer,
			 bool of_parent)
{
	char buf[sizeof(int32_t)] = { 0 };
	int r = say_same(s);

	if (!r)
		r = pages_say(s->to, s->e->head, h, NULL, 0);
	if (!r)
		r = pages_read(s->to, buf, answer);
	if (!r && of_parent)
		memset(buf, 0, answer);
	return r ? r : pages_write(s->from, buf, answer, NULL, 0);
}

static int pass_command(struct sieve *s, const struct pages_head *h, bool *ret_last)
{
	switch (h->command & 0xffff) {
	case PAGES_ADD:
		if (h->command >> 16 & PAGES_PRESENT)
			return pass_pages(s, h);
		/* fallthrough */
	case PAGES_HOLE:
		return say_same(s) ?: pages_say(s->to, s->e->head, h, NULL, 0);
	case PAGES_OPEN2:
		return pass_question(s, h, 1, true);
	case PAGES_PARENT:
		return pass_question(s, h, sizeof(int32_t), true);
	case PAGES_CLOSE:
	case PAGES_FORCE_CLOSE:
		*ret_last = true;
		return pass_question(s, h, sizeof(int32_t), false);
	default:
		return -EBADMSG;
	}
}

int sieve_run(const struct early *e, int from, int to)
{
	struct sieve s = {
		.e = e, .from = from, .to = to, .page = sysconf(_SC_PAGESIZE)
	};
	vz_autofree char *piece = malloc(PIECE);
	bool last = false;
	int r = piece ? 0 : -ENOMEM;

	s.piece = piece;
	while (!r && !last) {
		struct pages_head h;

		r = pages_read_head(from, e->head, &h);
		if (!r)
			r = pass_command(&s, &h, &last);
	}
	return r;
}

static _Noreturn void become_sieve(const struct early *e, pid_t parent, int from, int to)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(126);
	vz_reset_signals();
	signal(SIGINT, SIG_IGN);
	from = fcntl(from, F_DUPFD, 3);
	to = fcntl(to, F_DUPFD, 3);
	if (from < 0 || to < 0 || dup2(from, 0) < 0 || dup2(to, 1) < 0)
		_exit(126);
	close_range(3, ~0U, 0);
	_exit(sieve_run(e, 0, 1) ? 1 : 0);
}

int sieve_start(const struct early *e, int to, int *ret_fd, int *ret_pidfd)
{
	static const int room = BUFFER;
	pid_t parent = getpid(), pid;
	int sock[2], r = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	setsockopt(sock[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	pid = fork();
	if (!pid)
		become_sieve(e, parent, sock[1], to);
	close(sock[1]);
	if (pid > 0)
		*ret_pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pid < 0 || *ret_pidfd < 0)
		r = -errno;
	if (r)
		close(sock[0]);
	else
		*ret_fd = sock[0];
	return r;
}
