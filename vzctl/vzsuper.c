/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vzsuper: the parent of a VE's init. It stays as long as the VE runs, so it
 * is small: static, no stdio, no allocation. It owns the console and its log,
 * tells a waiting `vzctl start` that the VE is up, and when init has ended it
 * learns how, and hands over to `vzctl ended`. See ve/super.h for what it
 * gets. Killed, it leaves a VE that runs on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VZ_SUPER_ITSELF
#include "ve/console.h"
#include "ve/super.h"

#define LOG_MAX (128 * 1024) /* then it is renamed to VEID.console.1 */
#define BURST_MAX (512 * 1024) /* bytes a second of console that are read */
#define NOTIFY_MAX 64 /* words a second, of who is not up yet */

/* PIDFD_GET_INFO (Linux 6.15): how a process that is no child has ended. */
struct pidfd_exit_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ids[8];
	int32_t exit_code;
	uint32_t coredump[2], reserved[8];
};
#define PIDFD_INFO_EXIT_BIT 8
#define PIDFD_GET_INFO_CALL _IOWR(0xFF, 11, struct pidfd_exit_info)

struct super {
	char **argv;
	pid_t init;
	int epoll, log, client;
	off_t log_size;
	const char *how; /* it ended; NULL: it runs */
	bool console_open, console_more; /* more to read, but the burst is used up */
	uint32_t burst; /* bytes read since burst_at */
	int64_t burst_at;
	uint32_t words; /* of VZ_SUPER_NOTIFY, since words_at */
	int64_t words_at;
	bool deaf; /* to it, for the rest of the second */
	char pending[1024]; /* typed, but not yet taken by the VE */
	size_t n_pending;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/*
 * Never on a number that means something else: what an adopted VE has not got,
 * as a console, is as free as the notify socket when the VE is up.
 */
static int move_high(int fd)
{
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, VZ_SUPER__END);

	if (fd >= 0)
		close(fd);
	return high;
}

static void watch(struct super *s, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &e) && errno == ENOENT)
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e);
}

/* -- the log of the console -- */

static void log_name(const struct super *s, char *name, const char *suffix)
{
	char *at = stpncpy(name, s->argv[VZ_SUPER_ARG_VEID], 12);

	strcpy(stpcpy(at, ".console"), suffix);
}

static void open_log(struct super *s)
{
	struct stat st;
	char name[32];

	log_name(s, name, "");
	s->log = move_high(openat(VZ_SUPER_LOG, name,
				  O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				  0600));
	s->log_size = s->log >= 0 && !fstat(s->log, &st) ? st.st_size : 0;
}

static void log_console(struct super *s, const char *buf, size_t n)
{
	char name[32], old[32];

	if (!is_open(VZ_SUPER_LOG))
		return;
	if (s->log >= 0 && s->log_size + (off_t)n > LOG_MAX) {
		log_name(s, name, "");
		log_name(s, old, ".1");
		renameat(VZ_SUPER_LOG, name, VZ_SUPER_LOG, old);
		close(s->log);
		s->log = -1;
	}
	if (s->log < 0)
		open_log(s);
	if (s->log >= 0 && write(s->log, buf, n) > 0)
		s->log_size += n;
}

/* -- the console -- */

static void drop_client(struct super *s)
{
	if (s->client >= 0)
		close(s->client);
	s->client = -1;
}

/* How much of the second's share is left: a VE must not keep the host busy. */
static bool may_read(struct super *s)
{
	int64_t now = now_ms();

	if (now - s->burst_at >= 1000) {
		s->burst_at = now;
		s->burst = 0;
	}
	return s->burst < BURST_MAX;
}

/*
 * Edge-triggered, since the master is hung up whenever no process of the VE
 * has the console open: so all that there is has to be read.
 */
static void read_console(struct super *s)
{
	char buf[4096];
	ssize_t n;

	while ((s->console_more = !may_read(s)) == false) {
		n = read(VZ_SUPER_CONSOLE, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		s->burst += n;
		log_console(s, buf, n);
		/* A client that does not read misses something: the VE goes on. */
		if (s->client >= 0 &&
		    send(s->client, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		    errno != EAGAIN)
			drop_client(s);
	}
}

/* What was typed goes in as the VE takes it; more is not read until then. */
static void write_console(struct super *s)
{
	ssize_t n = write(VZ_SUPER_CONSOLE, s->pending, s->n_pending);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		n = s->n_pending; /* nobody has the console open */
	if (n > 0) {
		s->n_pending -= n;
		memmove(s->pending, s->pending + n, s->n_pending);
	}
	watch(s, VZ_SUPER_CONSOLE,
	      EPOLLIN | EPOLLET | (s->n_pending ? (uint32_t)EPOLLOUT : 0));
	if (s->client >= 0)
		watch(s, s->client, s->n_pending ? 0 : EPOLLIN);
}

static void accept_client(struct super *s)
{
	int fd = move_high(
		accept4(VZ_SUPER_CONTROL, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	char answer = !s->console_open ? VZ_CONSOLE_GONE
		      : s->client >= 0 ? VZ_CONSOLE_BUSY
				       : VZ_CONSOLE_YOURS;

	if (fd < 0)
		return;
	if (send(fd, &answer, 1, MSG_NOSIGNAL) != 1 || answer != VZ_CONSOLE_YOURS) {
		close(fd);
		return;
	}
	s->client = fd;
	watch(s, fd, EPOLLIN);
}

/* A packet: what it is, then its bytes. */
static void read_client(struct super *s)
{
	char buf[1 + sizeof(s->pending)];
	ssize_t n = recv(s->client, buf, sizeof(buf), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop_client(s);
	} else if (*buf == VZ_CONSOLE_SIZE && n == 1 + sizeof(struct winsize)) {
		ioctl(VZ_SUPER_CONSOLE, TIOCSWINSZ, buf + 1);
	} else if (*buf == VZ_CONSOLE_INPUT) {
		memcpy(s->pending, buf + 1, n - 1);
		s->n_pending = n - 1;
		write_console(s);
	}
}

/* -- ready -- */

static void tell_ready(int fd)
{
	if (is_open(VZ_SUPER_WAITER) && write(VZ_SUPER_WAITER, "r", 1) < 0)
		errno = 0; /* it did not wait for us */
	close(VZ_SUPER_WAITER);
	close(fd);
}

static bool says_ready(const char *s, size_t n)
{
	static const char word[] = "READY=1";
	const size_t len = sizeof(word) - 1;

	for (size_t i = 0; i + len <= n; i++)
		if ((!i || s[i - 1] == '\n') && !memcmp(s + i, word, len) &&
		    (i + len == n || s[i + len] == '\n'))
			return true;
	return false;
}

/* A VE that floods its supervisor waits for an answer, not the node. */
static bool may_hear(struct super *s)
{
	int64_t now = now_ms();

	if (now - s->words_at >= 1000) {
		s->words_at = now;
		s->words = 0;
	}
	return s->words++ < NOTIFY_MAX;
}

/* Each process of the VE may write here: only what process 1 says counts. */
static void read_notify(struct super *s)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct ucred)) + 256];
	} control;
	char text[1024];
	struct iovec io = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	ssize_t n = recvmsg(VZ_SUPER_NOTIFY, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct ucred who = { 0 };
	int fd;

	if (n < 0)
		return;
	s->deaf = !may_hear(s);
	if (s->deaf)
		watch(s, VZ_SUPER_NOTIFY, 0);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_level != SOL_SOCKET)
			continue;
		if (h->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(h), sizeof(who));
		for (size_t i = 0; h->cmsg_type == SCM_RIGHTS &&
				   CMSG_LEN((i + 1) * sizeof(fd)) <= h->cmsg_len;
		     i++) {
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
			close(fd);
		}
	}
	if (who.pid == s->init && says_ready(text, n))
		tell_ready(VZ_SUPER_NOTIFY);
}

static void hear_again(struct super *s)
{
	s->deaf = false;
	if (is_open(VZ_SUPER_NOTIFY))
		watch(s, VZ_SUPER_NOTIFY, EPOLLIN);
}

static void read_fifo(void)
{
	char c;

	if (read(VZ_SUPER_READY, &c, 1) == 1)
		tell_ready(VZ_SUPER_READY);
}

/* -- quotas of the VE's users -- */

/* Whoever answers them stays from the first call on; it is no child of ours. */
static void start_ugid(struct super *s)
{
	char *argv[] = { "vzugid", s->argv[VZ_SUPER_ARG_VEID], NULL };
	pid_t pid = fork();

	if (!pid && !fork() && dup2(VZ_SUPER_QUOTA, VZ_SUPER_INIT) >= 0)
		execve(s->argv[VZ_SUPER_ARG_UGID], argv, environ);
	if (!pid)
		_exit(1);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	/* It has another descriptor of it: closing ours alone would not end that. */
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, VZ_SUPER_QUOTA, NULL);
	close(VZ_SUPER_QUOTA);
}

/* -- the end -- */

/* Whether its parent has seen how it ended: then its number may be another's. */
static bool is_reaped(void)
{
	struct pollfd p = { .fd = VZ_SUPER_INIT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

/* Field 52 of /proc/PID/stat: the name in field 2 may hold anything. */
static int zombie_status(const char *pid)
{
	char path[32], buf[1024], *at;
	ssize_t n;
	int fd;

	strcpy(stpncpy(stpcpy(path, "/proc/"), pid, 12), "/stat");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0 || is_reaped())
		return -1;
	buf[n] = 0;
	at = strrchr(buf, ')');
	for (int field = 2; at && field < 52; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? atoi(at) : -1;
}

/* The signal that ended init; 0: it exited, or nothing tells. */
static int end_signal(const struct super *s)
{
	struct pidfd_exit_info info = { .mask = PIDFD_INFO_EXIT_BIT };
	siginfo_t si = { 0 };
	int status;

	if (!waitid(P_PIDFD, VZ_SUPER_INIT, &si, WEXITED))
		return si.si_code == CLD_EXITED ? 0 : si.si_status;
	/* An adopted one is another's child. */
	status = zombie_status(s->argv[VZ_SUPER_ARG_PID]);
	if (status >= 0)
		return status & 0x7f;
	if (!ioctl(VZ_SUPER_INIT, PIDFD_GET_INFO_CALL, &info) &&
	    info.mask & PIDFD_INFO_EXIT_BIT)
		return info.exit_code & 0x7f;
	return 0;
}

/* What reboot(2) in a pid namespace makes of its process 1. */
static const char *how_ended(const struct super *s)
{
	int sig = end_signal(s);

	if (sig == SIGHUP)
		return "reboot";
	return !sig || sig == SIGINT ? "halt" : "killed";
}

static void record_lock(int fd, int type)
{
	struct flock all = { .l_type = type, .l_whence = SEEK_SET };

	while (fcntl(fd, F_OFD_SETLKW, &all))
		if (errno != EINTR)
			_exit(1);
}

/* Whoever had the VE's lock has removed what there was, and perhaps started anew. */
static bool is_cleaned(void)
{
	struct stat st;

	return fstat(VZ_SUPER_LOCK, &st) || !st.st_nlink;
}

/*
 * Wait until no command works on the VE, and take its lock if something is
 * left to be cleaned. `vzctl stop` cleans by itself: then the command after it
 * must not find the VE locked by us, so until we know we share the record lock
 * that commands hold beside the VE's lock, and that they wait for.
 */
static void lock_ve(const char *path)
{
	struct stat here, there;
	int fd;

	for (;;) {
		/* Kept over exec: vzctl works under it. */
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
		if (fd < 0)
			_exit(1);
		record_lock(fd, F_RDLCK);
		if (is_cleaned())
			_exit(0);
		if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &here) &&
		    !stat(path, &there) && here.st_ino == there.st_ino &&
		    here.st_dev == there.st_dev)
			return;
		/* A command was faster, and may clean up. */
		close(fd);
	}
}

static _Noreturn void hand_over(struct super *s)
{
	char *argv[] = { s->argv[VZ_SUPER_ARG_VZCTL], "--skiplock",   "ended",
			 s->argv[VZ_SUPER_ARG_VEID],  (char *)s->how, NULL };
	struct flock unlock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	/* From here on the VE counts as down. */
	fcntl(VZ_SUPER_LOCK, F_OFD_SETLK, &unlock);
	for (int fd = VZ_SUPER_CONTROL; fd < VZ_SUPER__END; fd++)
		close(fd);
	close(VZ_SUPER_INIT);
	drop_client(s);
	lock_ve(s->argv[VZ_SUPER_ARG_LCK]);
	close(VZ_SUPER_LOCK);
	execv(argv[0], argv);
	_exit(1);
}

static void handle(struct super *s, int fd, uint32_t events)
{
	if (fd == VZ_SUPER_CONTROL)
		accept_client(s);
	else if (fd == VZ_SUPER_NOTIFY)
		read_notify(s);
	else if (fd == VZ_SUPER_READY)
		read_fifo();
	else if (fd == VZ_SUPER_QUOTA)
		start_ugid(s);
	else if (fd == s->client)
		read_client(s);
	if (fd != VZ_SUPER_CONSOLE)
		return;
	if (events & EPOLLOUT && s->n_pending)
		write_console(s);
	read_console(s);
}

/*
 * The end goes first: of an adopted one only the zombie tells of a reboot, as long as
 * its parent has not reaped it. What pidfds tell after that is SIGKILL.
 */
static void handle_all(struct super *s, const struct epoll_event *e, int n)
{
	for (int i = 0; i < n; i++)
		if (e[i].data.fd == VZ_SUPER_INIT)
			s->how = how_ended(s);
	for (int i = 0; i < n; i++)
		handle(s, e[i].data.fd, e[i].events);
}

static void set_up(struct super *s)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	s->epoll = move_high(epoll_create1(EPOLL_CLOEXEC));
	if (s->epoll < 0)
		_exit(1);
	for (int fd = VZ_SUPER_INIT; fd < VZ_SUPER__END; fd++)
		if (is_open(fd))
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	watch(s, VZ_SUPER_INIT, EPOLLIN);
	watch(s, VZ_SUPER_CONTROL, EPOLLIN);
	if (is_open(VZ_SUPER_NOTIFY))
		watch(s, VZ_SUPER_NOTIFY, EPOLLIN);
	if (is_open(VZ_SUPER_READY))
		watch(s, VZ_SUPER_READY, EPOLLIN);
	if (is_open(VZ_SUPER_QUOTA))
		watch(s, VZ_SUPER_QUOTA, EPOLLIN);
	s->console_open = is_open(VZ_SUPER_CONSOLE);
	if (s->console_open) {
		fcntl(VZ_SUPER_CONSOLE, F_SETFL, O_RDWR | O_NONBLOCK);
		watch(s, VZ_SUPER_CONSOLE, EPOLLIN | EPOLLET);
	}
}

int main(int argc, char **argv)
{
	static struct super s;
	struct epoll_event e[4];
	int n;

	if (argc != VZ_SUPER_ARG__COUNT || !is_open(VZ_SUPER_INIT))
		return 2;
	s = (struct super){ .argv = argv, .log = -1, .client = -1 };
	s.init = atoi(argv[VZ_SUPER_ARG_PID]);
	set_up(&s);
	while (!s.how) {
		n = epoll_wait(s.epoll, e, 4, s.console_more || s.deaf ? 250 : -1);
		handle_all(&s, e, n);
		if (s.console_more)
			read_console(&s);
		if (s.deaf && now_ms() - s.words_at >= 1000)
			hear_again(&s);
	}
	if (s.console_open)
		read_console(&s); /* its last words */
	hand_over(&s);
}
