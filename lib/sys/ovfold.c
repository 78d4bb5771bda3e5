/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/ovfold.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define MARK "trusted.overlay."
/* Each level keeps three descriptors open. */
enum { DEPTH_MAX = 1200, FDS_WANTED = 4096 };

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && !st->st_rdev;
}

static int open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool has_mark(int fd, const char *mark)
{
	char value[16];

	return fgetxattr(fd, mark, value, sizeof(value)) >= 0 || errno == ERANGE;
}

static bool is_opaque(int fd)
{
	char value;

	return fgetxattr(fd, MARK "opaque", &value, 1) == 1 && value == 'y';
}

static int make_opaque(int fd)
{
	return fsetxattr(fd, MARK "opaque", "y", 1, 0) ? -errno : 0;
}

/* Whether what hides it is whole by itself. */
static int check_whole(int at, const char *name, const struct stat *st)
{
	vz_autofd int fd = -1;

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 0;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return has_mark(fd, MARK "metacopy") || has_mark(fd, MARK "redirect")
		       ? -EOPNOTSUPP
		       : 0;
}

static int fold_dir(int lower, int upper, int depth);

/*
 * Both are directories and show as one: what the lower has moves into the upper,
 * which keeps its own owner, mode and times.
 */
static int fold_both(int lower, int upper, const char *name, int depth)
{
	vz_autofd int l = open_dir(lower, name), u = open_dir(upper, name);
	int r = l < 0 ? l : u < 0 ? u : fold_dir(l, u, depth + 1);

	/* Only now: what lies below both was hidden by the lower one until here. */
	if (!r && is_opaque(l))
		r = make_opaque(u);
	return r || !unlinkat(lower, name, AT_REMOVEDIR) ? r : -errno;
}

/*
 * The upper one hides the lower one. A directory over what is none hides what lies
 * below both; without the lower one, its mark must.
 */
static int drop_lower(int lower, int upper, const char *name, const struct stat *l,
		      const struct stat *u)
{
	vz_autofd int fd = -1;
	int r = 0;

	if (S_ISDIR(u->st_mode) && !S_ISDIR(l->st_mode)) {
		fd = open_dir(upper, name);
		r = fd < 0 ? fd : make_opaque(fd);
	}
	return r ? r : vz_remove_tree(lower, name);
}

static bool shows_through(int upper, const char *name)
{
	vz_autofd int fd = open_dir(upper, name);

	return fd >= 0 && !is_opaque(fd);
}

static int fold_entry(int lower, int upper, const char *name, int depth)
{
	struct stat l, u;
	int r;

	if (fstatat(lower, name, &l, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (fstatat(upper, name, &u, AT_SYMLINK_NOFOLLOW)) {
		if (errno != ENOENT)
			return -errno;
		return renameat(lower, name, upper, name) ? -errno : 0;
	}
	r = is_whiteout(&u) ? 0 : check_whole(upper, name, &u);
	if (r)
		return r;
	if (S_ISDIR(l.st_mode) && S_ISDIR(u.st_mode) && shows_through(upper, name))
		return fold_both(lower, upper, name, depth);
	return drop_lower(lower, upper, name, &l, &u);
}

/* Names are taken anew as long as there are any: moving some changes the list. */
static int fold_names(int lower, int upper, int depth)
{
	int fd = open_dir(lower, "."), r = 0;
	vz_autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	bool any = true;

	if (!d) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (!r && any) {
		any = false;
		rewinddir(d);
		while (!r && (e = readdir(d))) {
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			any = true;
			r = fold_entry(lower, upper, e->d_name, depth);
			/* It was moved already, and shown twice. */
			if (r == -ENOENT)
				r = 0;
		}
	}
	return r;
}

static int fold_dir(int lower, int upper, int depth)
{
	struct timespec times[2];
	struct stat st;
	int r;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	if (fstat(upper, &st))
		return -errno;
	/* That names in it are of copied files is so in the upper one, too. */
	if (has_mark(lower, MARK "impure") && fsetxattr(upper, MARK "impure", "y", 1, 0))
		return -errno;
	r = fold_names(lower, upper, depth);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return r || !futimens(upper, times) ? r : -errno;
}

int vz_ovfold(int lower, int upper)
{
	struct rlimit was, more;
	int r;

	getrlimit(RLIMIT_NOFILE, &was);
	more = was;
	if (more.rlim_cur < FDS_WANTED)
		more.rlim_cur = FDS_WANTED < more.rlim_max ? FDS_WANTED : more.rlim_max;
	setrlimit(RLIMIT_NOFILE, &more);
	r = fold_dir(lower, upper, 0);
	/* The tops are directories that show as one, whatever else. */
	if (!r && is_opaque(lower))
		r = make_opaque(upper);
	setrlimit(RLIMIT_NOFILE, &was);
	return r == -EMFILE ? -ELOOP : r;
}
