/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"
#include "sys/caps.h"
#include "sys/fdpass.h"
#include "sys/ns.h"
#include "sys/seccomp.h"
#include "ve/guest.h"
#include "ve/initfs.h"

#define SYSTEM(err, ...) vz_err_set(err, VZ_E_SYSTEM, errno, __VA_ARGS__)

/* Until the launcher says so, or dies. */
static void await(int sock, char word)
{
	char c;

	while (read(sock, &c, 1) != 1 || c != word)
		if (errno != EINTR)
			_exit(1);
}

/* Those of home at once, so that all that is built is charged to the VE. */
static int enter_home(const struct vz_init *in, struct vz_err *err)
{
	int r = vz_cg_enter(&in->groups);

	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't enter the VE's groups") : 0;
}

static int enter_groups(const struct vz_init *in, struct vz_err *err)
{
	int fds[VZ_CG__COUNT], r = 0;
	struct vz_init_groups groups;
	ssize_t n = vz_fdpass_recv(in->sock, &groups, sizeof(groups), fds, VZ_CG__COUNT);

	/* A launcher that dies takes us with it: then there is nothing left to build. */
	if (n != sizeof(groups))
		_exit(1);
	for (uint32_t i = 0; i < groups.n && !r; i++) {
		r = write(fds[i], "0", 1) == 1 ? 0 : -errno;
		close(fds[i]);
	}
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't enter the VE's groups");
	return unshare(CLONE_NEWCGROUP) ? SYSTEM(err, "can't make a cgroup namespace")
					: 0;
}

/* A change of ids has taken this process's own files in /proc from it. */
static int begin_time(struct vz_err *err)
{
	int r = prctl(PR_SET_DUMPABLE, 1) ? -errno : vz_ns_new_time();

	if (prctl(PR_SET_DUMPABLE, 0) || (r && r != -EINVAL))
		return vz_err_set(err, VZ_E_KERNEL, -r, "can't make a time namespace");
	return 0;
}

static int become_root(const struct vz_init *in, struct vz_err *err)
{
	await(in->sock, VZ_INIT_MAPPED);
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		return SYSTEM(err, "can't become root of the VE");
	/* After that, for a change of ids takes it away. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return SYSTEM(err, "can't tie the VE's init to its launcher");
	/* The administrator's keys are none of the VE's business. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return SYSTEM(err, "can't make a session keyring");
	umask(022);
	return 0;
}

static int identify(const struct vz_init *in, struct vz_err *err)
{
	const char *name = in->hostname ? in->hostname : "localhost";
	int r;

	if (sethostname(name, strlen(name)))
		return vz_err_set(err, VZ_E_HOSTNAME, errno, "can't set host name '%s'",
				  name);
	r = vz_ns_lo_up();
	return r ? vz_err_set(err, VZ_E_NETDEV, -r, "can't set lo up in the VE") : 0;
}

/* From here on this process has no more rights than the VE's root. */
static int restrict_self(const struct vz_init *in, int *ret_listener, struct vz_err *err)
{
	int r = vz_seccomp_install_listener(in->seccomp, ret_listener);

	if (r)
		return vz_err_set(err, VZ_E_KERNEL, -r, "can't filter system calls");
	r = vz_caps_apply(in->caps);
	return r ? vz_err_set(err, VZ_E_CAP, -r, "can't drop capabilities") : 0;
}

static int build(const struct vz_init *in, struct vz_init_hello *hello,
		 int fds[VZ_INIT_FDS], int *ret_tty)
{
	struct vz_err *err = &hello->err;
	int r = vz_binds_take(in->bind, in->n_binds, err);

	vz_lxcfs_take(in->lxcfs);
	if (!r)
		r = enter_home(in, err);
	if (!r)
		r = become_root(in, err);
	if (!r)
		r = begin_time(err);
	if (!r)
		r = vz_initfs_build(in, enter_groups, &fds[VZ_INIT_FD_CONSOLE], ret_tty,
				    err);
	if (!r)
		r = identify(in, err);
	if (!r)
		r = vz_guest_probe(hello, &fds[VZ_INIT_FD_READY], err);
	hello->lxcfs = in->lxcfs->error;
	return r ? r : restrict_self(in, &fds[VZ_INIT_FD_QUOTA], err);
}

/*
 * The console becomes 0, 1 and 2, but not the controlling terminal: as on a
 * machine, that is for the getty or shell that init starts on it.
 */
static int take_console(int tty, struct vz_err *err)
{
	if (setsid() < 0 && errno != EPERM)
		return SYSTEM(err, "can't make a session");
	for (int i = 0; i < 3; i++)
		if (dup2(tty, i) < 0)
			return SYSTEM(err, "can't use the VE's console");
	return 0;
}

/* Process 1 of a VE without an init: reap until the launcher goes. */
static _Noreturn void run_tool(int sock)
{
	char c;

	signal(SIGCHLD, SIG_IGN);
	while (read(sock, &c, 1) > 0 || errno == EINTR)
		errno = 0;
	_exit(0);
}

static void run_guest(const struct vz_init_hello *hello, struct vz_err *err)
{
	/* It shall outlive its launcher now; what that missed, the next command adopts. */
	prctl(PR_SET_PDEATHSIG, 0);
	vz_reset_signals();
	vz_guest_exec(hello, err);
}

_Noreturn void vz_init_main(const struct vz_init *in)
{
	struct vz_init_hello hello = { 0 };
	int fds[VZ_INIT_FDS] = { -1, -1, -1 }, tty = -1;
	int r = build(in, &hello, fds, &tty);

	if (!r)
		r = take_console(tty, &hello.err);
	if (vz_fdpass_send(in->sock, &hello, sizeof(hello), fds,
			   r			       ? 0
			   : fds[VZ_INIT_FD_QUOTA] < 0 ? VZ_INIT_FD_QUOTA
						       : VZ_INIT_FDS) ||
	    r)
		_exit(1);
	/* Scripts of the VE may run beside this process from now on. */
	if (in->sock > 3)
		close_range(3, in->sock - 1, 0);
	close_range(in->sock + 1, ~0U, 0);
	await(in->sock, VZ_INIT_GO);
	if (in->tool)
		run_tool(in->sock);
	run_guest(&hello, &hello.err);
	vz_fdpass_send(in->sock, &hello, sizeof(hello), NULL, 0);
	_exit(1);
}
