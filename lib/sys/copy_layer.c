/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/copy_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/cleanup.h"

enum { CHUNK = 128 << 10 };

bool vz_copy_is_mark(const char *xattr)
{
	return !strncmp(xattr, "trusted.overlay.", 16);
}

static bool same_attrs(const struct vz_copy_base *b, const struct stat *x,
		       const struct stat *base)
{
	return x->st_mode == base->st_mode && x->st_uid == b->uid + base->st_uid &&
	       x->st_gid == b->gid + base->st_gid &&
	       x->st_mtim.tv_sec == base->st_mtim.tv_sec &&
	       x->st_mtim.tv_nsec == base->st_mtim.tv_nsec;
}

/* SELinux' and the like are the file system's business, not the tree's. */
static bool has_xattrs(int fd)
{
	char names[1024];
	ssize_t n = flistxattr(fd, names, sizeof(names));

	if (n < 0)
		return errno != EOPNOTSUPP;
	for (char *s = names; s < names + n; s += strlen(s) + 1)
		if (strcmp(s, "security.selinux"))
			return true;
	return false;
}

static bool same_contents(int x, int y, off_t size)
{
	vz_autofree char *a = malloc(2 * CHUNK);
	ssize_t n, m;

	for (off_t at = 0; a && at < size; at += n) {
		n = pread(x, a, CHUNK, at);
		m = n > 0 ? pread(y, a + CHUNK, n, at) : -1;
		if (n <= 0 || n != m || memcmp(a, a + CHUNK, n))
			return false;
	}
	return a;
}

static bool same_file(int from, int base, const char *name, off_t size)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC;
	vz_autofd int x = openat(from, name, flags), y = openat(base, name, flags);

	return x >= 0 && y >= 0 && !has_xattrs(x) && !has_xattrs(y) &&
	       same_contents(x, y, size);
}

static bool same_link(int from, int base, const char *name)
{
	char x[PATH_MAX], y[PATH_MAX];
	ssize_t n = readlinkat(from, name, x, sizeof(x));

	return n >= 0 && n == readlinkat(base, name, y, sizeof(y)) && !memcmp(x, y, n);
}

bool vz_copy_same(const struct vz_copy_base *b, int from, int base, const char *name,
		  const struct stat *st)
{
	struct stat below;

	if (S_ISDIR(st->st_mode) || fstatat(base, name, &below, AT_SYMLINK_NOFOLLOW) ||
	    !same_attrs(b, st, &below))
		return false;
	if (S_ISLNK(st->st_mode))
		return same_link(from, base, name);
	if (S_ISREG(st->st_mode))
		return st->st_nlink == 1 && below.st_nlink == 1 &&
		       st->st_size == below.st_size &&
		       same_file(from, base, name, st->st_size);
	return st->st_rdev == below.st_rdev && st->st_nlink == 1;
}

bool vz_copy_same_dir(const struct vz_copy_base *b, int from, int base)
{
	struct stat x, y;

	return !fstat(from, &x) && !fstat(base, &y) && same_attrs(b, &x, &y) &&
	       !has_xattrs(from) && !has_xattrs(base);
}

static int mark_removed(int to, const char *name)
{
	return mknodat(to, name, S_IFCHR, makedev(0, 0)) ? -errno : 0;
}

static bool is_missing(int from, const char *name)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return true;
	/* Which was left out: it would be such a mark. */
	return S_ISCHR(st.st_mode) && !st.st_rdev;
}

int vz_copy_removed(int from, int to, int base)
{
	int fd = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	vz_autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (!r && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		    is_missing(from, e->d_name))
			r = mark_removed(to, e->d_name);
	return r;
}
