/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A known load, for tests of the beancounters: takes COUNT of something, tells
 * how many it was given, how many refused and with what error, and keeps them
 * until the end of its standard input.
 *
 *   load KIND COUNT    "given N refused N error N"
 *
 * `storm`: COUNT processes take some of all and end in every way, one after the
 * other. `pass`: COUNT files and sockets are made by a process that hands them on
 * and ends.
 *
 * KIND: storm pass proc thread tcp tcp6 udp unix pair accept file flock lock pty shm mem signal mlock
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX 65536
#define PAGE 4096

static int kept[MAX], n_kept;

static int keep(int fd)
{
	if (fd >= 0)
		kept[n_kept++] = fd;
	return fd < 0 ? -1 : 0;
}

static int take_proc(int i)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return keep(pid);
}

static int take_tcp(int i)
{
	return keep(socket(AF_INET, SOCK_STREAM, 0));
}

static int take_tcp6(int i)
{
	return keep(socket(AF_INET6, SOCK_STREAM, 0));
}

static int take_udp(int i)
{
	return keep(socket(AF_INET, SOCK_DGRAM, 0));
}

static int take_unix(int i)
{
	return keep(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int take_pair(int i)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		return -1;
	keep(fd[0]);
	return keep(fd[1]);
}

/* Both ends of a connection: three sockets with the listener's. */
static int take_accept(int i)
{
	static int listener = -1;
	static struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd;

	if (listener < 0) {
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		listener = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(listener, (void *)&at, len) || listen(listener, 1024) ||
		    getsockname(listener, (void *)&at, &len))
			return -1;
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (void *)&at, sizeof(at)))
		return -1;
	keep(fd);
	return keep(accept(listener, NULL, NULL));
}

static int take_file(int i)
{
	return keep(open("/dev/null", O_RDONLY));
}

static int lock_file(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/tmp/load.lock", O_RDWR | O_CREAT, 0600);
	return fd;
}

/* One apart from the other, so that they stay different ones. */
static int take_lock(int i)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = 2L * i, .l_len = 1 };

	return fcntl(lock_file(), F_SETLK, &l);
}

static int take_flock(int i)
{
	int fd = open("/tmp/load.lock", O_RDWR | O_CREAT, 0600);

	if (fd < 0 || flock(fd, LOCK_SH)) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return keep(fd);
}

static int take_pty(int i)
{
	return keep(open("/dev/ptmx", O_RDWR | O_NOCTTY));
}

static int take_shm(int i)
{
	return keep(shmget(IPC_PRIVATE, PAGE, 0600));
}

static int take_mem(int i)
{
	/* Neighbours would be merged, which is the same memory. */
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? -1
		       : 0;
}

static int take_mlock(int i)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? -1 : mlock(p, PAGE);
}

static int take_signal(int i)
{
	union sigval v = { .sival_int = i };
	sigset_t set;

	if (!i) {
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	return sigqueue(getpid(), SIGRTMIN, v);
}

/* Exit, exec and kill: nothing is closed by hand. */
static int take_storm(int i)
{
	static char *const argv[] = { "true", NULL };
	pid_t pid = fork();

	if (!pid) {
		for (int k = 0; k < 3; k++) {
			take_tcp(k);
			take_unix(k);
			take_file(k);
			take_mem(k);
		}
		take_accept(i);
		take_pty(i);
		take_lock(i % 100);
		if (i % 4 == 0)
			kill(getpid(), SIGKILL);
		if (i % 4 == 1)
			execv("/bin/true", argv);
		if (i % 4 == 2)
			vfork() ? wait(NULL) : execv("/bin/true", argv);
		_exit(0);
	}
	/* Up to eight at once. */
	if (pid > 0 && i >= 8)
		wait(NULL);
	return pid > 0 ? 0 : -1;
}

#define HAND 2

static void hand_on(int to)
{
	int fd[HAND] = { open("/dev/null", O_RDONLY), socket(AF_INET, SOCK_STREAM, 0) };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(fd))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(fd)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct iovec word = { "x", 1 };
	struct msghdr m = { .msg_iov = &word,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.head), fd, sizeof(fd));
	_exit(sendmsg(to, &m, 0) != 1);
}

static int take_pass(int i)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(HAND * sizeof(int))];
	} control;
	char c;
	struct iovec word = { &c, 1 };
	struct msghdr m = { .msg_iov = &word,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	int pair[2], fd[HAND];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		return -1;
	if (!fork())
		hand_on(pair[1]);
	if (recvmsg(pair[0], &m, 0) != 1)
		return -1;
	memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	wait(NULL);
	close(pair[0]);
	close(pair[1]);
	keep(fd[0]);
	return keep(fd[1]);
}

static const struct {
	const char *name;
	int (*take)(int i);
} kinds[] = {
	{ "storm", take_storm }, { "pass", take_pass },	    { "proc", take_proc },
	{ "tcp", take_tcp },	 { "tcp6", take_tcp6 },	    { "udp", take_udp },
	{ "unix", take_unix },	 { "pair", take_pair },	    { "accept", take_accept },
	{ "file", take_file },	 { "flock", take_flock },   { "lock", take_lock },
	{ "pty", take_pty },	 { "shm", take_shm },	    { "mem", take_mem },
	{ "mlock", take_mlock }, { "signal", take_signal },
};

static void give_back(const char *kind)
{
	for (int i = 0; i < n_kept; i++)
		if (!strcmp(kind, "shm"))
			shmctl(kept[i], IPC_RMID, NULL);
		else if (!strcmp(kind, "proc"))
			kill(kept[i], SIGKILL);
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	struct rlimit many = { MAX, MAX };
	int count = argc > 2 ? atoi(argv[2]) : 0, given = 0, refused = 0, error = 0;
	static char text[80];
	size_t k = 0;
	int len;
	char c;

	while (argc > 2 && k < sizeof(kinds) / sizeof(*kinds) &&
	       strcmp(kinds[k].name, argv[1]))
		k++;
	if (argc < 3 || k == sizeof(kinds) / sizeof(*kinds) || count > MAX / 2)
		return 2;
	setrlimit(RLIMIT_NOFILE, &many);
	for (int i = 0; i < count; i++) {
		if (!kinds[k].take(i)) {
			given++;
			continue;
		}
		refused++;
		error = errno;
	}
	/* Without memory of its own, of which there may be none left. */
	len = snprintf(text, sizeof(text), "given %d refused %d error %d\n", given,
		       refused, error);
	if (write(1, text, len) != len)
		return 1;
	while (read(0, &c, 1) > 0)
		;
	give_back(argv[1]);
	return 0;
}
