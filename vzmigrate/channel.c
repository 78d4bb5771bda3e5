/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "base/run.h"
#include "sys/fdpass.h"
#include "vzmigrate/child.h"

/* What the other end says first. A shell that prints at login says something else. */
#define READY 'R'
#define READY_MS 60000
#define END_MS 2000
/* A command line of rsync's. */
#define WORDS_MAX 65536
/* How much goes on at once; what an unprivileged pipe may have room for. */
#define PASS_MAX (1 << 20)

/* --- the source --- */

static int wait_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c = 0;
	int n;

	do
		n = poll(&p, 1, READY_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	if (read(fd, &c, 1) != 1)
		return -EPIPE;
	return c == READY ? 0 : -EBADMSG;
}

int channel_open(const struct peer *p, enum channel_kind kind, const char *id,
		 struct channel *ret, struct vz_err *err)
{
	autochannel struct channel c = CHANNEL_NONE;
	vz_autofree char *path = vz_strf("%s/s", p->dir);
	vz_autofree char *there =
		vz_strf("env PATH=" VZ_RUN_PATH " vzmigrate --serve-channel %s",
			kind == CHANNEL_RSYNC ? "rsync" : id);
	const char *const argv[] = {
		"ssh", "-F",   "none",		"-T", "-S",
		path,  "-o",   "BatchMode=yes", "-o", "ProxyCommand=false",
		"--",  "node", there,		NULL
	};
	int sock[2], r = path && there ? 0 : -ENOMEM;

	if (!r && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		r = -errno;
	if (!r) {
		struct child ssh = { .argv = argv,
				     .fd = { sock[1], sock[1], -1 },
				     .deaf = true };

		r = child_start(&ssh, &c.ssh);
		close(sock[1]);
		c.fd = sock[0];
	}
	if (!r)
		r = wait_ready(c.fd);
	if (r)
		return mig_fail(err, MIG_E_CONNECT, -r,
				"no further session to %s (MaxSessions of its sshd?)",
				p->dest);
	*ret = c;
	c = CHANNEL_NONE;
	return 0;
}

void channel_close(struct channel *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->ssh >= 0) {
		if (vz_run_wait(c->ssh, END_MS) == -ETIMEDOUT)
			child_kill(c->ssh);
		close(c->ssh);
	}
	*c = CHANNEL_NONE;
}

/* --- the destination --- */

static int say_ready(void)
{
	static const char ready = READY;

	return vz_write_all(1, &ready, 1);
}

static int read_exact(int fd, char *buf, size_t n)
{
	while (n) {
		ssize_t got = read(fd, buf, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EPIPE;
		buf += got;
		n -= got;
	}
	return 0;
}

static int become_rsync(void)
{
	vz_autofree char **argv = NULL;
	vz_autofree char *words = NULL;
	char head[9] = "";
	size_t len, n = 0;

	if (say_ready() || read_exact(0, head, 8) || sscanf(head, "%8zx", &len) != 1 ||
	    len > WORDS_MAX)
		return 1;
	words = calloc(1, len + 1);
	argv = calloc(len + 1, sizeof(*argv));
	if (!words || !argv || read_exact(0, words, len))
		return 1;
	for (char *s = words; s < words + len; s += strlen(s) + 1)
		argv[n++] = s;
	if (!n || strcmp(argv[0], "rsync"))
		return 1;
	execvp("rsync", argv);
	return 127;
}

static socklen_t address_of(const char *id, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* A name of no directory: nothing is left of it. Who is root is asked for. */
	snprintf(ret->sun_path + 1, sizeof(ret->sun_path) - 1, "vzmigrate/%s", id);
	return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(ret->sun_path + 1);
}

static bool is_root(int sock)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) && !peer.uid;
}

/* What there is, on; from a pipe without looking at it. 0 at its end, or -errno. */
static ssize_t pass(int from, int to)
{
	char buf[65536];
	ssize_t n = splice(from, NULL, to, NULL, PASS_MAX, SPLICE_F_MOVE);
	int r;

	if (n >= 0 || errno != EINVAL)
		return n < 0 ? -errno : n;
	n = read(from, buf, sizeof(buf));
	r = n > 0 ? vz_write_all(to, buf, n) : 0;
	return n < 0 ? -errno : r ? r : n;
}

/* sshd gives a program pipes, or a socket; criu wants a socket. */
static int relay(int sock)
{
	struct pollfd p[] = { { .fd = 0, .events = POLLIN },
			      { .fd = sock, .events = POLLIN } };
	ssize_t n = 1;

	fcntl(0, F_SETPIPE_SZ, PASS_MAX);
	while (n > 0 || n == -EINTR) {
		if (poll(p, 2, -1) < 0)
			return 1;
		if (p[1].revents)
			n = pass(sock, 1);
		if (p[0].revents && pass(0, sock) <= 0) {
			shutdown(sock, SHUT_WR);
			p[0].fd = -1;
		}
	}
	return n < 0;
}

static int lend_socket(const char *id)
{
	struct sockaddr_un to;
	socklen_t len = address_of(id, &to);
	vz_autofd int server = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int sock[2];

	if (server < 0 || connect(server, (struct sockaddr *)&to, len) ||
	    !is_root(server) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) ||
	    vz_fdpass_send(server, "end", 3, &sock[1], 1) || close(sock[1]) ||
	    say_ready())
		return 1;
	return relay(sock[0]);
}

int channel_serve(const char *what)
{
	return strcmp(what, "rsync") ? lend_socket(what) : become_rsync();
}

int channel_listen(const char *id)
{
	struct sockaddr_un at;
	socklen_t len = address_of(id, &at);
	vz_autofd int sock =
		socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0 || bind(sock, (struct sockaddr *)&at, len) || listen(sock, 4))
		return -errno;
	return vz_take_fd(&sock);
}

/* It said that it is ready after it had sent it: there is nothing to wait for. */
int channel_accept(int listener)
{
	vz_autofd int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int end = -1;
	char word[8];
	ssize_t n;

	if (sock < 0)
		return -errno;
	if (!is_root(sock))
		return -EPERM;
	n = vz_fdpass_recv(sock, word, sizeof(word), &end, 1);
	return end >= 0 ? end : n < 0 ? n : -EBADMSG;
}
