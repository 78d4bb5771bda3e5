/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/untar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "sys/decomp.h"
#include "sys/untar_attr.h"

enum {
	READ_SIZE = 256 << 10,
	ID_MAX = 65535,
	BLOCK = 4096,
	/* Directories are remembered to the end: more of them is an attack. */
	DIRS_MAX = 4 << 20,
	/* Padding after the end of an archive. */
	TAIL_MAX = 1 << 20,
};

/* A directory gets its owner, mode and time when nothing is put in it again. */
struct dir {
	char *path;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	struct timespec mtime;
	struct archive_entry *attrs; /* NULL: it has none, as nearly all */
};

struct untar {
	const struct vz_untar *how;
	struct vz_err *err;
	struct vz_decomp dec;
	char *buf; /* what the tar reader reads into */
	int stopped; /* what tick said */
	char parent[PATH_MAX]; /* the directory that parentfd is, "" is the root */
	int parentfd;
	struct dir *dirs;
	size_t ndirs, dirs_cap;
	uint64_t bytes, inodes;
};

/* One entry on its way: its name made sane, cut in parent and last word. */
struct item {
	struct archive_entry *e;
	char path[PATH_MAX];
	const char *name; /* last word, in path */
	int parentfd;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	struct timespec mtime;
};

static int refuse(struct untar *u, const char *path, const char *why)
{
	return vz_err_set(u->err, VZ_E_BADTEMPLATE, EBADMSG, "'%s' in the archive %s",
			  path, why);
}

/* A system call on an entry failed: say which, and whether the disk is full. */
static int fail(struct untar *u, int errnum, const char *what, const char *path)
{
	enum vz_exit status = VZ_E_SYSTEM;

	if (errnum == ENOSPC || errnum == EDQUOT)
		status = VZ_E_NOSPACE;
	else if (errnum == EFBIG || errnum == EMLINK || errnum == ENAMETOOLONG)
		status = VZ_E_BADTEMPLATE;
	return vz_err_set(u->err, status, errnum, "can't %s '%s'", what, path);
}

/*
 * "./a//b/" to "a/b" ("" is the root itself). Refuses what is absolute or
 * has a ".." anywhere. 0 or -EINVAL.
 */
static int clean_path(const char *in, char out[PATH_MAX])
{
	size_t n, len = 0;

	if (!in || *in == '/')
		return -EINVAL;
	for (in += strspn(in, "/"); *in; in += n, in += strspn(in, "/")) {
		n = strcspn(in, "/");
		if (n == 1 && *in == '.')
			continue;
		if ((n == 2 && !memcmp(in, "..", 2)) || n > NAME_MAX ||
		    len + n + 2 > PATH_MAX)
			return -EINVAL;
		if (len)
			out[len++] = '/';
		memcpy(out + len, in, n);
		len += n;
	}
	out[len] = 0;
	return 0;
}

/* Cut `below` off. False: the path is not below it. */
static bool cut_below(const char *below, char path[PATH_MAX])
{
	size_t n = below ? strlen(below) : 0;

	if (!n)
		return true;
	if (strncmp(path, below, n) || (path[n] && path[n] != '/'))
		return false;
	n += path[n] == '/';
	memmove(path, path + n, strlen(path + n) + 1);
	return true;
}

static int open_beneath(int rootfd, const char *path, int flags)
{
	struct open_how how = {
		.flags = flags | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	int fd = syscall(SYS_openat2, rootfd, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int count_inode(struct untar *u)
{
	if (!u->how->max_inodes || ++u->inodes <= u->how->max_inodes)
		return 0;
	return vz_err_set(u->err, VZ_E_NOSPACE, ENOSPC,
			  "the archive has more than %ju files, the limit of DISKINODES",
			  (uintmax_t)u->how->max_inodes);
}

static int count_bytes(struct untar *u, uint64_t n)
{
	u->bytes += (n + BLOCK - 1) / BLOCK * BLOCK;
	if (!u->how->max_bytes || u->bytes <= u->how->max_bytes)
		return 0;
	return vz_err_set(u->err, VZ_E_NOSPACE, ENOSPC,
			  "the archive holds more than %ju KiB, the limit of DISKSPACE",
			  (uintmax_t)u->how->max_bytes / 1024);
}

static int remember_dir(struct untar *u, const char *path, const struct item *it)
{
	struct dir *d;

	if (u->ndirs == u->dirs_cap) {
		size_t cap = u->dirs_cap ? u->dirs_cap * 2 : 256;

		if (cap > DIRS_MAX)
			return refuse(u, path, "is one directory too many");
		d = reallocarray(u->dirs, cap, sizeof(*d));
		if (!d)
			return fail(u, ENOMEM, "remember", path);
		u->dirs = d;
		u->dirs_cap = cap;
	}
	d = &u->dirs[u->ndirs];
	*d = (struct dir){ .path = strdup(path),
			   .uid = it->uid,
			   .gid = it->gid,
			   .mode = it->mode,
			   .mtime = it->mtime };
	if (!d->path)
		return fail(u, ENOMEM, "remember", path);
	u->ndirs++;
	if (it->e && vz_untar_has_attrs(it->e)) {
		d->attrs = archive_entry_clone(it->e);
		if (!d->attrs)
			return fail(u, ENOMEM, "remember", path);
	}
	return 0;
}

/* A directory that the archive puts files in but does not describe. */
static int make_implied(struct untar *u, const char *path)
{
	struct item it = {
		.uid = u->how->uid,
		.gid = u->how->gid,
		.mode = 0755,
		.mtime.tv_nsec = UTIME_NOW,
	};
	vz_autofree char *up = strdup(path);
	vz_autofd int fd = -1;
	char *slash = up ? strrchr(up, '/') : NULL;
	const char *name = slash ? slash + 1 : path;
	int r;

	if (!up)
		return fail(u, ENOMEM, "make", path);
	if (slash)
		*slash = 0;
	fd = open_beneath(u->how->rootfd, slash ? up : "", O_PATH);
	if (fd < 0)
		return fail(u, -fd, "make", path);
	if (mkdirat(fd, name, 0700))
		return errno == EEXIST ? 0 : fail(u, errno, "make", path);
	r = count_inode(u);
	return r ? r : remember_dir(u, path, &it);
}

static int make_parents(struct untar *u, const char *parent)
{
	char path[PATH_MAX];
	int fd, r = 0;

	strcpy(path, parent);
	for (char *s = path; !r && s; s = s ? s + 1 : NULL) {
		s = strchr(s, '/');
		if (s)
			*s = 0;
		fd = open_beneath(u->how->rootfd, path, O_PATH);
		if (fd >= 0)
			close(fd);
		else
			r = fd == -ENOENT ? make_implied(u, path)
					  : refuse(u, parent, "is no directory");
		if (s)
			*s = '/';
	}
	return r;
}

/*
 * The directory that path is in, and its last word. The one of the entry
 * before is nearly always it, so that is kept open.
 */
static int open_parent(struct untar *u, const char *path, int *ret_fd,
		       const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX] = "";
	int fd, r;

	if (slash)
		memcpy(parent, path, slash - path);
	parent[slash ? slash - path : 0] = 0;
	*ret_name = slash ? slash + 1 : path;
	if (u->parentfd < 0 || strcmp(parent, u->parent)) {
		fd = open_beneath(u->how->rootfd, parent, O_PATH);
		if (fd == -ENOENT) {
			r = make_parents(u, parent);
			if (r)
				return r;
			fd = open_beneath(u->how->rootfd, parent, O_PATH);
		}
		if (fd == -ELOOP || fd == -ENOTDIR || fd == -EXDEV)
			return refuse(u, path, "goes through what is no directory");
		if (fd < 0)
			return fail(u, -fd, "open the directory of", path);
		if (u->parentfd >= 0)
			close(u->parentfd);
		u->parentfd = fd;
		strcpy(u->parent, parent);
	}
	*ret_fd = u->parentfd;
	return 0;
}

/* An entry that is there twice replaces the first one, but not a directory. */
static int make_room(struct untar *u, const struct item *it)
{
	if (!unlinkat(it->parentfd, it->name, 0))
		return 0;
	return errno == EISDIR ? refuse(u, it->path, "is both a directory and a file")
			       : fail(u, errno, "replace", it->path);
}

static int write_block(struct untar *u, const struct item *it, int fd, const char *data,
		       size_t len, int64_t off)
{
	ssize_t n;

	while (len) {
		n = pwrite(fd, data, len, off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(u, n ? errno : ENOSPC, "write", it->path);
		data += n;
		len -= n;
		off += n;
	}
	return 0;
}

static int damaged(struct untar *u, struct archive *a, const char *where)
{
	const char *text = archive_error_string(a);

	if (u->stopped)
		return u->stopped;
	return vz_err_set(u->err, VZ_E_BADTEMPLATE, EBADMSG,
			  "the archive is damaged%s%s (%s)", *where ? " at " : "", where,
			  text ? text : "no tar archive");
}

/* The contents; holes of a sparse file stay holes. */
static int write_contents(struct untar *u, struct archive *a, const struct item *it,
			  int fd)
{
	int64_t off, end = 0, size = archive_entry_size(it->e);
	const void *data;
	size_t len;
	int r, q;

	while ((r = archive_read_data_block(a, &data, &len, &off)) == ARCHIVE_OK) {
		if (off < end || off > size || (int64_t)len > size - off)
			return refuse(u, it->path, "has contents out of order");
		q = count_bytes(u, len);
		if (!q)
			q = write_block(u, it, fd, data, len, off);
		if (q)
			return q;
		end = off + len;
	}
	if (r != ARCHIVE_EOF)
		return damaged(u, a, it->path);
	if (end < size && ftruncate(fd, size))
		return fail(u, errno, "size", it->path);
	return 0;
}

/* umask is 0 meanwhile, so that open() gives the mode, all but the set-ids. */
static int make_file(struct untar *u, struct archive *a, const struct item *it)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	vz_autofd int fd = openat(it->parentfd, it->name, flags, it->mode & 0777);
	struct timespec times[2] = { it->mtime, it->mtime };
	int r;

	if (fd < 0 && errno == EEXIST) {
		r = make_room(u, it);
		if (r)
			return r;
		fd = openat(it->parentfd, it->name, flags, it->mode & 0777);
	}
	if (fd < 0)
		return fail(u, errno, "make", it->path);
	r = write_contents(u, a, it, fd);
	if (r)
		return r;
	/* Owner first: a change of it takes set-ids and capabilities away. */
	if (fchown(fd, it->uid, it->gid) || (it->mode & 07000 && fchmod(fd, it->mode)))
		return fail(u, errno, "set the owner of", it->path);
	if (vz_untar_has_attrs(it->e)) {
		r = vz_untar_set_attrs(fd, it->e, u->how->uid, u->how->gid);
		if (r == -EBADMSG)
			return refuse(u, it->path, "has a bad extended attribute");
		if (r)
			return fail(u, -r, "set the attributes of", it->path);
	}
	return futimens(fd, times) ? fail(u, errno, "set the time of", it->path) : 0;
}

static int make_dir(struct untar *u, const struct item *it)
{
	struct stat st;
	int r = 0;

	if (*it->path) {
		if (!mkdirat(it->parentfd, it->name, 0700))
			r = count_inode(u);
		else if (errno != EEXIST ||
			 fstatat(it->parentfd, it->name, &st, AT_SYMLINK_NOFOLLOW))
			return fail(u, errno, "make", it->path);
		else if (!S_ISDIR(st.st_mode))
			return refuse(u, it->path, "is both a directory and a file");
	}
	return r ? r : remember_dir(u, it->path, it);
}

static int make_symlink(struct untar *u, const struct item *it)
{
	const char *target = archive_entry_symlink(it->e);
	struct timespec times[2] = { it->mtime, it->mtime };
	int r;

	if (!target || !*target)
		return refuse(u, it->path, "is a link to nothing");
	if (symlinkat(target, it->parentfd, it->name)) {
		r = errno == EEXIST ? make_room(u, it) : fail(u, errno, "make", it->path);
		if (r)
			return r;
		if (symlinkat(target, it->parentfd, it->name))
			return fail(u, errno, "make", it->path);
	}
	if (fchownat(it->parentfd, it->name, it->uid, it->gid, AT_SYMLINK_NOFOLLOW) ||
	    utimensat(it->parentfd, it->name, times, AT_SYMLINK_NOFOLLOW))
		return fail(u, errno, "set the owner of", it->path);
	return 0;
}

/* A fifo, or the character device 0:0. */
static int make_node(struct untar *u, const struct item *it, mode_t type)
{
	struct timespec times[2] = { it->mtime, it->mtime };
	mode_t mode = type | (it->mode & 0777);
	int r;

	if (mknodat(it->parentfd, it->name, mode, 0)) {
		r = errno == EEXIST ? make_room(u, it) : fail(u, errno, "make", it->path);
		if (r)
			return r;
		if (mknodat(it->parentfd, it->name, mode, 0))
			return fail(u, errno, "make", it->path);
	}
	if (fchownat(it->parentfd, it->name, it->uid, it->gid, AT_SYMLINK_NOFOLLOW) ||
	    utimensat(it->parentfd, it->name, times, AT_SYMLINK_NOFOLLOW))
		return fail(u, errno, "set the owner of", it->path);
	return 0;
}

/* To a regular file that came before, found as carefully as a new one's place. */
static int make_hardlink(struct untar *u, struct item *it)
{
	vz_autofd int dirfd = fcntl(it->parentfd, F_DUPFD_CLOEXEC, 3);
	char target[PATH_MAX];
	const char *name;
	struct stat st;
	int fd, r;

	if (dirfd < 0)
		return fail(u, errno, "link", it->path);
	if (clean_path(archive_entry_hardlink(it->e), target) ||
	    !cut_below(u->how->below, target) || !*target)
		return refuse(u, it->path, "is a link out of it");
	r = open_parent(u, target, &fd, &name);
	if (r)
		return r;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return refuse(u, it->path, "is a link to no file of it");
	if (!strcmp(target, it->path) || !linkat(fd, name, dirfd, it->name, 0))
		return 0;
	it->parentfd = dirfd;
	r = errno == EEXIST ? make_room(u, it) : fail(u, errno, "link", it->path);
	if (!r && linkat(fd, name, dirfd, it->name, 0))
		r = fail(u, errno, "link", it->path);
	return r;
}

/* A VE's /dev is made at start; chroots (named, postfix) hold the harmless ones. */
static int skip_device(struct untar *u, const struct item *it)
{
	static const char harmless[] = { 3, 5, 7, 8, 9 };
	dev_t dev = archive_entry_rdev(it->e);
	bool chr = archive_entry_filetype(it->e) == AE_IFCHR;

	if (!strncmp(it->path, "dev/", 4))
		return 0;
	if (chr && major(dev) == 1 && minor(dev) < 16 &&
	    memchr(harmless, minor(dev), sizeof(harmless)))
		return 0;
	if (chr && dev == makedev(5, 0))
		return 0;
	return refuse(u, it->path, "is a device, and none may be outside of dev/");
}

static int make_item(struct untar *u, struct archive *a, struct item *it)
{
	mode_t type = archive_entry_filetype(it->e);
	int r;

	if (archive_entry_hardlink(it->e))
		return make_hardlink(u, it);
	if (type == AE_IFDIR)
		return make_dir(u, it);
	if (type == AE_IFBLK || (type == AE_IFCHR && archive_entry_rdev(it->e)))
		return skip_device(u, it);
	if (type == AE_IFSOCK)
		return 0;
	r = count_inode(u);
	if (r)
		return r;
	if (type == AE_IFREG)
		return make_file(u, a, it);
	if (type == AE_IFLNK)
		return make_symlink(u, it);
	if (type == AE_IFIFO || type == AE_IFCHR)
		return make_node(u, it, type == AE_IFIFO ? S_IFIFO : S_IFCHR);
	return refuse(u, it->path, "is of an unknown type");
}

static mode_t allowed_mode(struct archive_entry *e)
{
	mode_t mode = archive_entry_perm(e) & 07777;

	if (archive_entry_filetype(e) == AE_IFDIR)
		return mode & ~S_ISUID;
	return archive_entry_filetype(e) == AE_IFREG ? mode : mode & 0777;
}

static bool is_wanted(const struct untar *u, struct archive_entry *e, const char *path)
{
	return !u->how->want ||
	       (archive_entry_filetype(e) == AE_IFREG && !archive_entry_hardlink(e) &&
		u->how->want(u->how->want_data, path));
}

static int take_entry(struct untar *u, struct archive *a, struct archive_entry *e)
{
	const char *path = archive_entry_pathname(e);
	int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);
	long nsec = archive_entry_mtime_nsec(e);
	struct item it = {
		.e = e,
		.uid = u->how->uid + uid,
		.gid = u->how->gid + gid,
		.mode = allowed_mode(e),
		.mtime = { .tv_sec = archive_entry_mtime(e) },
		.parentfd = -1,
	};
	int r;

	if (nsec > 0 && nsec < 1000000000)
		it.mtime.tv_nsec = nsec;
	if (!path)
		return refuse(u, "?", "has an unreadable name");
	if (clean_path(path, it.path))
		return refuse(u, path, "has a name that leads out of it, or is too long");
	if (!cut_below(u->how->below, it.path) || !is_wanted(u, e, it.path))
		return 0;
	if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
		return refuse(u, path, "has an owner above 65535");
	if (archive_entry_size(e) < 0)
		return refuse(u, path, "has a negative size");
	if (!*it.path && archive_entry_filetype(e) != AE_IFDIR)
		return refuse(u, path, "is the root, but no directory");
	if (*it.path) {
		r = open_parent(u, it.path, &it.parentfd, &it.name);
		if (r)
			return r;
	}
	return make_item(u, a, &it);
}

static int finish_dir(struct untar *u, const struct dir *d)
{
	vz_autofd int fd = open_beneath(u->how->rootfd, d->path, O_RDONLY);
	struct timespec times[2] = { d->mtime, d->mtime };
	int r = 0;

	if (fd < 0)
		return fail(u, -fd, "open", d->path);
	if (fchown(fd, d->uid, d->gid) || fchmod(fd, d->mode))
		return fail(u, errno, "set the owner of", d->path);
	if (d->attrs)
		r = vz_untar_set_attrs(fd, d->attrs, u->how->uid, u->how->gid);
	if (r == -EBADMSG)
		return refuse(u, d->path, "has a bad extended attribute");
	if (r)
		return fail(u, -r, "set the attributes of", d->path);
	return futimens(fd, times) ? fail(u, errno, "set the time of", d->path) : 0;
}

/* libarchive: the next bytes of the tar. */
static la_ssize_t read_some(struct archive *a, void *data, const void **ret)
{
	struct untar *u = data;
	ssize_t n;

	if (u->how->tick)
		u->stopped = u->how->tick(u->how->tick_data, vz_decomp_done(&u->dec));
	if (u->stopped) {
		archive_set_error(a, EINTR, "stopped");
		return -1;
	}
	do
		n = read(u->dec.fd, u->buf, READ_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		archive_set_error(a, errno, "can't read");
	*ret = u->buf;
	return n;
}

/*
 * Read what stands after the archive's end: the decompressor must come to
 * its own end to know that the file is whole.
 */
static int drain(struct untar *u)
{
	size_t tail = 0;
	ssize_t n;

	while ((n = read(u->dec.fd, u->buf, READ_SIZE))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(u, errno, "read", "the archive");
		tail += n;
		if (tail > TAIL_MAX)
			return vz_err_set(u->err, VZ_E_BADTEMPLATE, EBADMSG,
					  "the archive goes on after its end");
	}
	return vz_decomp_finish(&u->dec, u->err);
}

/* The tar reader saw an error: the decompressor may know better why. */
static int why_damaged(struct untar *u, struct archive *a)
{
	int r = damaged(u, a, "");
	struct vz_err why = { 0 };
	char c;

	if (u->stopped || read(u->dec.fd, &c, 1) != 0 || !vz_decomp_finish(&u->dec, &why))
		return r;
	if (u->err)
		*u->err = why;
	return -EBADMSG;
}

static int take_all(struct untar *u, struct archive *a)
{
	struct archive_entry *e;
	size_t n = 0;
	int r, q;

	while ((r = archive_read_next_header(a, &e)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		n++;
		q = take_entry(u, a, e);
		if (q)
			return q;
	}
	if (r != ARCHIVE_EOF)
		return why_damaged(u, a);
	q = drain(u);
	if (!q && !n)
		q = vz_err_set(u->err, VZ_E_BADTEMPLATE, EBADMSG, "the archive is empty");
	for (size_t i = 0; !q && i < u->ndirs; i++)
		q = finish_dir(u, &u->dirs[i]);
	return q;
}

static int with_reader(struct untar *u)
{
	struct archive *a = archive_read_new();
	int r;

	u->buf = malloc(READ_SIZE);
	if (!a || !u->buf) {
		archive_read_free(a);
		return fail(u, ENOMEM, "read", "the archive");
	}
	archive_read_support_format_tar(a);
	if (archive_read_open(a, u, NULL, read_some, NULL))
		r = why_damaged(u, a);
	else
		r = take_all(u, a);
	archive_read_free(a);
	return r;
}

int vz_untar(const struct vz_untar *how, struct vz_err *err)
{
	struct untar u = {
		.how = how, .err = err, .dec = VZ_DECOMP_NONE, .parentfd = -1
	};
	/* libarchive makes names of UTF-8 headers only in a UTF-8 locale. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL), was;
	mode_t mask = umask(0);
	int r;

	was = utf8 ? uselocale(utf8) : NULL;
	r = vz_decomp_start(how->archive_fd, &u.dec, err);
	if (!r)
		r = with_reader(&u);
	vz_decomp_stop(&u.dec);
	umask(mask);
	if (utf8) {
		uselocale(was);
		freelocale(utf8);
	}
	for (size_t i = 0; i < u.ndirs; i++) {
		free(u.dirs[i].path);
		archive_entry_free(u.dirs[i].attrs);
	}
	free(u.dirs);
	free(u.buf);
	if (u.parentfd >= 0)
		close(u.parentfd);
	return r;
}
