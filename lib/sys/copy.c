/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "sys/copy_layer.h"

enum {
	CHUNK = 8 << 20,
	/* Each level keeps three descriptors open, or four over a base. */
	DEPTH_MAX = 1000,
	FDS_WANTED = 4096,
	NAMES_MAX = 65536,
};

static int tick(struct vz_copy *c)
{
	return c->tick ? c->tick(c->tick_data, c->done) : 0;
}

/* --- one file --- */

static int copy_by_hand(int from, int to, off_t at, size_t len, char *buf)
{
	ssize_t n, w;

	while (len) {
		n = pread(from, buf, len < CHUNK ? len : CHUNK, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		for (ssize_t done = 0; done < n; done += w) {
			w = pwrite(to, buf + done, n - done, at + done);
			if (w < 0 && errno == EINTR)
				w = 0;
			else if (w < 0)
				return -errno;
		}
		at += n;
		len -= n;
	}
	return 0;
}

/* A piece without holes: by the kernel alone where it can. */
static int copy_piece(struct vz_copy *c, int from, int to, off_t at, off_t end,
		      char **buf)
{
	while (at < end) {
		size_t len = end - at < CHUNK ? end - at : CHUNK;
		off_t in = at, out = at;
		ssize_t n = *buf ? -1 : copy_file_range(from, &in, to, &out, len, 0);
		int r = 0;

		if (n < 0 && (*buf || errno == EXDEV || errno == EINVAL ||
			      errno == EOPNOTSUPP || errno == ENOSYS)) {
			if (!*buf && !(*buf = malloc(CHUNK)))
				return -ENOMEM;
			r = copy_by_hand(from, to, at, len, *buf);
			n = len;
		} else if (n < 0) {
			return -errno;
		}
		if (!n)
			return 0; /* it became shorter meanwhile */
		at += n;
		c->done += n;
		if (!r)
			r = tick(c);
		if (r)
			return r;
	}
	return 0;
}

static int copy_data(struct vz_copy *c, int from, int to, off_t size)
{
	vz_autofree char *buf = NULL;
	off_t at = 0, end;
	int r;

	if (!size)
		return 0;
	if (!ioctl(to, FICLONE, from)) {
		c->done += size;
		c->shared += size;
		return tick(c);
	}
	if (ftruncate(to, size))
		return -errno;
	while (at < size) {
		at = lseek(from, at, SEEK_DATA);
		if (at < 0)
			return errno == ENXIO ? 0 : -errno;
		end = lseek(from, at, SEEK_HOLE);
		if (end < 0)
			return -errno;
		r = copy_piece(c, from, to, at, end < size ? end : size, &buf);
		if (r)
			return r;
		at = end;
	}
	return 0;
}

int vz_copy_file(struct vz_copy *c, const char *from, const char *to)
{
	struct vz_copy none = { 0 };
	vz_autofd int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), out = -1;
	struct stat st;
	int r;

	if (in < 0 || fstat(in, &st))
		return -errno;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	r = copy_data(c ? c : &none, in, out, st.st_size);
	if (!r && fsync(out))
		r = -errno;
	if (!r)
		r = vz_sync_parent(to);
	if (r)
		unlink(to);
	return r;
}

int vz_copy_publish(const char *from, const char *to)
{
	vz_autofd int file = open(from, O_RDONLY | O_CLOEXEC);

	if (file < 0 || fsync(file) || rename(from, to))
		return -errno;
	return vz_sync_parent(to);
}

/* --- a tree --- */

struct tree {
	struct vz_copy *c;
	int stage;
	const struct vz_copy_base *over; /* NULL: no layer */
	char *names, *value; /* of extended attributes; NAMES_MAX each */
};

/* All of them, as the node's root sees them: ids of ACLs and capabilities stay. */
static int copy_xattrs(struct tree *t, int from, int to)
{
	ssize_t n = flistxattr(from, t->names, NAMES_MAX), len;

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *name = t->names; name < t->names + n; name += strlen(name) + 1) {
		if (t->over && vz_copy_is_mark(name))
			continue;
		len = fgetxattr(from, name, t->value, NAMES_MAX);
		if (len < 0 && errno == ENODATA)
			continue;
		if (len < 0 || fsetxattr(to, name, t->value, len, 0))
			return -errno;
	}
	return 0;
}

/* Owner first: a change of it takes set-ids and capabilities away. */
static int copy_attrs(struct tree *t, int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r;

	if (fchown(to, st->st_uid, st->st_gid) || fchmod(to, st->st_mode & 07777))
		return -errno;
	r = copy_xattrs(t, from, to);
	return r || !futimens(to, times) ? r : -errno;
}

static int open_entry(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int copy_regular(struct tree *t, int from, int to, const char *name)
{
	vz_autofd int in = open_entry(from, name, O_RDONLY | O_NOATIME), out = -1;
	struct stat st;
	int r;

	if (in < 0)
		return in;
	if (fstat(in, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EAGAIN;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		     0600);
	if (out < 0)
		return -errno;
	r = copy_data(t->c, in, out, st.st_size);
	return r ? r : copy_attrs(t, in, out, &st);
}

/* What has several names is in `stage` by its number once it was copied. */
static int copy_file(struct tree *t, int from, int to, const char *name,
		     const struct stat *st)
{
	char number[48];
	int r;

	if (st->st_nlink < 2)
		return copy_regular(t, from, to, name);
	/* Of a file system with several devices: an overlay, subvolumes of btrfs. */
	snprintf(number, sizeof(number), "%" PRIu64 "-%" PRIu64, (uint64_t)st->st_dev,
		 (uint64_t)st->st_ino);
	if (!linkat(t->stage, number, to, name, 0))
		return 0;
	if (errno != ENOENT)
		return -errno;
	r = copy_regular(t, from, to, name);
	if (!r && linkat(to, name, t->stage, number, 0))
		r = -errno;
	return r;
}

static int copy_other(int from, int to, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	char target[PATH_MAX];
	ssize_t n;

	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(from, name, target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = 0;
		if (symlinkat(target, to, name))
			return -errno;
	} else if (mknodat(to, name, st->st_mode & S_IFMT, st->st_rdev)) {
		return -errno;
	}
	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) ||
	    (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0)) ||
	    utimensat(to, name, times, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return 0;
}

static int copy_dir(struct tree *t, int from, int to, int base, int depth);

/* base: the directory in which there may be one of that name; -1: none. */
static int copy_subdir(struct tree *t, int from, int to, int base, const char *name,
		       int depth)
{
	vz_autofd int in = open_entry(from, name, O_RDONLY | O_DIRECTORY), out = -1;
	vz_autofd int below =
		base < 0 ? -1 : open_entry(base, name, O_RDONLY | O_DIRECTORY);
	int r;

	if (in < 0)
		return in;
	if (mkdirat(to, name, 0700))
		return -errno;
	out = open_entry(to, name, O_RDONLY | O_DIRECTORY);
	r = out < 0 ? out : copy_dir(t, in, out, below < 0 ? -1 : below, depth + 1);
	/* With nothing of its own in it, the base's does. */
	if (!r && below >= 0 && vz_copy_same_dir(t->over, in, below))
		unlinkat(to, name, AT_REMOVEDIR);
	return r;
}

/* Mounts have other files behind them; devices of a file system do not count. */
static int look_at(int from, const char *name, struct stat *st)
{
	struct statx stx;

	if (statx(from, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &stx) ||
	    fstatat(from, name, st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int copy_entry(struct tree *t, int from, int to, int base, const char *name,
		      int depth)
{
	struct stat st;
	int r = look_at(from, name, &st);

	if (r <= 0)
		return r == -ENOENT ? 0 : r;
	if (t->over && S_ISCHR(st.st_mode) && !st.st_rdev)
		return 0;
	if (base >= 0 && vz_copy_same(t->over, from, base, name, &st)) {
		t->c->done += S_ISREG(st.st_mode) ? st.st_blocks * UINT64_C(512) : 0;
		return tick(t->c);
	}
	if (S_ISDIR(st.st_mode))
		r = copy_subdir(t, from, to, base, name, depth);
	else if (S_ISREG(st.st_mode))
		r = copy_file(t, from, to, name, &st);
	else
		r = copy_other(from, to, name, &st);
	/* Taken away in between: as if it had never been there. */
	return r == -ENOENT && faccessat(from, name, F_OK, AT_SYMLINK_NOFOLLOW) ? 0 : r;
}

static DIR *read_dir(int from)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

static int copy_dir(struct tree *t, int from, int to, int base, int depth)
{
	vz_autodir DIR *d = read_dir(from);
	struct dirent *e;
	struct stat st;
	int r = 0;

	if (!d)
		return -errno;
	if (depth > DEPTH_MAX)
		return -ELOOP;
	while (!r && (errno = 0, e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = copy_entry(t, from, to, base, e->d_name, depth);
	if (!r && errno)
		r = -errno;
	if (!r && base >= 0)
		r = vz_copy_removed(from, to, base);
	if (!r)
		r = tick(t->c);
	if (!r && fstat(from, &st))
		r = -errno;
	return r ? r : copy_attrs(t, from, to, &st);
}

static void raise_nofile(struct rlimit *was)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, was);
	l = *was;
	if (l.rlim_cur < FDS_WANTED)
		l.rlim_cur = FDS_WANTED < l.rlim_max ? FDS_WANTED : l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
}

static int copy_top(struct vz_copy *c, int from, int to, int stage,
		    const struct vz_copy_base *over)
{
	vz_autofree char *names = malloc(NAMES_MAX), *value = malloc(NAMES_MAX);
	struct vz_copy none = { 0 };
	struct tree t = { .c = c ? c : &none,
			  .stage = stage,
			  .over = over,
			  .names = names,
			  .value = value };
	struct rlimit was;
	mode_t mask;
	int r;

	if (!names || !value)
		return -ENOMEM;
	raise_nofile(&was);
	mask = umask(0);
	r = copy_dir(&t, from, to, over ? over->fd : -1, 0);
	umask(mask);
	setrlimit(RLIMIT_NOFILE, &was);
	return r == -EMFILE ? -ELOOP : r;
}

int vz_copy_tree(struct vz_copy *c, int from, int to, int stage)
{
	return copy_top(c, from, to, stage, NULL);
}

int vz_copy_layer(struct vz_copy *c, int from, int to, int stage,
		  const struct vz_copy_base *base)
{
	return copy_top(c, from, to, stage, base);
}

/* --- how much there is --- */

static uint64_t size_dir(int fd, int depth)
{
	vz_autodir DIR *d = fdopendir(fd);
	uint64_t sum = 0;
	struct dirent *e;
	struct stat st;
	int sub;

	if (!d) {
		close(fd);
		return 0;
	}
	while (depth < 200 && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    look_at(dirfd(d), e->d_name, &st) <= 0)
			continue;
		if (S_ISREG(st.st_mode))
			sum += st.st_blocks * UINT64_C(512);
		sub = S_ISDIR(st.st_mode)
			      ? open_entry(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY)
			      : -1;
		if (sub >= 0)
			sum += size_dir(sub, depth + 1);
	}
	return sum;
}

uint64_t vz_copy_size(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? 0 : size_dir(fd, 0);
}
