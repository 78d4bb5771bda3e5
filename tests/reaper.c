/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reaper SECONDS COMMAND...: run a test. Whatever it starts and leaves behind
 * becomes this program's child, however it was detached: such a process is
 * named on standard error ("left: PID NAME") and killed. Exits as the command
 * did, 124 when it took too long, 125 when it left processes behind.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TOO_LONG = 124,
	LEFT_BEHIND = 125,
	GRACE_MS = 10000,
	LINGER_MS = 3000,
	LET_SEE_MS = 100
};

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/*
 * What has ended is there to be looked at for a moment, as it is on a machine whose
 * process 1 has more to do: a VE's second supervisor is not the parent of its init.
 */
static void let_see(pid_t pid)
{
	siginfo_t si = { 0 };

	if (!waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) && si.si_pid &&
	    si.si_pid != pid)
		usleep(LET_SEE_MS * 1000);
}

/* Reap until `pid` has ended (-1: until there is no child). False: time is over. */
static int reap_until(int sigfd, pid_t pid, int *ret_status, long long deadline)
{
	struct signalfd_siginfo si;
	struct pollfd p = { .fd = sigfd, .events = POLLIN };

	for (;;) {
		pid_t got;
		int status;

		let_see(pid);
		while ((got = waitpid(-1, &status, WNOHANG)) > 0)
			if (got == pid) {
				*ret_status = status;
				return 1;
			}
		if (got < 0 && errno == ECHILD && pid < 0)
			return 1;
		if (now_ms() >= deadline)
			return 0;
		if (poll(&p, 1, deadline - now_ms()) > 0 &&
		    read(sigfd, &si, sizeof(si)) == sizeof(si) && si.ssi_signo != SIGCHLD)
			return 0;
	}
}

static pid_t parent_of(pid_t pid, char *ret_name, size_t size)
{
	char path[64], line[512], *name, *end;
	int ppid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f) && (name = strchr(line, '(')) &&
	    (end = strrchr(line, ')'))) {
		*end = '\0';
		snprintf(ret_name, size, "%s", name + 1);
		if (sscanf(end + 1, " %*c %d", &ppid) != 1)
			ppid = 0;
	}
	fclose(f);
	return ppid;
}

/* Kill our children, saying their names; their own children then become ours. */
static int kill_left(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int n = 0;

	while (proc && (e = readdir(proc))) {
		char name[64];
		pid_t pid = atoi(e->d_name);

		if (pid <= 0 || parent_of(pid, name, sizeof(name)) != getpid())
			continue;
		fprintf(stderr, "left: %d %s\n", pid, name);
		kill(pid, SIGKILL);
		n++;
	}
	if (proc)
		closedir(proc);
	return n;
}

static pid_t start(char **argv, const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	sigprocmask(SIG_UNBLOCK, mask, NULL);
	/* Whatever started the run may ignore them, as nohup and cron do. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	execvp(argv[0], argv);
	fprintf(stderr, "reaper: can't run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	int sigfd, status = 0, left = 0, result;
	sigset_t mask;
	pid_t pid;

	if (argc < 3)
		return fprintf(stderr, "usage: reaper SECONDS COMMAND...\n"), 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigfd = signalfd(-1, &mask, SFD_CLOEXEC);
	pid = start(argv + 2, &mask);
	if (sigfd < 0 || pid < 0)
		return perror("reaper"), 2;
	if (reap_until(sigfd, pid, &status, now_ms() + atoll(argv[1]) * 1000)) {
		result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	} else {
		result = TOO_LONG;
		kill(-pid, SIGTERM);
		if (!reap_until(sigfd, pid, &status, now_ms() + GRACE_MS))
			kill(-pid, SIGKILL);
	}
	for (int round = 0; round < 5; round++) {
		if (reap_until(sigfd, -1, &status, now_ms() + LINGER_MS))
			break;
		left += kill_left();
	}
	return left && result != TOO_LONG ? LEFT_BEHIND : result;
}
