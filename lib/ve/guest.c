/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"
#include "sys/root.h"

#define NOTIFY "/run/host/notify"
#define READY_FIFO "/run/host/ready"
#define READY_HOOK "/sbin/vz-ready"
#define INITCTL_MS 3000 /* for a VE's file system to answer */

/* Where an init may be, in the order in which they are tried. */
static const char *const paths[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };

/*
 * How each kind is asked to halt: the first of these signals that it listens
 * to (realtime ones as RT + N, for SIGRTMIN is no constant), or its fifo.
 */
#define RT 1000
static const struct guest {
	const char *kind;
	const char *program; /* what /sbin/init is in the end */
	int signals[4];
	const char *fifo;
} guests[] = {
	{ "systemd", "systemd", { RT + 4 } },
	{ "busybox", "busybox", { SIGUSR2 } },
	{ "openrc", "openrc-init", { SIGTERM } },
	{ "sysvinit", NULL, { 0 }, "run/initctl" },
	{ "other", NULL, { RT + 4, SIGPWR, SIGTERM } },
};

static const struct guest *find_guest(const char *kind)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(guests); i++)
		if (!strcmp(guests[i].kind, kind))
			return &guests[i];
	return &guests[VZ_ARRAY_SIZE(guests) - 1];
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return !stat(a, &sa) && !stat(b, &sb) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

static const char *probe_kind(void)
{
	char real[PATH_MAX];
	const char *name;

	if (!realpath(paths[0], real))
		return "other";
	name = strrchr(real, '/') + 1;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(guests); i++)
		if (guests[i].program && !strcmp(name, guests[i].program))
			return guests[i].kind;
	if (same_file(paths[0], "/bin/busybox"))
		return "busybox";
	/* sysvinit has no name of its own, but its table and its fifo's client. */
	if (!access("/etc/inittab", F_OK) && !access("/sbin/telinit", F_OK))
		return "sysvinit";
	return "other";
}

/* A datagram socket of the VE's that the supervisor reads. */
static int make_notify(int *ret_fd)
{
	vz_autofd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = NOTIFY };
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&un, sizeof(un)))
		return -errno;
	*ret_fd = vz_take_fd(&fd);
	return 0;
}

static int make_fifo(int *ret_fd)
{
	int fd;

	if (mkfifo(READY_FIFO, 0600))
		return -errno;
	/* For writing also: else each writer that goes would be an end of file. */
	fd = open(READY_FIFO, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* The version of the VE's systemd, by its library's name; 0: not known. */
static int systemd_version(void)
{
	static const char *const patterns[] = {
		"/usr/lib/systemd/libsystemd-shared-*.so",
		"/usr/lib/*/systemd/libsystemd-shared-*.so",
	};
	int version = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(patterns) && !version; i++) {
		glob_t found = { 0 };

		if (!glob(patterns[i], GLOB_NOSORT, NULL, &found) && found.gl_pathc)
			version = atoi(strrchr(found.gl_pathv[0], '-') + 1);
		globfree(&found);
	}
	return version;
}

/*
 * What services of systemd's may not have, or CRIU could not dump the VE: namespaces of
 * their own inside of the VE's, credentials, which are mounts that it does not know, and
 * a control group's file mounted over itself, which it can't make again.
 * It leaves them their own view of the files. Never /run/systemd/system: an init that is
 * not systemd would take itself for it.
 */
static int drop_in(void)
{
	static const char *const dirs[] = { "/run/systemd", "/run/systemd/system.control",
					    "/run/systemd/system.control/service.d" };
	static const char text[] =
		"# By vz: services with these can't be suspended or moved, see "
		"vzctl(8).\n"
		"[Service]\n"
		"ProtectHostname=no\nPrivateUsers=no\nPrivateIPC=no\nPrivateNetwork=no\n"
		"LoadCredential=\nSetCredential=\n";
	/* Older ones would warn of it for each service. */
	static const char newer[] = "MemoryPressureWatch=off\n";
	vz_autofd int fd = -1;
	int r;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(dirs); i++)
		if (mkdir(dirs[i], 0755) && errno != EEXIST)
			return -errno;
	fd = open("/run/systemd/system.control/service.d/10-vz.conf",
		  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : vz_write_all(fd, text, sizeof(text) - 1);
	if (!r && systemd_version() >= 254)
		r = vz_write_all(fd, newer, sizeof(newer) - 1);
	return r;
}

int vz_guest_probe(struct vz_init_hello *hello, int *ret_ready, struct vz_err *err)
{
	int r;

	snprintf(hello->kind, sizeof(hello->kind), "%s", probe_kind());
	hello->notifies = !strcmp(hello->kind, "systemd");
	hello->tells_ready = hello->notifies || !access(READY_HOOK, X_OK);
	r = hello->notifies ? make_notify(ret_ready) : make_fifo(ret_ready);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't make %s in the VE",
				  hello->notifies ? NOTIFY : READY_FIFO);
	r = hello->notifies ? drop_in() : 0;
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write in the VE's /run") : 0;
}

/*
 * The VE's own machine id is the one name of it that is the same on every
 * node and belongs to no other VE. Without one (a new VE) systemd makes one
 * and keeps it, if it is not told any.
 */
static bool read_uuid(char *uuid, size_t size)
{
	char id[64];

	if (vz_read_small(AT_FDCWD, "/etc/machine-id", id, sizeof(id)) ||
	    strspn(id, "0123456789abcdef") != 32 || id[32])
		return false;
	snprintf(uuid, size, "container_uuid=%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8,
		 id + 12, id + 16, id + 20);
	return true;
}

void vz_guest_exec(const struct vz_init_hello *hello, struct vz_err *err)
{
	char uuid[64];
	char *env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		/* "openvz" would make systemd say container-other. */
		"container=lxc",
		"TERM=linux",
		"HOME=/root",
		"USER=root",
		NULL,
		NULL,
		NULL,
		NULL,
	};
	size_t n = 5;

	if (hello->notifies)
		env[n++] = "NOTIFY_SOCKET=" NOTIFY;
	/* A watch that CRIU can't make again, upon which systemd would turn and turn. */
	if (hello->notifies)
		env[n++] = "MEMORY_PRESSURE_WATCH=/dev/null";
	if (hello->notifies && read_uuid(uuid, sizeof(uuid)))
		env[n++] = uuid;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(paths); i++) {
		char *argv[] = { (char *)paths[i], NULL };

		execve(paths[i], argv, env);
	}
	vz_err_set(err, VZ_E_BADTEMPLATE, errno,
		   "can't start init: none of /sbin/init, /etc/init, /bin/init, /bin/sh "
		   "can be run; the template is not for this machine, or damaged");
}

/*
 * Ask sysvinit for run level 0 by its fifo. It is the VE's to make, so it may
 * be anything: not followed, not waited for, and written to only when it is a
 * fifo. -EAGAIN: it is not there or not read yet.
 */
static int write_initctl(pid_t pid, const char *path)
{
	struct {
		int magic, cmd, runlevel, sleeptime;
		char data[368];
	} request = { .magic = 0x03091969, .cmd = 1, .runlevel = '0' };
	vz_autofd int root = -1, fd = -1;
	struct stat st;
	char dir[32];

	snprintf(dir, sizeof(dir), "/proc/%d/root", pid);
	root = vz_root_open(dir);
	if (root < 0)
		return root;
	fd = vz_root_openat(root, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENXIO ? -EAGAIN : fd;
	if (fstat(fd, &st) || !S_ISFIFO(st.st_mode))
		return -EOPNOTSUPP;
	return write(fd, &request, sizeof(request)) == sizeof(request) ? 0 : -EAGAIN;
}

/*
 * By another process: the VE may have mounted a file system of its own making
 * on the way there, that never answers. Such a process ends with the VE.
 */
static int ask_initctl(pid_t pid, const char *path)
{
	struct pollfd p = { .events = POLLIN };
	int ends[2], r = -ETIMEDOUT;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	if (vz_detach(ends[1])) {
		r = write_initctl(pid, path);
		_exit(vz_write_all(ends[1], &r, sizeof(r)) != 0);
	}
	close(ends[1]);
	p.fd = ends[0];
	if (poll(&p, 1, INITCTL_MS) == 1 && read(ends[0], &r, sizeof(r)) != sizeof(r))
		r = -EIO;
	close(ends[0]);
	return r;
}

/* Whether a process sits in sigtimedwait(2), as BusyBox's init mostly does. */
static bool waits_for_signals(pid_t pid)
{
	/* Of this machine's ABI, and of i386. */
	static const long calls[] = { SYS_rt_sigtimedwait, 177, 421 };
	char path[32], buf[128];
	long nr;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	if (vz_read_small(AT_FDCWD, path, buf, sizeof(buf)) ||
	    sscanf(buf, "%ld", &nr) != 1)
		return false;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(calls); i++)
		if (nr == calls[i])
			return true;
	return false;
}

/*
 * The signals that a process catches, or blocks to take them otherwise. While
 * it waits in sigtimedwait(2), those that it waits for show as not blocked.
 */
static int listened_to(pid_t pid, uint64_t *ret_mask)
{
	char path[32], status[4096];
	uint64_t mask = 0, v;
	int r;

	if (waits_for_signals(pid)) {
		*ret_mask = UINT64_MAX;
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	r = vz_read_small(AT_FDCWD, path, status, sizeof(status));
	if (r)
		return r;
	for (const char *s = status; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (sscanf(s, "SigCgt: %" SCNx64, &v) == 1 ||
		    sscanf(s, "SigBlk: %" SCNx64, &v) == 1)
			mask |= v;
	}
	*ret_mask = mask;
	return 0;
}

/*
 * The kernel drops a signal that process 1 does not listen to, as one that
 * has just been begun does: that is -EAGAIN.
 */
static int send_signal(const struct guest *g, int pidfd, pid_t pid)
{
	uint64_t mask;
	int r = listened_to(pid, &mask);

	for (size_t i = 0; !r && g->signals[i]; i++) {
		int sig = g->signals[i] > RT ? SIGRTMIN + g->signals[i] - RT
					     : g->signals[i];

		if (mask & 1ULL << (sig - 1))
			return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0)
				       ? -errno
				       : 0;
	}
	return r ? r : -EAGAIN;
}

int vz_guest_halt(const char *kind, int pidfd, pid_t pid)
{
	const struct guest *g = find_guest(kind);

	return g->fifo ? ask_initctl(pid, g->fifo) : send_signal(g, pidfd, pid);
}
