/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"

void vz_reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

bool vz_detach(int keep)
{
	pid_t pid = fork();

	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (pid)
		return false;
	if (keep > 0)
		close_range(0, keep - 1, 0);
	close_range(keep + 1, ~0U, 0);
	setsid();
	if (fork())
		_exit(0);
	return true;
}

/* Put the wanted descriptors on 0, 1 and 2, whatever numbers they have. */
static int set_stdio(const int want[3])
{
	int fd[3], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int i = 0; i < 3; i++) {
		fd[i] = fcntl(want[i] < 0 ? null : want[i], F_DUPFD_CLOEXEC, 3);
		if (fd[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			return -errno;
	return 0;
}

static _Noreturn void child(const struct vz_run *run, pid_t parent, int report)
{
	static const char *const clean[] = { "PATH=" VZ_RUN_PATH, "HOME=/", "TERM=linux",
					     NULL };
	const char *const *env = run->env ? run->env : clean;
	int r = 0;

	/* The report pipe must survive what is put on 0, 1 and 2. */
	report = fcntl(report, F_DUPFD_CLOEXEC, 3);
	vz_reset_signals();
	/* It may have died before this. */
	if (run->tied && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
		_exit(126);
	if (run->fd[0] || run->fd[1] || run->fd[2])
		r = set_stdio(run->fd);
	if (!r && chdir(run->dir ? run->dir : "/"))
		r = -errno;
	if (!r) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		/* execvp() then searches the PATH that the program will have. */
		environ = (char **)env;
		execvp(run->argv[0], (char *const *)run->argv);
		r = -errno;
	}
	if (write(report, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

int vz_run_start(const struct vz_run *run, int *ret_pidfd)
{
	int pidfd = -1, report[2], r = 0;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t parent = getpid(), pid;
	ssize_t n;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		child(run, parent, report[1]);
	if (pid < 0)
		r = -errno;
	close(report[1]);
	n = pid < 0 ? 0 : read(report[0], &r, sizeof(r));
	close(report[0]);
	if (pid < 0)
		return r;
	if (n == sizeof(r)) {
		vz_run_wait(pidfd, 0);
		close(pidfd);
		return r;
	}
	*ret_pidfd = pidfd;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Poll until the process ended. 1, 0 on time-out, or -errno. */
static int wait_end(int pidfd, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n, left = -1;

	for (;;) {
		if (timeout_ms)
			left = end > now_ms() ? end - now_ms() : 0;
		n = poll(&p, 1, left);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

int vz_run_wait(int pidfd, int timeout_ms)
{
	int n = wait_end(pidfd, timeout_ms);
	siginfo_t si = { 0 };

	if (n < 0)
		return n;
	if (!n)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, pidfd, &si, WEXITED))
		if (errno != EINTR)
			return -errno;
	if (!n)
		return -ETIMEDOUT;
	return si.si_code == CLD_EXITED ? si.si_status : 256 + si.si_status;
}

int vz_run(const struct vz_run *run)
{
	vz_autofd int pidfd = -1;
	int r = vz_run_start(run, &pidfd);

	return r ? r : vz_run_wait(pidfd, run->timeout_ms);
}
