/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors, and what they lead to. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/criu.h"
#include "sys/root.h"
#include "ve/oracle_priv.h"

#define FDINFO_MAX (4 << 20)
#define VERSION_PIDFD 40100 /* of CRIU: the first that keeps pidfds */

/* --- kinds that are the kernel's own --- */

static bool is_kept_anon(const struct oracle *o, const char *name)
{
	static const char *const kept[] = { "eventfd",	"eventpoll", "inotify",
					    "fanotify", "signalfd",  "timerfd" };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(kept); i++)
		if (!strcmp(kept[i], name))
			return true;
	return !strcmp(name, "pidfd") && o->criu >= VERSION_PIDFD;
}

static void check_pidfd(struct oracle *o, const struct oracle_fd *fd)
{
	if (fd->info.flags & O_EXCL)
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor",
					"CRIU can't keep a descriptor of a thread",
					"close it, or end the process"),
			    "descriptor %d, pidfd of a thread", fd->number);
	else if (fd->info.pid > 0 && !oracle_task_of(o, fd->info.pid))
		oracle_tell(
			o, fd->task,
			ORACLE_WORD("descriptor",
				    "it is of a process that does not belong to the VE's "
				    "init, as of `vzctl exec`",
				    "end that"),
			"descriptor %d, pidfd", fd->number);
}

static void check_anon(struct oracle *o, const struct oracle_fd *fd, const char *name)
{
	if (!is_kept_anon(o, name))
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor", "CRIU can't keep one of this kind",
					"close it, or end the process"),
			    "descriptor %d, %s", fd->number, name);
	else if (!strcmp(name, "eventpoll"))
		oracle_check_epoll(o, fd);
	else if (!strcmp(name, "inotify"))
		oracle_check_inotify(o, fd);
	else if (!strcmp(name, "pidfd"))
		check_pidfd(o, fd);
}

/* A namespace: only those that processes of the VE are in are made again. */
static void check_ns(struct oracle *o, const struct oracle_fd *fd, const char *name,
		     uint64_t ino)
{
	for (int ns = 0; ns < ORACLE_NS__COUNT; ns++)
		if (oracle_has_space(o, ns, ino))
			return;
	oracle_tell(o, fd->task,
		    ORACLE_WORD("descriptor",
				"it is a namespace that no process of the VE is in",
				"close it, or end the process"),
		    "descriptor %d, %s namespace", fd->number, name);
}

/* --- files --- */

static bool is_deleted(const char *link)
{
	static const char suffix[] = " (deleted)";
	size_t n = strlen(link), s = sizeof(suffix) - 1;

	return n > s && !strcmp(link + n - s, suffix);
}

/* Its name leads to another file by now: to what was mounted, or moved, there. */
static bool is_hidden(const struct oracle *o, const struct oracle_fd *fd,
		      const struct oracle_mount *m)
{
	vz_autofd int at = -1;
	struct stat st;

	if (m->space || is_deleted(fd->link) || !strncmp(m->type, "fuse", 4) ||
	    !strcmp(m->type, "proc") || !strcmp(m->type, "devpts"))
		return false;
	at = vz_root_openat(o->root, fd->link, O_PATH | O_NOFOLLOW, 0);
	return at >= 0 && !fstatat(at, "", &st, AT_EMPTY_PATH) &&
	       (st.st_ino != fd->st.st_ino || st.st_dev != fd->st.st_dev);
}

/* As it was opened to be told of pressure: the kernel forgets what was asked of it. */
static bool is_pressure_watch(const struct oracle_fd *fd, const struct oracle_mount *m)
{
	const char *dot = strrchr(fd->link, '.');

	if ((fd->info.flags & O_ACCMODE) == O_RDONLY || !m)
		return false;
	if (!strcmp(m->type, "proc"))
		return !strncmp(fd->link, "/proc/pressure/", 15);
	return !strcmp(m->type, "cgroup2") && dot && !strcmp(dot, ".pressure");
}

static void check_path(struct oracle *o, const struct oracle_fd *fd)
{
	struct oracle_mount *m = oracle_mount_of(o, fd->info.mnt_id);
	uint64_t size = (uint64_t)fd->st.st_blocks * 512;

	/* Kept as memory, not as a file. */
	if (!strncmp(fd->link, "/memfd:", 7) && fd->st.st_dev == o->memfd_dev)
		return;
	if (fd->info.mnt_id >= 0 && !m)
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor",
					"its file system is not mounted in the VE",
					"close it, or end the process"),
			    "descriptor %d, %s", fd->number, fd->link);
	else if (m && oracle_overmounted(o, m))
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor",
					"something is mounted over its file system",
					"close it, or unmount that"),
			    "descriptor %d, %s", fd->number, fd->link);
	else if (is_pressure_watch(fd, m))
		oracle_tell(
			o, fd->task,
			ORACLE_WORD("descriptor",
				    "a watch of pressure is not kept: programs turn in "
				    "a loop upon it",
				    "restart the VE, or the program without it"),
			"descriptor %d, %s", fd->number, fd->link);
	else if (S_ISREG(fd->st.st_mode) && !fd->st.st_nlink && size > VZ_CRIU_GHOST_MAX)
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor",
					"a deleted file that is still open is too big",
					"close it, or restart the program"),
			    "descriptor %d, %s, %llu MiB", fd->number, fd->link,
			    (unsigned long long)size >> 20);
	else if (m && fd->st.st_nlink && is_hidden(o, fd, m))
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor", "its name is another file's by now",
					"close it, or restart the program"),
			    "descriptor %d, %s", fd->number, fd->link);
}

static bool is_tty(dev_t dev)
{
	unsigned int maj = major(dev), min = minor(dev);

	return (maj >= 128 && maj <= 143) || (maj == 5 && min <= 2) || maj == 4;
}

static int check_device(struct oracle *o, const struct oracle_fd *fd)
{
	unsigned int maj = major(fd->st.st_rdev), min = minor(fd->st.st_rdev);

	if (S_ISCHR(fd->st.st_mode) && is_tty(fd->st.st_rdev)) {
		check_path(o, fd);
		return oracle_check_tty(o, fd);
	} else if (S_ISCHR(fd->st.st_mode) &&
		   (maj == 1 || (maj == 10 && (min == 200 || min == 235)))) {
		check_path(o, fd);
	} else if (maj == 10 && min == 229) {
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor", "CRIU can't keep FUSE file systems",
					"end the program that serves it"),
			    "descriptor %d, %s", fd->number, fd->link);
	} else {
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor", "CRIU can't keep such a device",
					"close it, or end the process"),
			    "descriptor %d, %s, %s device %u:%u", fd->number, fd->link,
			    S_ISCHR(fd->st.st_mode) ? "character" : "block", maj, min);
	}
	return 0;
}

/* --- all of them --- */

static int note_socket(struct oracle *o, const struct oracle_fd *fd, uint64_t ino)
{
	struct oracle_socket *s;

	if (o->n_sockets == ORACLE_SOCKETS)
		return -E2BIG;
	/* In steps of powers of two. */
	if (!(o->n_sockets & (o->n_sockets - 1))) {
		size_t room = o->n_sockets ? 2 * o->n_sockets : 1;

		s = realloc(o->sockets, room * sizeof(*s));
		if (!s)
			return -ENOMEM;
		o->sockets = s;
	}
	o->sockets[o->n_sockets++] = (struct oracle_socket){
		.ino = ino, .task = (uint32_t)(fd->task - o->tasks), .fd = fd->number
	};
	return 0;
}

static int check_fd(struct oracle *o, const struct oracle_fd *fd)
{
	char name[32];
	uint64_t ino;

	switch (vz_parse_fd_link(fd->link, name, &ino)) {
	case VZ_FD_SOCKET:
		return note_socket(o, fd, ino);
	case VZ_FD_ANON:
		check_anon(o, fd, name);
		return 0;
	case VZ_FD_PIPE:
		if (fd->info.flags & O_DIRECT)
			oracle_tell(o, fd->task,
				    ORACLE_WORD("descriptor",
						"CRIU can't keep a pipe in packet mode "
						"(O_DIRECT)",
						"close it, or end the process"),
				    "descriptor %d, pipe", fd->number);
		return 0;
	case VZ_FD_NS:
		check_ns(o, fd, name, ino);
		return 0;
	case VZ_FD_PATH:
		if (S_ISCHR(fd->st.st_mode) || S_ISBLK(fd->st.st_mode))
			return check_device(o, fd);
		if (!S_ISFIFO(fd->st.st_mode) || fd->st.st_nlink)
			check_path(o, fd);
		return 0;
	default:
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor", "CRIU can't keep one of this kind",
					"close it, or end the process"),
			    "descriptor %d, %s", fd->number, fd->link);
		return 0;
	}
}

/* What the kernel knows of it without asking a file system that may not answer. */
static bool stat_quietly(int dir, const char *name, struct stat *ret)
{
	struct statx x;

	if (statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &x))
		return false;
	*ret = (struct stat){ .st_mode = x.stx_mode,
			      .st_nlink = x.stx_nlink,
			      .st_ino = x.stx_ino,
			      .st_blocks = (blkcnt_t)x.stx_blocks,
			      .st_dev = makedev(x.stx_dev_major, x.stx_dev_minor),
			      .st_rdev = makedev(x.stx_rdev_major, x.stx_rdev_minor) };
	return true;
}

static int look_at(struct oracle *o, struct oracle_fd *fd, int fds, const char *name)
{
	vz_autofree char *path = vz_strf("fdinfo/%s", name), *text = NULL;
	ssize_t n = readlinkat(fds, name, fd->link, sizeof(fd->link) - 1);
	int r;

	if (!path)
		return -ENOMEM;
	/* Closed in the meantime. */
	if (n <= 0 || !stat_quietly(fds, name, &fd->st))
		return 0;
	fd->link[n] = 0;
	r = oracle_read(fd->dir, path, FDINFO_MAX, &text);
	if (r == -ENOMEM || r == -EFBIG)
		return r;
	if (r || !vz_parse_fdinfo(text, &fd->info))
		return 0;
	fd->info_text = text;
	return check_fd(o, fd);
}

static int scan_task(struct oracle *o, const struct oracle_task *t)
{
	static struct oracle_fd fd;
	vz_autofd int dir = oracle_open_task(o, t);
	vz_autodir DIR *d = NULL;
	struct dirent *e;
	int fds = dir < 0 ? -1 : openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fds < 0)
		return 0;
	d = fdopendir(fds);
	if (!d)
		return close(fds), -ENOMEM;
	while (!r && (e = readdir(d))) {
		if (*e->d_name == '.')
			continue;
		fd = (struct oracle_fd){ .task = t,
					 .dir = dir,
					 .number = atoi(e->d_name) };
		r = look_at(o, &fd, fds, e->d_name);
	}
	return r;
}

int oracle_scan_fds(struct oracle *o)
{
	vz_autofd int memfd = memfd_create("oracle", MFD_CLOEXEC);
	struct stat st;
	int r = 0;

	/* What is not of that file system is of huge pages. */
	if (memfd >= 0 && !fstat(memfd, &st))
		o->memfd_dev = st.st_dev;
	for (size_t i = 0; i < o->n_tasks && !r; i++)
		r = scan_task(o, &o->tasks[i]);
	if (!r)
		oracle_judge_ttys(o);
	return r;
}
