/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/fs.h"

/*
 * A ".." that meets a rename elsewhere makes the kernel answer EAGAIN; that is
 * rare unless the VE does it on purpose, and then it only harms itself.
 */
#define RESOLVE_TRIES 64

static int resolve(int rootfd, const char *path, int flags, mode_t mode, uint64_t how)
{
	struct open_how oh = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | how,
	};
	int fd;

	if (!(flags & O_PATH))
		oh.flags |= O_NOCTTY;
	for (int i = 0; i < RESOLVE_TRIES; i++) {
		fd = syscall(SYS_openat2, rootfd, path, &oh, sizeof(oh));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : fd;
}

int vz_root_open(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vz_root_openat(int rootfd, const char *path, int flags, mode_t mode)
{
	return resolve(rootfd, path, flags, mode, 0);
}

int vz_root_open_dir(int rootfd, const char *path)
{
	return resolve(rootfd, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
}

int vz_root_open_file(int rootfd, const char *path, int flags)
{
	vz_autofd int pin = resolve(rootfd, path, O_PATH | (flags & O_NOFOLLOW), 0, 0);
	char self[32];
	struct stat st;
	int fd;

	if (pin < 0)
		return pin;
	if (fstat(pin, &st))
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/*
	 * The inode is pinned and known to be a file: only now is it opened, so
	 * that no driver or fifo ever sees us. Not blocking: the VE may hold a lease.
	 */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", pin);
	fd = open(self, (flags & ~O_NOFOLLOW) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int vz_root_read(int rootfd, const char *path, size_t max, char **ret)
{
	vz_autofd int fd = vz_root_open_file(rootfd, path, O_RDONLY);
	size_t len;

	return fd < 0 ? fd : vz_read_fd(fd, max, ret, &len);
}

/*
 * Open the directory in which the last word of path stands, and point *ret_name
 * at that word: a plain name that needs no resolving any more.
 */
static int open_parent(int rootfd, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	vz_autofree char *dir = NULL;
	int fd;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	dir = slash && slash != path ? strndup(path, slash - path) : strdup("/");
	if (!dir)
		return -ENOMEM;
	fd = resolve(rootfd, dir, O_PATH | O_DIRECTORY, 0, 0);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

static int create_temporary(int dirfd, char *name, size_t size)
{
	uint64_t r;
	int fd;

	for (int i = 0; i < RESOLVE_TRIES; i++) {
		if (getrandom(&r, sizeof(r), 0) != sizeof(r))
			return -EIO;
		snprintf(name, size, ".vz-%016llx", (unsigned long long)r);
		fd = openat(dirfd, name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd < 0 ? -errno : fd;
}

int vz_root_replace(int rootfd, const char *path, const char *data, size_t len, uid_t uid,
		    gid_t gid, mode_t mode)
{
	const char *name;
	vz_autofd int dir = open_parent(rootfd, path, &name);
	vz_autofd int fd = -1;
	char tmp[32];
	int r;

	if (dir < 0)
		return dir;
	fd = create_temporary(dir, tmp, sizeof(tmp));
	if (fd < 0)
		return fd;
	r = vz_write_all(fd, data, len);
	if (!r &&
	    (fchown(fd, uid, gid) || fchmod(fd, mode) || renameat(dir, tmp, dir, name)))
		r = -errno;
	if (r)
		unlinkat(dir, tmp, 0);
	return r;
}

/* Make one directory that is not there; *path is cut at its end. */
static int make_dir(int rootfd, const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	const char *name;
	vz_autofd int parent = open_parent(rootfd, path, &name);
	vz_autofd int fd = -1;

	if (parent < 0)
		return parent;
	/* Someone may be faster; a dangling link also "exists", and fails below. */
	if (mkdirat(parent, name, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fchown(fd, uid, gid) || fchmod(fd, mode) ? -errno : 0;
}

int vz_root_mkdir_p(int rootfd, const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	vz_autofree char *p = strdup(path);
	int fd, r;

	if (!p)
		return -ENOMEM;
	for (char *s = p + strspn(p, "/"); *s;) {
		char *end = s + strcspn(s, "/"), *next = end + strspn(end, "/");
		char cut = *end;

		*end = 0;
		if (!strcmp(s, "..") || !strcmp(s, "."))
			return -EINVAL;
		fd = resolve(rootfd, p, O_PATH | O_DIRECTORY, 0, 0);
		r = fd != -ENOENT ? (fd < 0 ? fd : close(fd))
				  : make_dir(rootfd, p, uid, gid, mode);
		if (r)
			return r;
		*end = cut;
		s = next;
	}
	return 0;
}

int vz_root_unlink(int rootfd, const char *path)
{
	const char *name;
	vz_autofd int dir = open_parent(rootfd, path, &name);

	if (dir < 0)
		return dir;
	return unlinkat(dir, name, 0) ? -errno : 0;
}
