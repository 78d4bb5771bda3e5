/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vz_remove_tree(): a tree that a hostile VE may have built is taken away. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fs.h"

/* Directories open at once; what is deeper is moved up to the top first. */
enum { DEPTH = 32 };

struct level {
	DIR *dir;
	char name[NAME_MAX + 1]; /* in the level above */
	bool removed, failed;
};

struct remover {
	struct level level[DEPTH];
	int depth; /* levels open */
	uint64_t moved; /* directories moved up: names of their own */
	int r; /* the first failure */
};

/* Whether there were such flags, and are no more. */
static bool clear_flags(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) ||
	    !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return false;
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	return !ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* Of the entry (a device or pipe has no such flags, and opening it may block). */
static bool clear_entry_flags(int dirfd, const char *name)
{
	vz_autofd int fd = -1;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return false;
	fd = openat(dirfd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 && clear_flags(fd);
}

/* Both may carry them; only one of these need have. */
static bool clear_both(int dirfd, const char *name)
{
	bool dir = clear_flags(dirfd);

	return clear_entry_flags(dirfd, name) || dir;
}

/* unlink or rmdir. 0, or -errno: -EISDIR and -ENOTEMPTY say what it is. */
static int remove_entry(int dirfd, const char *name, int flags)
{
	for (int try = 0;; try++) {
		if (!unlinkat(dirfd, name, flags) || errno == ENOENT)
			return 0;
		if (errno != EPERM || try)
			return -errno;
		if (!clear_both(dirfd, name))
			return -EPERM;
	}
}

static void note(struct remover *m, int r)
{
	m->level[m->depth - 1].failed = true;
	if (!m->r)
		m->r = r;
}

static int push(struct remover *m, int dirfd, const char *name)
{
	vz_autofd int fd = vz_open_subdir(dirfd, name);
	struct level *l = &m->level[m->depth];

	if (fd < 0)
		return fd;
	*l = (struct level){ .dir = fdopendir(fd) };
	if (!l->dir)
		return -errno;
	fd = -1;
	snprintf(l->name, sizeof(l->name), "%s", name);
	m->depth++;
	return 0;
}

/* Out of levels: give the directory a place at the top, to be removed later. */
static int move_up(struct remover *m, int fd, const char *name)
{
	char to[64];
	int r;

	do {
		snprintf(to, sizeof(to), ".vz-removed.%ju", (uintmax_t)m->moved++);
		r = syscall(SYS_renameat2, fd, name, dirfd(m->level[0].dir), to,
			    RENAME_NOREPLACE)
			    ? -errno
			    : 0;
		if (r == -EPERM && clear_both(fd, name))
			r = -EEXIST;
	} while (r == -EEXIST);
	if (!r)
		m->level[0].removed = true;
	return r;
}

static void remove_one(struct remover *m, const struct dirent *e)
{
	struct level *l = &m->level[m->depth - 1];
	int fd = dirfd(l->dir), r;

	r = remove_entry(fd, e->d_name, e->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	if (r == -EISDIR)
		r = remove_entry(fd, e->d_name, AT_REMOVEDIR);
	if (!r)
		l->removed = true;
	else if (r == -ENOTEMPTY || r == -EEXIST)
		r = m->depth == DEPTH ? move_up(m, fd, e->d_name)
				      : push(m, fd, e->d_name);
	if (r)
		note(m, r);
}

/* The level is read to its end: go up, or once more when things moved. */
static void pop(struct remover *m, int topfd)
{
	struct level *l = &m->level[m->depth - 1];
	bool top = m->depth == 1;
	int up = top ? topfd : dirfd(m->level[m->depth - 2].dir);
	int r = remove_entry(up, l->name, AT_REMOVEDIR);

	if ((r == -ENOTEMPTY || r == -EEXIST) && l->removed) {
		l->removed = l->failed = false;
		rewinddir(l->dir);
		return;
	}
	closedir(l->dir);
	if (!r && !top)
		m->level[m->depth - 2].removed = true;
	if (r && !l->failed && !m->r)
		m->r = r;
	m->depth--;
	if (r && !top)
		m->level[m->depth - 1].failed = true;
}

/* name: one word in dirfd. */
static int remove_word(int dirfd, const char *name)
{
	vz_autofree struct remover *m = NULL;
	struct dirent *e;
	int r = remove_entry(dirfd, name, 0);

	if (r != -EISDIR)
		return r;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	r = push(m, dirfd, name);
	if (r)
		return r;
	while (m->depth) {
		e = readdir(m->level[m->depth - 1].dir);
		if (!e)
			pop(m, dirfd);
		else if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			remove_one(m, e);
	}
	/* A second look may have removed what failed at first. */
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) ? 0 : m->r;
}

int vz_remove_tree(int dirfd, const char *name)
{
	const char *slash = strrchr(name, '/');
	vz_autofree char *above = NULL;
	vz_autofd int fd = -1;

	if (!slash)
		return remove_word(dirfd, name);
	/* What leads there is the caller's, and may cross mounts. */
	above = strndup(name, slash == name ? 1 : slash - name);
	if (!above)
		return -ENOMEM;
	fd = openat(dirfd, above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return remove_word(fd, slash + 1);
}
