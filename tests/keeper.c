/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper DIR: has one of many kinds of things that the kernel keeps for a process, and
 * says whether it still has them. It listens on the fifo DIR/ask; each line that is
 * written there makes it write DIR/said anew: "ok NAME" or "lost NAME: WHY", then "end".
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MEMORY (8u << 20)
#define WORD "kept"

static FILE *said;

static __attribute__((noreturn)) void die(const char *what)
{
	perror(what);
	exit(1);
}

static void must(bool good, const char *what)
{
	if (!good)
		die(what);
}

static bool reads(int fd, const char *want)
{
	char buf[64] = "";
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	return n == (ssize_t)strlen(want) && !memcmp(buf, want, n);
}

static bool writes(int fd, const char *text)
{
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* What was in it is read, and put there again for the next question. */
static bool passes(int in, int out)
{
	return reads(out, WORD) && writes(in, WORD);
}

/* --- memory --- */

static uint32_t *memory;

static void make_memory(void)
{
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	must(memory != MAP_FAILED, "mmap");
	for (uint32_t i = 0; i < MEMORY / 4; i++)
		memory[i] = i * 2654435761u;
}

static bool has_memory(void)
{
	for (uint32_t i = 0; i < MEMORY / 4; i++)
		if (memory[i] != i * 2654435761u)
			return false;
	return true;
}

/* Shared with a child that counts in it. */
static volatile uint32_t *shared;
static pid_t counter;

static void make_shared(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	must(shared != MAP_FAILED, "mmap");
	counter = fork();
	while (!counter) {
		(*shared)++;
		usleep(10000);
	}
}

static bool has_shared(void)
{
	uint32_t was = *shared;

	for (int i = 0; i < 1000 && *shared == was; i++)
		usleep(10000);
	return was && *shared > was && !kill(counter, 0);
}

static char *segment;
static int segment_id;

static void make_segment(void)
{
	segment_id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
	segment = segment_id < 0 ? (void *)-1 : shmat(segment_id, NULL, 0);
	must(segment != (void *)-1, "shmget");
	strcpy(segment, WORD);
}

static bool has_segment(void)
{
	struct shmid_ds ds;

	return !strcmp(segment, WORD) && !shmctl(segment_id, IPC_STAT, &ds) &&
	       ds.shm_nattch == 1;
}

/* --- files --- */

static int deleted, on_tmpfs, locked, watch;

static void make_files(void)
{
	deleted = open("deleted", O_RDWR | O_CREAT | O_EXCL, 0600);
	must(deleted >= 0 && writes(deleted, WORD) && !unlink("deleted"), "deleted");
	on_tmpfs = open("/dev/shm/kept", O_RDWR | O_CREAT | O_TRUNC, 0640);
	must(on_tmpfs >= 0 && writes(on_tmpfs, WORD), "/dev/shm/kept");
}

static bool has_deleted(void)
{
	struct stat st;

	return !lseek(deleted, 0, SEEK_SET) && reads(deleted, WORD) &&
	       !fstat(deleted, &st) && !st.st_nlink && access("deleted", F_OK);
}

static bool has_tmpfs(void)
{
	struct stat st;

	return !lseek(on_tmpfs, 0, SEEK_SET) && reads(on_tmpfs, WORD) &&
	       !stat("/dev/shm/kept", &st) && (st.st_mode & 0777) == 0640;
}

static void make_lock(void)
{
	struct flock record = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };

	locked = open("locked", O_RDWR | O_CREAT, 0600);
	must(locked >= 0 && !flock(locked, LOCK_EX) && !fcntl(locked, F_SETLK, &record),
	     "lock");
}

/* Another process finds both. */
static bool has_lock(void)
{
	struct flock record = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };
	int status = 1, fd;
	pid_t pid = fork();

	if (!pid) {
		fd = open("locked", O_RDWR);
		_exit(!(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) &&
			!fcntl(fd, F_GETLK, &record) && record.l_type == F_WRLCK));
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static void make_watch(void)
{
	watch = inotify_init1(IN_NONBLOCK);
	must(watch >= 0 && inotify_add_watch(watch, ".", IN_CREATE) >= 0, "inotify");
}

static bool has_watch(void)
{
	char buf[4096];
	ssize_t n;

	while (read(watch, buf, sizeof(buf)) > 0)
		;
	close(open("seen", O_RDWR | O_CREAT, 0600));
	n = read(watch, buf, sizeof(buf));
	unlink("seen");
	return n > 0;
}

/* --- what goes from one to another --- */

static int pipe_ends[2], pair[2], tcp[2], listener, event, epoll;

static void make_channels(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "listening" };

	must(!pipe(pipe_ends) && writes(pipe_ends[1], WORD), "pipe");
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && writes(pair[0], WORD),
	     "socketpair");
	unlink("listening");
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	must(listener >= 0 && !bind(listener, (void *)&un, sizeof(un)) &&
		     !listen(listener, 4),
	     "listen");
	event = eventfd(7, EFD_NONBLOCK);
	must(event >= 0, "eventfd");
}

static bool has_pipe(void)
{
	return passes(pipe_ends[1], pipe_ends[0]);
}

static bool has_pair(void)
{
	return passes(pair[0], pair[1]);
}

static bool has_listener(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "listening" };
	int a = socket(AF_UNIX, SOCK_STREAM, 0), b = -1;
	bool good = !connect(a, (void *)&un, sizeof(un)) &&
		    (b = accept(listener, NULL, NULL)) >= 0 && writes(a, WORD) &&
		    reads(b, WORD);

	close(a);
	close(b);
	return good;
}

static bool has_event(void)
{
	uint64_t n = 0, seven = 7;

	return read(event, &n, 8) == 8 && n == 7 && write(event, &seven, 8) == 8;
}

static void make_tcp(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	tcp[0] = socket(AF_INET, SOCK_STREAM, 0);
	must(!bind(l, (void *)&in, sizeof(in)) && !listen(l, 1) &&
		     !getsockname(l, (void *)&in, &len) &&
		     !connect(tcp[0], (void *)&in, len) &&
		     (tcp[1] = accept(l, NULL, NULL)) >= 0 && writes(tcp[0], WORD),
	     "tcp");
	close(l);
}

static bool has_tcp(void)
{
	return passes(tcp[0], tcp[1]);
}

static void make_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = 4711 };

	epoll = epoll_create1(0);
	must(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_ends[0], &e), "epoll");
}

static bool has_epoll(void)
{
	struct epoll_event e = { 0 };

	return epoll_wait(epoll, &e, 1, 5000) == 1 && e.data.u32 == 4711;
}

static int master, slave;

static void make_pty(void)
{
	struct termios t;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	must(master >= 0 && !unlockpt(master) &&
		     (slave = open(ptsname(master), O_RDWR | O_NOCTTY)) >= 0 &&
		     !tcgetattr(slave, &t),
	     "pty");
	cfmakeraw(&t);
	must(!tcsetattr(slave, TCSANOW, &t), "tcsetattr");
}

static bool has_pty(void)
{
	struct termios t;

	return writes(master, WORD) && reads(slave, WORD) && !tcgetattr(slave, &t) &&
	       !(t.c_lflag & ECHO);
}

/* --- time and signals --- */

static timer_t timer;
static int timer_fd;

static void make_timers(void)
{
	struct itimerspec day = { .it_value.tv_sec = 86400 };
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	struct itimerval real = { .it_value.tv_sec = 86400 };

	timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
	must(timer_fd >= 0 && !timerfd_settime(timer_fd, 0, &day, NULL), "timerfd");
	must(!timer_create(CLOCK_MONOTONIC, &none, &timer) &&
		     !timer_settime(timer, 0, &day, NULL),
	     "timer");
	must(!setitimer(ITIMER_REAL, &real, NULL), "itimer");
}

static bool has_timerfd(void)
{
	struct itimerspec left;

	return !timerfd_gettime(timer_fd, &left) && left.it_value.tv_sec > 80000;
}

static bool has_timer(void)
{
	struct itimerspec left;

	return !timer_gettime(timer, &left) && left.it_value.tv_sec > 80000;
}

static bool has_itimer(void)
{
	struct itimerval left;

	return !getitimer(ITIMER_REAL, &left) && left.it_value.tv_sec > 80000;
}

/* The clock of what has passed since the VE began does not jump, nor go back. */
static struct timespec before;

static bool has_clock(void)
{
	struct timespec now;
	bool good;

	clock_gettime(CLOCK_MONOTONIC, &now);
	good = now.tv_sec >= before.tv_sec && now.tv_sec < before.tv_sec + 3600;
	before = now;
	return good;
}

static void make_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 1);
	must(!sigprocmask(SIG_BLOCK, &set, NULL) && !raise(SIGUSR2), "signal");
	must(!sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 4711 }),
	     "sigqueue");
}

static bool has_signals(void)
{
	struct timespec none = { 0 };
	siginfo_t si;
	sigset_t set;

	if (sigpending(&set) || !sigismember(&set, SIGUSR2))
		return false;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	return sigtimedwait(&set, &si, &none) == SIGRTMIN + 1 &&
	       si.si_value.sival_int == 4711 &&
	       !sigqueue(getpid(), SIGRTMIN + 1, si.si_value);
}

static void make_self(void)
{
	struct rlimit files = { 77, 99 };

	must(!setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	must(nice(5) == 5, "nice");
	umask(031);
}

static bool has_self(void)
{
	struct rlimit files;
	mode_t mask = umask(031);

	return !getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur == 77 &&
	       files.rlim_max == 99 && getpriority(PRIO_PROCESS, 0) == 5 && mask == 031;
}

static void make_nothing(void)
{
	clock_gettime(CLOCK_MONOTONIC, &before);
}

static const struct {
	const char *name;
	void (*make)(void);
	bool (*has)(void);
} things[] = {
	{ "memory", make_memory, has_memory },
	{ "shared memory, counted in by a child", make_shared, has_shared },
	{ "a System V segment", make_segment, has_segment },
	{ "a deleted file", make_files, has_deleted },
	{ "a file on tmpfs", make_nothing, has_tmpfs },
	{ "file locks", make_lock, has_lock },
	{ "an inotify watch", make_watch, has_watch },
	{ "a pipe with data", make_channels, has_pipe },
	{ "a pair of UNIX sockets with data", make_nothing, has_pair },
	{ "a listening UNIX socket", make_nothing, has_listener },
	{ "an eventfd", make_nothing, has_event },
	{ "a TCP connection with data", make_tcp, has_tcp },
	{ "an epoll", make_epoll, has_epoll },
	{ "a pty", make_pty, has_pty },
	{ "a timerfd", make_timers, has_timerfd },
	{ "a POSIX timer", make_nothing, has_timer },
	{ "an interval timer", make_nothing, has_itimer },
	{ "the clock", make_nothing, has_clock },
	{ "pending signals", make_signals, has_signals },
	{ "limits, priority, umask", make_self, has_self },
};
#define THINGS (sizeof(things) / sizeof(*things))

static void answer(void)
{
	said = fopen("said.new", "w");
	must(said != NULL, "said.new");
	for (size_t i = 0; i < THINGS; i++) {
		errno = 0;
		if (things[i].has())
			fprintf(said, "ok %s\n", things[i].name);
		else
			fprintf(said, "lost %s: %s\n", things[i].name, strerror(errno));
	}
	fprintf(said, "end\n");
	must(!fclose(said) && !rename("said.new", "said"), "said");
}

int main(int argc, char **argv)
{
	char line[64];
	int fd;

	must(argc == 2 && !chdir(argv[1]), "keeper DIR");
	setsid();
	for (size_t i = 0; i < THINGS; i++)
		things[i].make();
	must(!mkfifo("ask", 0600) || errno == EEXIST, "ask");
	fd = open("ask", O_RDWR);
	must(fd >= 0, "ask");
	answer();
	for (;;)
		if (read(fd, line, sizeof(line)) > 0)
			answer();
}
