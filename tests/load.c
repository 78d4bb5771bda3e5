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
 * KIND: storm pass proc thread tcp tcp6 udp unix pair accept file flock lock pty shm mem
 *	 signal mlock message datagram rules
 *
 * `message`: 4,000 bytes to a socket of its own each, which nobody reads; `datagram`: the
 * same by UDP, refused is what did not arrive; `rules`: a table of iptables with one
 * rule more each. `load buffer TYPE SIZE` tells what a buffer of that size becomes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter_ipv4/ip_tables.h>
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

/* What was refused is not kept, and its error is told. */
static int drop(int fd)
{
	int e = errno;

	close(fd);
	errno = e;
	return -1;
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

	return fd < 0 || flock(fd, LOCK_SH) ? drop(fd) : keep(fd);
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

#define TEXT 4000
static char message[TEXT];

static int take_message(int i)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd))
		return -1;
	if (send(fd[0], message, TEXT, 0) != TEXT)
		return drop(fd[0]), drop(fd[1]);
	keep(fd[0]);
	return keep(fd[1]);
}

static int take_datagram(int i)
{
	static int from = -1;
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (from < 0)
		from = socket(AF_INET, SOCK_DGRAM, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* By the loopback link it is there when sendto() returns, as a rule, or never. */
	if (fd < 0 || bind(fd, (void *)&at, len) || getsockname(fd, (void *)&at, &len) ||
	    sendto(from, message, TEXT, 0, (void *)&at, len) != TEXT ||
	    recv(fd, message, TEXT, MSG_PEEK) != TEXT)
		return drop(fd);
	return keep(fd);
}

/* What iptables does: the whole table anew, one rule longer than it was. */
static int take_rules(int i)
{
	struct ipt_getinfo info = { .name = "filter" };
	struct {
		struct ipt_entry entry;
		struct xt_standard_target target;
	} rule = {
		.entry = { .target_offset = sizeof(struct ipt_entry),
			   .next_offset = sizeof(rule) },
		.target = { .target = { .u.user.target_size = XT_ALIGN(
						sizeof(struct xt_standard_target)) },
			    .verdict = -NF_ACCEPT - 1 },
	};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), r, e;
	struct ipt_get_entries *old;
	struct ipt_replace *new;
	size_t at = sizeof(rule);
	socklen_t len = sizeof(info);

	if (fd < 0 || getsockopt(fd, SOL_IP, IPT_SO_GET_INFO, &info, &len))
		return -1;
	len = sizeof(*old) + info.size;
	old = calloc(1, len);
	new = calloc(1, sizeof(*new) + info.size + at);
	memcpy(old->name, info.name, sizeof(old->name));
	old->size = info.size;
	if (getsockopt(fd, SOL_IP, IPT_SO_GET_ENTRIES, old, &len))
		return -1;
	memcpy(new->name, info.name, sizeof(new->name));
	new->valid_hooks = info.valid_hooks;
	new->num_entries = info.num_entries + 1;
	new->size = info.size + at;
	new->num_counters = info.num_entries;
	new->counters = calloc(info.num_entries, sizeof(struct xt_counters));
	/* The first chain is INPUT's: what is new goes before all. */
	for (int k = 0; k < NF_INET_NUMHOOKS; k++) {
		new->hook_entry[k] = info.hook_entry[k] ? info.hook_entry[k] + at : 0;
		new->underflow[k] = info.underflow[k] + at;
	}
	memcpy(new->entries, &rule, sizeof(rule));
	memcpy((char *)new->entries + at, old->entrytable, info.size);
	r = setsockopt(fd, SOL_IP, IPT_SO_SET_REPLACE, new,
		       sizeof(*new) + info.size + at);
	e = errno;
	free(new->counters);
	free(new);
	free(old);
	close(fd);
	errno = e;
	return r;
}

/* load buffer tcp|udp|unix SIZE: what the kernel makes of it, to send and to receive */
static int tell_buffer(const char *type, int size)
{
	int domain = strcmp(type, "unix") ? AF_INET : AF_UNIX, sent = 0, received = 0;
	int fd = socket(domain, strcmp(type, "tcp") ? SOCK_DGRAM : SOCK_STREAM, 0);
	socklen_t len = sizeof(int);

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sent, &len) ||
	    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &received, &len))
		return 1;
	printf("%d %d\n", sent, received);
	return 0;
}

static const struct {
	const char *name;
	int (*take)(int i);
} kinds[] = {
	{ "storm", take_storm },       { "pass", take_pass },
	{ "proc", take_proc },	       { "tcp", take_tcp },
	{ "tcp6", take_tcp6 },	       { "udp", take_udp },
	{ "unix", take_unix },	       { "pair", take_pair },
	{ "accept", take_accept },     { "file", take_file },
	{ "flock", take_flock },       { "lock", take_lock },
	{ "pty", take_pty },	       { "shm", take_shm },
	{ "mem", take_mem },	       { "mlock", take_mlock },
	{ "signal", take_signal },     { "message", take_message },
	{ "datagram", take_datagram }, { "rules", take_rules },
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

	if (argc == 4 && !strcmp(argv[1], "buffer"))
		return tell_buffer(argv[2], atoi(argv[3]));
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
