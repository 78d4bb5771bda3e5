/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that wait for something, or that are the kernel's own kinds. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corpus.h"

static int fd = -1, fd2 = -1, ends[2];
static pid_t child;

static bool has_fd(void)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* --- epoll --- */

static void watch(int efd, int target)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = 4711 };

	must(!epoll_ctl(efd, EPOLL_CTL_ADD, target, &e), "epoll_ctl");
}

static void make_epoll(void)
{
	fd = epoll_create1(0);
	must(!pipe(ends) && writes(ends[1], WORD), "pipe");
	watch(fd, ends[0]);
}

static bool has_epoll(void)
{
	struct epoll_event e = { 0 };

	return epoll_wait(fd, &e, 1, 5000) == 1 && e.data.u32 == 4711;
}

static void make_epoll_nested(void)
{
	int outer = epoll_create1(0);

	make_epoll();
	watch(outer, fd);
	fd = outer;
}

/* What it watches is open, though not by the number that it was watched by. */
static void make_epoll_moved(void)
{
	make_epoll();
	fd2 = dup(ends[0]);
	close(ends[0]);
}

/* What it watches is open in another process only. */
static void wait_here(void)
{
}

static void make_epoll_escaped(void)
{
	make_epoll();
	child = helper(wait_here);
	close(ends[0]);
}

/* --- counters and timers --- */

static void make_eventfd(void)
{
	fd = eventfd(7, EFD_NONBLOCK);
	must(fd >= 0, "eventfd");
}

static bool has_eventfd(void)
{
	uint64_t n = 0, seven = 7;

	return read(fd, &n, 8) == 8 && n == 7 && write(fd, &seven, 8) == 8;
}

static void make_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(!sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	must(fd >= 0 && !raise(SIGUSR1), "signalfd");
}

static bool has_signalfd(void)
{
	struct signalfd_siginfo si;

	return read(fd, &si, sizeof(si)) == sizeof(si) && si.ssi_signo == SIGUSR1 &&
	       !raise(SIGUSR1);
}

static void timer_of(int clock)
{
	struct itimerspec day = { .it_value.tv_sec = 86400 };

	fd = timerfd_create(clock, 0);
	must(fd >= 0 && !timerfd_settime(fd, 0, &day, NULL), "timerfd");
}

static void make_timerfd(void)
{
	timer_of(CLOCK_MONOTONIC);
}

static void make_timerfd_boottime(void)
{
	timer_of(CLOCK_BOOTTIME);
}

static void make_timerfd_realtime(void)
{
	timer_of(CLOCK_REALTIME);
}

static bool has_timerfd(void)
{
	struct itimerspec t;

	return !timerfd_gettime(fd, &t) && t.it_value.tv_sec > 80000;
}

/* --- watches of files --- */

static void make_inotify(void)
{
	fd = inotify_init1(IN_NONBLOCK);
	must(fd >= 0 && inotify_add_watch(fd, ".", IN_CREATE) >= 0, "inotify");
}

static bool has_inotify(void)
{
	char buf[4096];
	ssize_t n;

	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(open("seen", O_RDWR | O_CREAT, 0600));
	n = read(fd, buf, sizeof(buf));
	unlink("seen");
	return n > 0;
}

static void make_inotify_tmpfs(void)
{
	must(!close(open("/dev/shm/watched", O_RDWR | O_CREAT, 0600)), "file");
	fd = inotify_init1(IN_NONBLOCK);
	must(inotify_add_watch(fd, "/dev/shm/watched", IN_MODIFY) >= 0, "inotify");
}

static void make_inotify_deleted(void)
{
	fd2 = open("file", O_RDWR | O_CREAT, 0600);
	fd = inotify_init1(IN_NONBLOCK);
	must(inotify_add_watch(fd, "file", IN_MODIFY) >= 0 && !unlink("file"), "inotify");
}

static void make_inotify_deleted_tmpfs(void)
{
	fd2 = open("/dev/shm/file", O_RDWR | O_CREAT, 0600);
	fd = inotify_init1(IN_NONBLOCK);
	must(inotify_add_watch(fd, "/dev/shm/file", IN_MODIFY) >= 0 &&
		     !unlink("/dev/shm/file"),
	     "inotify");
}

static void make_fanotify(void)
{
	fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_NONBLOCK, O_RDONLY);
	skip_unless(fd >= 0, "fanotify");
	skip_unless(!fanotify_mark(fd, FAN_MARK_ADD, FAN_MODIFY, AT_FDCWD, "."),
		    "fanotify_mark");
}

/* --- the kernel's own kinds --- */

static void make_io_uring(void)
{
	struct io_uring_params p = { 0 };

	fd = syscall(SYS_io_uring_setup, 4, &p);
	skip_unless(fd >= 0, "io_uring");
}

/* Mapped, and its descriptor closed. */
static void make_io_uring_mapped(void)
{
	make_io_uring();
	must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  IORING_OFF_SQ_RING) != MAP_FAILED,
	     "mmap");
	close(fd);
	fd = 0;
}

static void make_perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.exclude_kernel = 1 };

	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	skip_unless(fd >= 0, "perf");
}

static void make_bpf(void)
{
	struct {
		uint32_t type, key, value, max, more[28];
	} attr = { 1, 4, 4, 1, { 0 } };

	fd = syscall(SYS_bpf, 0, &attr, sizeof(attr));
	skip_unless(fd >= 0, "bpf");
}

static void make_userfaultfd(void)
{
	fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	skip_unless(fd >= 0, "userfaultfd");
}

static void make_landlock(void)
{
	uint64_t attr = 1;

	fd = syscall(444 /* landlock_create_ruleset */, &attr, sizeof(attr), 0);
	skip_unless(fd >= 0, "landlock");
}

static void make_fscontext(void)
{
	fd = syscall(430 /* fsopen */, "tmpfs", 0);
	skip_unless(fd >= 0, "fsopen");
}

/* A file system that is mounted nowhere. */
static void make_detached(void)
{
	int context = syscall(430 /* fsopen */, "tmpfs", 0);

	skip_unless(context >= 0, "fsopen");
	must(!syscall(431 /* fsconfig */, context, 6, NULL, NULL, 0), "fsconfig");
	fd = syscall(432 /* fsmount */, context, 0, 0);
	skip_unless(fd >= 0, "fsmount");
	close(context);
}

static int open_pidfd(pid_t pid, int flags)
{
	return syscall(434 /* pidfd_open */, pid, flags);
}

static void make_pidfd(void)
{
	child = helper(wait_here);
	fd = open_pidfd(child, 0);
	must(fd >= 0, "pidfd_open");
}

static bool has_pidfd(void)
{
	return lives(child) && !syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
}

static void make_pidfd_dead(void)
{
	make_pidfd();
	must(!kill(child, SIGKILL) && waitpid(child, NULL, 0) == child, "waitpid");
}

static void make_pidfd_thread(void)
{
	fd = open_pidfd(getpid(), O_EXCL);
	skip_unless(fd >= 0, "PIDFD_THREAD");
}

/* To be told when memory gets scarce, as systemd is. */
static void make_pressure(void)
{
	fd = open("/proc/pressure/memory", O_RDWR | O_NONBLOCK);
	skip_unless(fd >= 0 && writes(fd, "some 1500000 2000000\n"),
		    "a watch of pressure");
}

static bool has_pressure(void)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLERR);
}

static void make_fuse_fd(void)
{
	fd = open("/dev/fuse", O_RDWR);
	skip_unless(fd >= 0, "/dev/fuse");
}

static void make_tun_fd(void)
{
	fd = open("/dev/net/tun", O_RDWR);
	skip_unless(fd >= 0, "/dev/net/tun");
}

const struct thing watch_things[] = {
	{ "epoll", make_epoll, has_epoll },
	{ "epoll-nested", make_epoll_nested, has_epoll },
	{ "epoll-moved", make_epoll_moved, has_epoll },
	{ "epoll-escaped", make_epoll_escaped, has_epoll },
	{ "eventfd", make_eventfd, has_eventfd },
	{ "signalfd", make_signalfd, has_signalfd },
	{ "timerfd", make_timerfd, has_timerfd },
	{ "timerfd-boottime", make_timerfd_boottime, has_timerfd },
	{ "timerfd-realtime", make_timerfd_realtime, has_timerfd },
	{ "inotify", make_inotify, has_inotify },
	{ "inotify-tmpfs", make_inotify_tmpfs, has_fd },
	{ "inotify-deleted", make_inotify_deleted, has_fd },
	{ "inotify-deleted-tmpfs", make_inotify_deleted_tmpfs, has_fd },
	{ "fanotify", make_fanotify, has_fd },
	{ "io-uring", make_io_uring, has_fd },
	{ "io-uring-mapped", make_io_uring_mapped, has_fd },
	{ "perf", make_perf, has_fd },
	{ "bpf", make_bpf, has_fd },
	{ "userfaultfd", make_userfaultfd, has_fd },
	{ "landlock-ruleset", make_landlock, has_fd },
	{ "fs-context", make_fscontext, has_fd },
	{ "mount-detached", make_detached, has_fd },
	{ "pidfd", make_pidfd, has_pidfd },
	{ "pidfd-dead", make_pidfd_dead, has_fd },
	{ "pidfd-thread", make_pidfd_thread, has_fd },
	{ "pressure", make_pressure, has_pressure },
	{ "fuse-fd", make_fuse_fd, has_fd },
	{ "tun-fd", make_tun_fd, has_fd },
	{ 0 },
};
