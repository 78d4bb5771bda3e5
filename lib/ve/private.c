/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"
#include "base/str.h"
#include "sys/subvol.h"

static int rename_new(int fromfd, const char *from, int tofd, const char *to)
{
	return syscall(SYS_renameat2, fromfd, from, tofd, to, RENAME_NOREPLACE) ? -errno
										: 0;
}

static int cant(struct vz_err *err, enum vz_exit status, int errnum, const char *what,
		const char *path)
{
	if (errnum == ENOSPC || errnum == EDQUOT)
		status = VZ_E_NOSPACE;
	return vz_err_set(err, status, errnum, "can't %s %s", what, path);
}

/* "/a/b/c" to "/a/b" and "c". */
static int split(const char *path, char **ret_dir, const char **ret_name)
{
	const char *slash = strrchr(path, '/');

	if (!slash || !slash[1])
		return -EINVAL;
	*ret_dir = slash == path ? strdup("/") : strndup(path, slash - path);
	*ret_name = slash + 1;
	return *ret_dir ? 0 : -ENOMEM;
}

/*
 * The directory of private areas is for root's eyes: below it are files of
 * VEs, and set-user-id ones of privileged VEs.
 */
static int make_parent(const char *path, struct vz_err *err)
{
	vz_autofree char *dir = NULL, *above = NULL;
	const char *name;
	int r = split(path, &dir, &name);

	if (r)
		return vz_err_set(err, VZ_E_NEWPRIVATE, -r, "bad private area '%s'",
				  path);
	if (!access(dir, F_OK))
		return 0;
	if (!split(dir, &above, &name))
		r = vz_mkdir_p(above, 0755);
	if (!r && mkdir(dir, 0700) && errno != EEXIST)
		r = -errno;
	return r ? cant(err, VZ_E_NEWPRIVATE, -r, "make the directory", dir) : 0;
}

/* Is what has the area's name the unfinished work of a create that was killed? */
static bool is_unfinished(const char *path, const char *dir)
{
	vz_autofree char *mark = vz_strf("%s/inode", dir);
	char text[32], want[32];
	struct stat st;
	ssize_t n = mark ? readlink(mark, text, sizeof(text) - 1) : -1;

	if (n < 0 || lstat(path, &st) || !S_ISDIR(st.st_mode))
		return false;
	text[n] = 0;
	snprintf(want, sizeof(want), "%ju", (uintmax_t)st.st_ino);
	return !strcmp(text, want);
}

/* Make sure that nothing has the area's name. */
static int clear_place(const char *path, const char *dir, bool configured,
		       struct vz_err *err)
{
	vz_autofree char *root = vz_strf("%s/root", dir);
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT
			       ? 0
			       : cant(err, VZ_E_NEWPRIVATE, errno, "look at", path);
	/* An empty directory was always allowed, but not a mount point. */
	if (S_ISDIR(st.st_mode) && !rmdir(path))
		return 0;
	/* Back to where it was unfinished: then a second kill finds it there. */
	if (root && !configured && is_unfinished(path, dir) &&
	    !rename_new(AT_FDCWD, path, AT_FDCWD, root))
		return 0;
	return vz_err_set(err, VZ_E_PRIVATE_EXISTS, 0,
			  "the private area %s is there already", path);
}

/* What is made in a work directory is its root, which may be a subvolume. */
static int remove_work(const char *dir)
{
	vz_autofd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		vz_subvol_remove_tree(fd, "root");
	return vz_remove_tree(AT_FDCWD, dir);
}

/* A killed create's work directory goes; a living one's is locked. */
static int clear_work(const char *dir, struct vz_err *err)
{
	vz_autofd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return vz_err_set(err, VZ_E_LOCKED, 0,
				  "another command is making the private area in %s",
				  dir);
	r = remove_work(dir);
	return r ? cant(err, VZ_E_NEWPRIVATE, -r, "remove the unfinished", dir) : 0;
}

static int make_work(struct vz_newarea *a)
{
	char mark[32];
	struct stat st;

	int r;

	if (mkdir(a->dir, 0700))
		return -errno;
	a->dirfd = open(a->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (a->dirfd < 0 || flock(a->dirfd, LOCK_EX | LOCK_NB))
		return -errno;
	r = vz_subvol_mkdir(a->dirfd, "root", 0700);
	if (r)
		return r;
	a->rootfd =
		openat(a->dirfd, "root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (a->rootfd < 0 || fstat(a->rootfd, &st))
		return -errno;
	snprintf(mark, sizeof(mark), "%ju", (uintmax_t)st.st_ino);
	return symlinkat(mark, a->dirfd, "inode") ? -errno : 0;
}

int vz_newarea_begin(const char *path, bool configured, struct vz_newarea *ret,
		     struct vz_err *err)
{
	vz_autonewarea struct vz_newarea a = VZ_NEWAREA_NONE;
	int r;

	a.path = strdup(path);
	a.dir = vz_strf("%s.creating", path);
	if (!a.path || !a.dir)
		return cant(err, VZ_E_SYSTEM, ENOMEM, "make", path);
	r = make_parent(path, err);
	if (!r)
		r = clear_place(path, a.dir, configured, err);
	if (!r)
		r = clear_work(a.dir, err);
	if (r) {
		/* Not ours to remove. */
		free(vz_take(a.dir));
		return r;
	}
	r = make_work(&a);
	if (r)
		return cant(err, VZ_E_NEWPRIVATE, -r, "make", a.dir);
	*ret = a;
	a = VZ_NEWAREA_NONE;
	return 0;
}

static char *mark_path(const char *path)
{
	return vz_strf("%s.unsynced", path);
}

/* Which boot of the node this is. */
static int read_boot(const struct vz_ctx *ctx, char *buf, size_t size)
{
	vz_autofree char *path = vz_strf("%s/sys/kernel/random/boot_id", ctx->procdir);

	return path ? vz_read_small(AT_FDCWD, path, buf, size) : -ENOMEM;
}

static int mark_unsynced(const struct vz_ctx *ctx, const char *path, struct vz_err *err)
{
	vz_autofree char *mark = mark_path(path);
	char boot[64];
	int r = mark ? read_boot(ctx, boot, sizeof(boot)) : -ENOMEM;

	if (!r)
		r = vz_replace_file(mark, boot, strlen(boot), 0600);
	return r ? cant(err, VZ_E_NEWPRIVATE, -r, "write", mark ? mark : path) : 0;
}

static void remove_mark(const char *path)
{
	vz_autofree char *mark = mark_path(path);

	if (mark)
		unlink(mark);
}

int vz_area_check_settled(const struct vz_ctx *ctx, const char *path, struct vz_err *err)
{
	vz_autofree char *mark = mark_path(path);
	char boot[64], now[64];

	if (!mark || vz_read_small(AT_FDCWD, mark, boot, sizeof(boot)))
		return 0;
	if (read_boot(ctx, now, sizeof(now)) || !strcmp(boot, now))
		return 0;
	return vz_err_set(err, VZ_E_NOPRIVATE, 0,
			  "the node went down before the new files in %s were on the "
			  "disk, some may be empty: destroy the VE and create it again, "
			  "or remove %s when they are known to be good",
			  path, mark);
}

void vz_area_settle(const struct vz_newarea *a)
{
	vz_autofree char *mark = mark_path(a->path);
	vz_autofd int fd = mark ? open(mark, O_RDONLY | O_CLOEXEC) : -1;
	struct stat ours, there;

	if (fd < 0 || !vz_detach(fd))
		return;
	/* It lies beside the area, in the same file system; another create's is kept. */
	if (!syncfs(fd) && !fstat(fd, &ours) && !lstat(mark, &there) &&
	    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
		unlink(mark);
	_exit(0);
}

int vz_newarea_publish(const struct vz_ctx *ctx, struct vz_newarea *a, struct vz_err *err)
{
	int r = mark_unsynced(ctx, a->path, err);

	if (r)
		return r;
	r = rename_new(a->dirfd, "root", AT_FDCWD, a->path);

	if (r == -EEXIST)
		return vz_err_set(err, VZ_E_PRIVATE_EXISTS, 0,
				  "the private area %s is there already", a->path);
	if (r)
		return cant(err, VZ_E_NEWPRIVATE, -r, "rename the new area to", a->path);
	a->published = true;
	return 0;
}

static void newarea_free(struct vz_newarea *a)
{
	if (a->rootfd >= 0)
		close(a->rootfd);
	if (a->dirfd >= 0)
		close(a->dirfd);
	free(a->path);
	free(a->dir);
	*a = VZ_NEWAREA_NONE;
}

void vz_newarea_keep(struct vz_newarea *a)
{
	remove_work(a->dir);
	newarea_free(a);
}

void vz_newarea_done(struct vz_newarea *a)
{
	if (a->published) {
		rename_new(AT_FDCWD, a->path, a->dirfd, "root");
		remove_mark(a->path);
	}
	if (a->dir)
		remove_work(a->dir);
	newarea_free(a);
}

/* PRIVATE.destroyed.N: which N, or -1. */
static long aside_number(const char *name, const char *base)
{
	size_t n = strlen(base);
	char *end;
	long v;

	if (strncmp(name, base, n) || strncmp(name + n, ".destroyed.", 11))
		return -1;
	name += n + 11;
	if (!*name || name[strspn(name, "0123456789")])
		return -1;
	errno = 0;
	v = strtol(name, &end, 10);
	return errno ? -1 : v;
}

static void warn_link(const struct vz_ctx *ctx, const char *path)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n < 0)
		return;
	to[n] = 0;
	vz_warn(ctx, "the private area %s was a link to %s: that is left as it is", path,
		to);
}

int vz_area_aside(const struct vz_ctx *ctx, const char *path, struct vz_err *err)
{
	struct stat st;
	int r;

	if (lstat(path, &st))
		return errno == ENOENT
			       ? 0
			       : cant(err, VZ_E_DELPRIVATE, errno, "look at", path);
	if (S_ISLNK(st.st_mode))
		warn_link(ctx, path);
	for (int i = 0;; i++) {
		vz_autofree char *to = vz_strf("%s.destroyed.%d", path, i);

		r = to ? rename_new(AT_FDCWD, path, AT_FDCWD, to) : -ENOMEM;
		if (r != -EEXIST)
			break;
	}
	if (r == -EBUSY)
		return vz_err_set(
			err, VZ_E_DELPRIVATE, 0,
			"the private area %s is a mount point: unmount it first", path);
	if (r)
		return cant(err, VZ_E_DELPRIVATE, -r, "move aside", path);
	remove_mark(path);
	return 0;
}

int vz_area_sweep(const char *path, bool *ret_found, struct vz_err *err)
{
	vz_autofree char *dir = NULL;
	vz_autodir DIR *d = NULL;
	struct dirent *e;
	const char *base;
	int r = split(path, &dir, &base), q;

	d = r ? NULL : opendir(dir);
	if (!d)
		return !r && errno == ENOENT
			       ? 0
			       : cant(err, VZ_E_DELPRIVATE, r ? -r : errno, "read", path);
	while ((e = readdir(d))) {
		if (aside_number(e->d_name, base) < 0)
			continue;
		if (ret_found)
			*ret_found = true;
		q = vz_subvol_remove_tree(dirfd(d), e->d_name);
		if (q && !r)
			r = vz_err_set(err, VZ_E_DELPRIVATE, -q, "can't remove %s/%s",
				       dir, e->d_name);
	}
	return r;
}

int vz_area_sweep_work(const char *path, struct vz_err *err)
{
	vz_autofree char *dir = vz_strf("%s" VZ_AREA_CONVERTING, path);
	vz_autofree char *made = vz_strf("%s.creating", path);
	int r = dir && made ? remove_work(dir) : -ENOMEM;

	if (r)
		return cant(err, VZ_E_DELPRIVATE, -r, "remove", dir ? dir : path);
	return clear_work(made, err);
}
