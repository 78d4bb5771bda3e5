/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int vz_read_fd(int fd, size_t max, char **ret, size_t *ret_len)
{
	vz_autostr struct vz_str b = { 0 };
	char buf[16384];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (b.len + n > max)
			return -EFBIG;
		vz_str_addn(&b, buf, n);
	}
	if (ret_len)
		*ret_len = b.len;
	*ret = vz_str_steal(&b);
	return *ret ? 0 : -ENOMEM;
}

int vz_read_file(const char *path, size_t max, char **ret, size_t *ret_len)
{
	vz_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : vz_read_fd(fd, max, ret, ret_len);
}

int vz_read_small(int dirfd, const char *path, char *buf, size_t size)
{
	vz_autofd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = 0;
	if (n && buf[n - 1] == '\n')
		buf[n - 1] = 0;
	return 0;
}

int vz_write_small(int dirfd, const char *path, const char *value)
{
	vz_autofd int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int vz_write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= n;
	}
	return 0;
}

int vz_sync_parent(const char *path)
{
	vz_autofree char *dir = strdup(path);
	vz_autofd int fd = -1;
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (!slash)
		strcpy(dir, ".");
	else
		slash[slash == dir] = 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? -errno : 0;
}

static int fill(int fd, const char *data, size_t len, mode_t mode)
{
	int r = vz_write_all(fd, data, len);

	return !r && (fchmod(fd, mode) || fsync(fd)) ? -errno : r;
}

/*
 * A file without a name, so that dying while it is written leaves nothing.
 * Where the file system can't do that it has the name tmp at once.
 */
static int open_nameless(const char *tmp, bool *ret_named)
{
	vz_autofree char *dir = strdup(tmp);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	int fd;

	if (slash)
		slash[slash == dir] = 0;
	fd = dir ? open(slash ? dir : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) : -1;
	*ret_named = fd < 0;
	if (fd < 0)
		fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Give it the name tmp, over one that somebody left there, then path. */
static int put_in_place(int fd, bool named, const char *tmp, const char *path)
{
	char self[40];
	int r;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (int tries = 0; tries < 100; tries++) {
		if (!named && linkat(AT_FDCWD, self, AT_FDCWD, tmp, AT_SYMLINK_FOLLOW)) {
			if (errno != EEXIST)
				return -errno;
			unlink(tmp);
			continue;
		}
		if (!rename(tmp, path))
			return 0;
		/* Another writer took the name away in between. */
		if (named || errno != ENOENT)
			break;
	}
	r = -errno;
	unlink(tmp);
	return r;
}

int vz_replace_file(const char *path, const char *data, size_t len, mode_t mode)
{
	vz_autofree char *tmp = vz_strf("%s.tmp", path);
	vz_autofd int fd = -1;
	struct stat st;
	bool named;
	int r;

	if (!tmp)
		return -ENOMEM;
	if (!stat(path, &st))
		mode = st.st_mode & 07777;
	fd = open_nameless(tmp, &named);
	if (fd < 0)
		return fd;
	r = fill(fd, data, len, mode);
	if (r && named)
		unlink(tmp);
	if (!r)
		r = put_in_place(fd, named, tmp, path);
	return r ? r : vz_sync_parent(path);
}

int vz_mkdir_p(const char *path, mode_t mode)
{
	vz_autofree char *p = strdup(path);

	if (!p)
		return -ENOMEM;
	if (!mkdir(p, mode) || errno == EEXIST)
		return 0;
	for (char *s = p + 1; (s = strchr(s, '/')); *s++ = '/') {
		*s = 0;
		if (mkdir(p, mode) && errno != EEXIST)
			return -errno;
	}
	return mkdir(p, mode) && errno != EEXIST ? -errno : 0;
}

int vz_lock_wait(const char *path)
{
	vz_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	return vz_take_fd(&fd);
}

int vz_replace_volatile(const char *path, const char *data, size_t len)
{
	vz_autofree char *tmp = vz_strf("%s.new", path);
	vz_autofd int fd = -1;
	int r;

	if (!tmp)
		return -ENOMEM;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = vz_write_all(fd, data, len);
	return r ? r : rename(tmp, path) ? -errno : 0;
}

int vz_open_subdir(int dirfd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}
