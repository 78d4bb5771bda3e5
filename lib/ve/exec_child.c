/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way into a VE. Two processes take it. The first is the host's as far as
 * pids go: the VE can't see it while it enters groups and namespaces and gives
 * up what it has of the host. The second is born inside the VE's pid namespace
 * with nothing left to do but to confine itself and exec. It is made not
 * dumpable before that, so that its descriptors, memory and exe link, the
 * host's vzctl, are beyond the reach of the VE's root (whose capabilities do
 * not hold over a memory image of the host's user namespace) up to execve.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/run.h"
#include "sys/caps.h"
#include "sys/fdpass.h"
#include "sys/seccomp.h"
#include "ve/exec_priv.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static _Noreturn void fail(struct vz_exec_job *job, enum vz_exit status, int errnum,
			   const char *what, const char *on)
{
	struct vz_exec_msg msg = { 0 };

	vz_err_set(&msg.err, status, errnum, "%s%s%s", what, on ? " " : "", on ? on : "");
	vz_fdpass_send(job->sock, &msg, sizeof(msg), NULL, 0);
	_exit(127);
}

static _Noreturn void fail_enter(struct vz_exec_job *job, const char *what)
{
	fail(job, VZ_E_SYSTEM, errno, "can't enter the VE:", what);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Close everything but these; those that are -1 don't count. */
static int close_all_but(int *keep, size_t n)
{
	unsigned int from = 0;

	qsort(keep, n, sizeof(*keep), compare);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned int)keep[i] > from && close_range(from, keep[i] - 1, 0))
			return -errno;
		from = keep[i] + 1;
	}
	return close_range(from, ~0U, 0) ? -errno : 0;
}

/* Move what becomes 0, 1 and 2 above them, and close all that is not needed. */
static void keep_needed(struct vz_exec_job *job)
{
	int keep[VZ_CG__COUNT + 5];
	size_t n = 0;

	for (int i = 0; i < 3; i++)
		if (job->fd[i] >= 0) {
			job->fd[i] = fcntl(job->fd[i], F_DUPFD_CLOEXEC, 3);
			if (job->fd[i] < 0)
				fail_enter(job, "descriptors");
			keep[n++] = job->fd[i];
		}
	for (int c = 0; c < VZ_CG__COUNT; c++)
		keep[n++] = job->groups.fd[c];
	keep[n++] = job->init;
	keep[n++] = job->sock;
	if (close_all_but(keep, n))
		fail_enter(job, "descriptors");
}

/* What the caller's session on the host would hand down. */
static void leave_session(struct vz_exec_job *job)
{
	char adj[16];

	/* A service of the host may be spared by the OOM killer; a VE is not. */
	if (!vz_read_small(AT_FDCWD, "/proc/self/oom_score_adj", adj, sizeof(adj)) &&
	    adj[0] == '-')
		vz_write_small(AT_FDCWD, "/proc/self/oom_score_adj", "0");
	/* Without the feature the filter denies all that reaches a keyring. */
	if (job->st->seccomp & VZ_SECCOMP_KEYCTL &&
	    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		fail_enter(job, "a session keyring");
}

static void enter_namespaces(struct vz_exec_job *job)
{
	int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS |
		    CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWTIME;

	/* A privileged VE shares ours, and one can't enter where one is. */
	if (job->st->uid)
		flags |= CLONE_NEWUSER;
	if (setns(job->init, flags)) {
		if (errno == ESRCH)
			fail(job, VZ_E_NOTRUNNING, 0, "the VE is not running", NULL);
		fail_enter(job, "its namespaces");
	}
	close(job->init);
}

static void become_root(struct vz_exec_job *job)
{
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		fail_enter(job, "as its root");
	/* The changes above set it to what fs.suid_dumpable says. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		fail_enter(job, "undumpable");
}

static void set_limits(const struct vz_exec_job *job)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit want = job->limit[i], own;

		if (getrlimit(i, &own))
			continue;
		/* Only CAP_SYS_RESOURCE of the host raises a hard limit. */
		if (setrlimit(i, &want) && want.rlim_max > own.rlim_max) {
			want.rlim_max = own.rlim_max;
			if (want.rlim_cur > want.rlim_max)
				want.rlim_cur = want.rlim_max;
			setrlimit(i, &want);
		}
	}
	umask(022);
	if (chdir("/root") && chdir("/"))
		return;
}

/* A file of the VE, which may have put anything in its place. */
static int open_inside(const char *path, int flags)
{
	struct open_how how = {
		.flags = flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	int fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/*
 * A pty from the VE's own devpts. *ret_master is the parent's; that it is a
 * master and nothing else that the VE has put there is what its device number
 * and the ioctls of a master say.
 */
static void open_pty(struct vz_exec_job *job, int *ret_master)
{
	int master = open_inside("/dev/pts/ptmx", O_RDWR), slave, unlock = 0;
	struct stat st;

	if (master < 0)
		fail(job, VZ_E_SYSTEM, -master,
		     "can't open a terminal in the VE:", "/dev/pts/ptmx");
	if (fstat(master, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		fail(job, VZ_E_SYSTEM, 0, "the VE's /dev/pts/ptmx is no terminal", NULL);
	if (ioctl(master, TIOCSPTLCK, &unlock))
		fail_enter(job, "with a terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* Low numbers are free by now, but are not meant for this. */
	if (slave >= 0)
		slave = fcntl(slave, F_DUPFD_CLOEXEC, 3);
	if (slave < 0)
		fail_enter(job, "with a terminal");
	for (int i = 0; i < 3; i++)
		job->fd[i] = slave;
	*ret_master = master;
}

static void open_null(struct vz_exec_job *job)
{
	int null = -1;

	for (int i = 0; i < 3; i++) {
		if (job->fd[i] >= 0)
			continue;
		if (null < 0)
			null = open_inside("/dev/null", O_RDWR);
		job->fd[i] = null < 0 ? -1 : fcntl(null, F_DUPFD_CLOEXEC, 3);
		if (job->fd[i] < 0)
			fail(job, VZ_E_SYSTEM, null < 0 ? -null : errno,
			     "can't open the VE's /dev/null", NULL);
	}
}

/* execve() in the VE, of each directory of the path. The last error that counts. */
static int exec_in_path(const char *const *argv, char *const *env)
{
	static const char path[] = VZ_RUN_PATH;
	char file[4096];
	int r = ENOENT;

	if (strchr(argv[0], '/')) {
		execve(argv[0], (char *const *)argv, env);
		return errno;
	}
	for (const char *at = path; *at;) {
		size_t len = strcspn(at, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)len, at, argv[0]);
		execve(file, (char *const *)argv, env);
		if (errno != ENOENT && errno != ENOTDIR)
			r = errno;
		at += len + !!at[len];
	}
	return r;
}

/* BusyBox goes by the name that it is called by, so it must be the true one. */
static void exec_shell(struct vz_exec_job *job)
{
	bool login = job->argv[0][0] == '-';

	job->argv[0] = login ? "-bash" : "bash";
	execve("/bin/bash", (char *const *)job->argv, job->env.v);
	job->argv[0] = login ? "-sh" : "sh";
	execve("/bin/sh", (char *const *)job->argv, job->env.v);
}

static _Noreturn void exec_program(struct vz_exec_job *job)
{
	if (!job->ex->shell)
		fail(job, VZ_E_COMMAND, exec_in_path(job->argv, job->env.v), "can't run",
		     job->argv[0]);
	exec_shell(job);
	fail(job, VZ_E_COMMAND, errno, "can't run /bin/bash or /bin/sh of the VE", NULL);
}

/* Our parent sees to the quota calls of what we become. */
static int install_filter(struct vz_exec_job *job)
{
	struct vz_exec_msg msg = { 0 };
	int listener, r = vz_seccomp_install_listener(job->st->seccomp, &listener);

	if (r || listener < 0)
		return r;
	r = vz_fdpass_send(job->sock, &msg, sizeof(msg), &listener, 1);
	close(listener);
	return r;
}

/* The second process: the VE sees it from here on. */
static int program(void *data)
{
	struct vz_exec_job *job = data;
	int r;

	/* Outside processes in the session would keep CRIU from dumping the VE. */
	if (setsid() < 0)
		fail_enter(job, "in a session");
	if (job->ex->tty && ioctl(job->fd[0], TIOCSCTTY, 0))
		fail_enter(job, "with a controlling terminal");
	for (int i = 0; i < 3; i++)
		if (dup2(job->fd[i], i) < 0)
			fail_enter(job, "descriptors");
	vz_reset_signals();
	r = install_filter(job);
	if (r)
		fail(job, VZ_E_KERNEL, -r, "can't install the system call filter", NULL);
	r = vz_caps_apply(job->st->caps ? job->st->caps : vz_caps_default(!job->st->uid));
	if (r)
		fail(job, VZ_E_CAP, -r, "can't drop capabilities", NULL);
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC))
		fail_enter(job, "descriptors");
	exec_program(job);
}

_Noreturn void vz_exec_child(struct vz_exec_job *job)
{
	/*
	 * The two share their memory (nothing to copy, nothing to tear down), and
	 * the first ends at once: the parent must be the program's parent.
	 */
	char stack[32768] __attribute__((aligned(16)));
	struct vz_exec_msg msg = { 0 };
	int master = -1, r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	keep_needed(job);
	leave_session(job);
	r = vz_cg_enter(&job->groups);
	if (r) {
		errno = -r;
		fail_enter(job, "its groups");
	}
	vz_cg_entry_close(&job->groups);
	enter_namespaces(job);
	become_root(job);
	set_limits(job);
	if (job->ex->tty)
		open_pty(job, &master);
	open_null(job);
	msg.pid = clone(program, stack + sizeof(stack), CLONE_VM | CLONE_PARENT | SIGCHLD,
			job);
	if (msg.pid < 0)
		fail(job, VZ_E_SYSTEM, errno, "can't make a process in the VE", NULL);
	vz_fdpass_send(job->sock, &msg, sizeof(msg), &master, master >= 0);
	_exit(0);
}
