/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/consolefs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/fdpass.h"
#include "sys/mnt.h"

/*
 * Done by another process, in the VE's mount namespace and with no more rights
 * than the VE's root has there: whatever that one has made of /dev is its own.
 * It is in none of the VE's groups and not in its pid namespace, where it could
 * be seen. A file system of the VE may let it hang, so the caller does not wait.
 */
#define RENEW_MS 5000
#define FREE_MS 1000 /* for who had the old console open */
#define NAP_MS 20
#define SPACES_MAX 64 /* mount namespaces of services */

static int failed(struct vz_err *err, int errnum, const char *what)
{
	return vz_err_set(err, VZ_E_SYSTEM, errnum, "%s", what);
}

/* In a directory of the VE's, by no link of any kind. A descriptor or -errno. */
static int open_in(int dir, const char *name, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static bool is_devpts(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == DEVPTS_SUPER_MAGIC;
}

/* Its root, so that the terminal belongs to that, as the first one did. */
static int enter(int init, bool privileged)
{
	if (setns(init, CLONE_NEWNS | (privileged ? 0 : CLONE_NEWUSER)))
		return -errno;
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		return -errno;
	return prctl(PR_SET_DUMPABLE, 0) ? -errno : 0;
}

/* What stands in devpts itself, with nothing mounted over it, is a master. */
static int open_master(int pts, int *ret_number)
{
	vz_autofd int fd =
		open_in(pts, "ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, RESOLVE_NO_XDEV);

	if (fd < 0)
		return fd;
	return ioctl(fd, TIOCGPTN, ret_number) ? -errno : vz_take_fd(&fd);
}

/*
 * The first terminal, as the old one was: of another CRIU can't make a console again. It
 * is free when who had the old one open has seen that it is hung up, which ends a getty.
 */
static int open_first(int pts)
{
	const struct timespec nap = { .tv_nsec = NAP_MS * 1000000L };
	int number = -1, fd = open_master(pts, &number);

	for (int ms = 0; fd >= 0 && number && ms < FREE_MS; ms += NAP_MS) {
		close(fd);
		nanosleep(&nap, NULL);
		fd = open_master(pts, &number);
	}
	return fd;
}

static int open_pty(int dev, int *ret_master, int *ret_slave, struct vz_err *err)
{
	vz_autofd int pts = open_in(dev, "pts", O_PATH | O_DIRECTORY, 0), master = -1;
	int slave, unlock = 0;

	if (pts < 0 || !is_devpts(pts))
		return failed(err, pts < 0 ? -pts : 0, "the VE's /dev/pts is no devpts");
	master = open_first(pts);
	if (master < 0)
		return failed(err, -master, "can't open a terminal in the VE");
	if (ioctl(master, TIOCSPTLCK, &unlock))
		return failed(err, errno, "can't unlock a terminal in the VE");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return failed(err, errno, "can't open a terminal in the VE");
	*ret_master = vz_take_fd(&master);
	*ret_slave = slave;
	return 0;
}

/* Whether name in dir is a terminal that is mounted there, as ours are. */
static bool is_console(int dir, const char *name)
{
	vz_autofd int fd = open_in(dir, name, O_PATH, 0);
	struct statx st;

	return fd >= 0 && is_devpts(fd) &&
	       !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) &&
	       S_ISCHR(st.stx_mode) && st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* The old one goes: what nobody can use any more is nothing to checkpoint. */
static int replace(int dev, int mnt, struct vz_err *err)
{
	static const char name[] = "console";

	if (!is_console(dev, name))
		return failed(err, 0, "the VE has something else as its /dev/console");
	if (fchdir(dev) || umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW))
		return failed(err, errno, "can't unmount the VE's /dev/console");
	if (move_mount(mnt, "", dev, name, MOVE_MOUNT_F_EMPTY_PATH))
		return failed(err, errno, "can't mount the VE's /dev/console");
	return 0;
}

/* -- mount namespaces of the VE's services -- */

struct spaces {
	size_t n;
	struct {
		ino_t ino;
		int fd, mnt; /* mnt: the console, to be put there */
	} v[SPACES_MAX];
};

static void add_space(struct spaces *s, int proc, const char *pid, uint64_t pidns,
		      ino_t own)
{
	struct stat pids, mounts;
	char path[64];

	snprintf(path, sizeof(path), "%.20s/ns/pid", pid);
	if (fstatat(proc, path, &pids, 0) || pids.st_ino != pidns)
		return;
	snprintf(path, sizeof(path), "%.20s/ns/mnt", pid);
	if (fstatat(proc, path, &mounts, 0) || mounts.st_ino == own)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].ino == mounts.st_ino)
			return;
	s->v[s->n].ino = mounts.st_ino;
	s->v[s->n].mnt = -1;
	s->v[s->n].fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	s->n += s->v[s->n].fd >= 0;
}

/* Before the VE is entered, where its processes are seen. Some are enough. */
static void find_spaces(const struct vz_state *st, struct spaces *s)
{
	vz_autodir DIR *d = opendir("/proc");
	struct stat own;
	struct dirent *e;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", st->init);
	if (!d || stat(path, &own))
		return;
	while ((e = readdir(d)) && s->n < SPACES_MAX)
		if (*e->d_name >= '1' && *e->d_name <= '9')
			add_space(s, dirfd(d), e->d_name, st->pidns, own.st_ino);
}

/* What was hidden there, or that can't be undone (a namespace in the VE), stays. */
static void renew_space(int fd, int mnt)
{
	vz_autofd int dev = -1;

	if (mnt < 0 || setns(fd, CLONE_NEWNS))
		return;
	dev = open_in(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY, 0);
	if (dev >= 0)
		replace(dev, mnt, NULL);
}

/* -- the process that does it -- */

static int renew(int init, bool privileged, struct spaces *s, int *ret_master,
		 struct vz_err *err)
{
	vz_autofd int dev = -1, master = -1, slave = -1, mnt = -1;
	int r = enter(init, privileged);

	if (r)
		return failed(err, -r, "can't enter the VE");
	dev = open_in(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY, 0);
	if (dev < 0)
		return failed(err, -dev, "the VE has no /dev");
	r = open_pty(dev, &master, &slave, err);
	if (r)
		return r;
	mnt = vz_mnt_clone(slave, "", false);
	if (mnt < 0)
		return failed(err, -mnt, "can't mount a terminal in the VE");
	/* From here alone they can be had. */
	for (size_t i = 0; i < s->n; i++)
		s->v[i].mnt = vz_mnt_clone(slave, "", false);
	r = replace(dev, mnt, err);
	if (!r)
		*ret_master = vz_take_fd(&master);
	return r;
}

/* Nothing but what it needs stays open in it, the VE's lock least of all. */
static _Noreturn void run_child(const struct vz_state *st, int init, int sock)
{
	int high[2] = { fcntl(init, F_DUPFD, 3), fcntl(sock, F_DUPFD, 3) };
	static struct spaces spaces;
	struct vz_err err = { 0 };
	int master = -1;

	if (high[0] < 0 || high[1] < 0 || dup2(high[0], 0) < 0 || dup2(high[1], 1) < 0)
		_exit(1);
	close_range(2, ~0U, 0);
	find_spaces(st, &spaces);
	renew(0, !st->uid, &spaces, &master, &err);
	if (vz_fdpass_send(1, &err, sizeof(err), &master, master >= 0) || master < 0)
		_exit(1);
	for (size_t i = 0; i < spaces.n; i++)
		renew_space(spaces.v[i].fd, spaces.v[i].mnt);
	_exit(0);
}

/* Whether there is a word of it, or its end, before it has hung for too long. */
static bool answers(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	return poll(&p, 1, RENEW_MS) != 0;
}

static int receive(int sock, int *ret_master, struct vz_err *err)
{
	struct vz_err theirs;

	if (!answers(sock))
		return failed(err, ETIMEDOUT, "a file system of the VE hangs");
	if (vz_fdpass_recv(sock, &theirs, sizeof(theirs), ret_master, 1) !=
	    sizeof(theirs))
		return failed(err, EIO, "can't make a terminal in the VE");
	if (*ret_master >= 0)
		return 0;
	if (err)
		*err = theirs;
	return theirs.errnum ? -theirs.errnum : -EINVAL;
}

int vz_consolefs_renew(const struct vz_state *st, int init, int *ret_master,
		       struct vz_err *err)
{
	int sock[2], master = -1, r;
	bool ends;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return failed(err, errno, "can't make a socket");
	pid = fork();
	if (!pid)
		run_child(st, init, sock[1]);
	close(sock[1]);
	r = pid < 0 ? failed(err, EAGAIN, "can't make a process")
		    : receive(sock[0], &master, err);
	/* It is through when the services have the new one, too. */
	ends = r ? r != -ETIMEDOUT : answers(sock[0]);
	close(sock[0]);
	if (pid > 0) {
		/* One that hangs in the kernel is left to it, and goes no further. */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, ends ? 0 : WNOHANG);
	}
	if (!r)
		*ret_master = master;
	return r;
}
