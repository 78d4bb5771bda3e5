/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/run.h"

static int set_up(const struct child *c, pid_t parent)
{
	int fd[3], session = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	/* It may have died before that. */
	if (getppid() != parent)
		_exit(126);
	vz_reset_signals();
	if (c->deaf)
		signal(SIGINT, SIG_IGN);
	for (int i = 0; i < 3; i++) {
		fd[i] = c->fd[i] < 0 ? i : fcntl(c->fd[i], F_DUPFD_CLOEXEC, 4);
		if (fd[i] < 0)
			return -errno;
	}
	if (c->session)
		session = fcntl(c->session, F_DUPFD_CLOEXEC, 4);
	if (session < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (fd[i] != i && dup2(fd[i], i) < 0)
			return -errno;
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (session && dup2(session, 3) < 0)
		return -errno;
	return c->enter ? c->enter(c->data) : 0;
}

static _Noreturn void run(const struct child *c, pid_t parent, int report)
{
	int r;

	report = fcntl(report, F_DUPFD_CLOEXEC, 4);
	r = set_up(c, parent);
	if (!r) {
		execvp(c->argv[0], (char *const *)c->argv);
		r = -errno;
	}
	if (write(report, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

int child_start(const struct child *c, int *ret_pidfd)
{
	pid_t parent = getpid(), pid;
	int report[2], pidfd = -1, r = 0;
	ssize_t n;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		run(c, parent, report[1]);
	close(report[1]);
	if (pid < 0)
		r = -errno;
	n = pid < 0 ? 0 : read(report[0], &r, sizeof(r));
	close(report[0]);
	if (pid > 0 && n <= 0)
		pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pid > 0 && pidfd < 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return r ? r : -EIO;
	}
	if (!r)
		*ret_pidfd = pidfd;
	return r;
}

void child_kill(int pidfd)
{
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	vz_run_wait(pidfd, 0);
}
