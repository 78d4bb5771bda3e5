/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes: their states, sessions, signals, timers, filters and tracers. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corpus.h"

static pid_t child;
static timer_t timer;
static int fd = -1;

static bool has_child(void)
{
	return lives(child);
}

static void wait_here(void)
{
}

/* --- states --- */

static void make_child(void)
{
	child = helper(wait_here);
}

static char state_of(pid_t pid)
{
	char path[64], line[512] = "", *at;
	int f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = open(path, O_RDONLY);
	if (f < 0 || read(f, line, sizeof(line) - 1) <= 0)
		line[0] = 0;
	close(f);
	at = strrchr(line, ')');
	return at ? at[2] : '?';
}

static bool in_state(char state)
{
	for (int i = 0; i < 500 && state_of(child) != state; i++)
		usleep(10000);
	return state_of(child) == state;
}

static void make_stopped(void)
{
	child = helper(wait_here);
	must(!kill(child, SIGSTOP) && in_state('T'), "stopped");
}

static bool has_stopped(void)
{
	return in_state('T');
}

static void make_zombie(void)
{
	child = helper(wait_here);
	must(!kill(child, SIGKILL) && in_state('Z'), "zombie");
}

static bool has_zombie(void)
{
	return in_state('Z');
}

static void *sleeper(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void with_threads(void)
{
	pthread_t t;

	for (int i = 0; i < 5; i++)
		must(!pthread_create(&t, NULL, sleeper, NULL), "pthread_create");
}

static void make_threads(void)
{
	child = helper(with_threads);
}

static bool has_threads(void)
{
	char path[64], count[8] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", child);
	f = fopen(path, "r");
	while (f && fscanf(f, "Threads: %7s", count) != 1 &&
	       fscanf(f, "%*[^\n]\n") != EOF)
		;
	fclose(f);
	return lives(child) && !strcmp(count, "6");
}

/* The first of its threads has ended, the others have not. */
static void make_leaderless(void)
{
	child = fork();
	if (!child) {
		with_threads();
		syscall(SYS_exit, 0);
	}
	must(in_state('Z'), "leader");
}

/* A parent waits for its vfork()ed child, which does not get on. */
static void make_vfork(void)
{
	child = fork();
	if (!child) {
		if (!vfork())
			for (;;)
				pause();
		_exit(1);
	}
	usleep(100000);
}

static bool has_vfork(void)
{
	return !kill(child, 0);
}

static int waits(void *unused)
{
	for (;;)
		pause();
	return unused != NULL;
}

static void share(int flags)
{
	static char stack[65536];

	child = clone(waits, stack + sizeof(stack), flags | SIGCHLD, NULL);
	must(child > 0, "clone");
}

static void make_shared_files(void)
{
	share(CLONE_FILES);
}

static void make_shared_fs(void)
{
	share(CLONE_FS);
}

static void make_shared_memory(void)
{
	share(CLONE_VM);
}

/* --- sessions --- */

static void new_session(void)
{
	must(setsid() > 0, "setsid");
}

static void make_session(void)
{
	child = helper(new_session);
}

static void new_group(void)
{
	must(!setpgid(0, 0), "setpgid");
}

static void make_group(void)
{
	child = helper(new_group);
}

/* As daemons have it: neither its session's leader nor its group's lives. */
static void make_daemon(void)
{
	int ends[2];

	must(!pipe(ends), "pipe");
	if (!fork()) {
		setsid();
		if (fork())
			_exit(0);
		child = getpid();
		must(write(ends[1], &child, sizeof(child)) > 0, "write");
		close(ends[0]);
		close(ends[1]);
		for (;;)
			pause();
	}
	wait(NULL);
	must(read(ends[0], &child, sizeof(child)) == sizeof(child), "read");
}

static bool has_daemon(void)
{
	return !kill(child, 0);
}

/* --- signals and timers --- */

static void make_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 1);
	must(!sigprocmask(SIG_BLOCK, &set, NULL) && !raise(SIGUSR2) &&
		     !sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 47 }),
	     "signals");
}

static bool has_signals(void)
{
	struct timespec none = { 0 };
	siginfo_t si;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	return !sigpending(&set) && sigismember(&set, SIGUSR2) &&
	       (sigdelset(&set, SIGUSR2), true) &&
	       sigtimedwait(&set, &si, &none) == SIGRTMIN + 1 &&
	       si.si_value.sival_int == 47 &&
	       !sigqueue(getpid(), SIGRTMIN + 1, si.si_value);
}

static void make_sigtrap(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTRAP);
	must(!sigprocmask(SIG_BLOCK, &set, NULL) && !kill(getpid(), SIGTRAP), "SIGTRAP");
}

static bool has_sigtrap(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGTRAP);
}

static void make_itimer(void)
{
	struct itimerval day = { .it_value.tv_sec = 86400 };

	must(!setitimer(ITIMER_REAL, &day, NULL), "setitimer");
}

static bool has_itimer(void)
{
	struct itimerval t;

	return !getitimer(ITIMER_REAL, &t) && t.it_value.tv_sec > 80000;
}

static void timer_of(clockid_t clock)
{
	struct itimerspec day = { .it_value.tv_sec = 86400 };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

	must(!timer_create(clock, &ev, &timer) && !timer_settime(timer, 0, &day, NULL),
	     "timer_create");
}

static void make_timer(void)
{
	timer_of(CLOCK_MONOTONIC);
}

static void make_timer_cpu(void)
{
	timer_of(CLOCK_PROCESS_CPUTIME_ID);
}

static bool has_timer(void)
{
	struct itimerspec t;

	return !timer_gettime(timer, &t) && t.it_value.tv_sec > 80000;
}

/* --- filters --- */

static struct sock_filter pass_all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
static struct sock_fprog pass = { 1, pass_all };

static void filtered(void)
{
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
		     !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &pass),
	     "seccomp");
}

static void make_seccomp(void)
{
	child = helper(filtered);
}

static void strict(void)
{
	int ends[2];

	must(!pipe(ends), "pipe");
	child = fork();
	if (!child) {
		char c;

		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		for (;;)
			if (read(ends[0], &c, 1) < 0)
				syscall(SYS_exit, 1);
	}
}

static void make_strict(void)
{
	strict();
	usleep(50000);
	must(lives(child), "strict");
}

static void make_listener(void)
{
	static struct sock_filter ask[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, ask };

	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	skip_unless(fd >= 0, "seccomp listener");
}

static bool has_fd(void)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* --- tracers --- */

static void make_traced(void)
{
	int status;

	child = helper(wait_here);
	skip_unless(!ptrace(PTRACE_SEIZE, child, NULL, NULL), "ptrace");
	must(!ptrace(PTRACE_INTERRUPT, child, NULL, NULL) &&
		     waitpid(child, &status, 0) == child &&
		     !ptrace(PTRACE_CONT, child, NULL, NULL),
	     "ptrace");
}

/* --- what a process is --- */

static void make_about(void)
{
	struct sched_param batch = { 0 };
	struct rlimit files = { 77, 99 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	must(!setrlimit(RLIMIT_NOFILE, &files) && !prctl(PR_SET_NAME, "a (b) c") &&
		     !sched_setscheduler(0, SCHED_BATCH, &batch) && nice(5) == 5 &&
		     !prctl(PR_SET_CHILD_SUBREAPER, 1) &&
		     !prctl(PR_SET_PDEATHSIG, SIGUSR1),
	     "about");
}

static bool has_about(void)
{
	struct rlimit files;
	char name[20];
	int reaper = 0;

	return !getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur == 77 &&
	       !prctl(PR_GET_NAME, name) && !strcmp(name, "a (b) c") &&
	       sched_getscheduler(0) == SCHED_BATCH &&
	       getpriority(PRIO_PROCESS, 0) == 5 &&
	       !prctl(PR_GET_CHILD_SUBREAPER, &reaper) && reaper == 1;
}

static void as_nobody(void)
{
	must(!setgid(65534) && !setuid(65534), "setuid");
}

static void make_nobody(void)
{
	child = helper(as_nobody);
}

static void no_dump(void)
{
	must(!prctl(PR_SET_DUMPABLE, 0), "dumpable");
}

static void make_no_dump(void)
{
	child = helper(no_dump);
}

static void in_chroot(void)
{
	must(!mkdir("root", 0755) && !chroot("root") && !chdir("/"), "chroot");
}

static void make_chroot(void)
{
	child = helper(in_chroot);
}

static void in_deleted(void)
{
	must(!mkdir("gone", 0755) && !chdir("gone") && !rmdir("../gone"), "cwd");
}

static void make_cwd_deleted(void)
{
	child = helper(in_deleted);
}

const struct thing process_things[] = {
	{ "child", make_child, has_child },
	{ "stopped", make_stopped, has_stopped },
	{ "zombie", make_zombie, has_zombie },
	{ "threads", make_threads, has_threads },
	{ "thread-leader-gone", make_leaderless, has_child },
	{ "vfork", make_vfork, has_vfork },
	{ "shared-files", make_shared_files, has_child },
	{ "shared-fs", make_shared_fs, has_child },
	{ "shared-vm", make_shared_memory, has_child },
	{ "session", make_session, has_child },
	{ "process-group", make_group, has_child },
	{ "daemon", make_daemon, has_daemon },
	{ "signals", make_signals, has_signals },
	{ "signal-trap", make_sigtrap, has_sigtrap },
	{ "itimer", make_itimer, has_itimer },
	{ "timer", make_timer, has_timer },
	{ "timer-cpu", make_timer_cpu, has_timer },
	{ "seccomp", make_seccomp, has_child },
	{ "seccomp-strict", make_strict, has_child },
	{ "seccomp-listener", make_listener, has_fd },
	{ "traced", make_traced, has_child },
	{ "about", make_about, has_about },
	{ "nobody", make_nobody, has_child },
	{ "not-dumpable", make_no_dump, has_child },
	{ "chroot", make_chroot, has_child },
	{ "cwd-deleted", make_cwd_deleted, has_child },
	{ 0 },
};
