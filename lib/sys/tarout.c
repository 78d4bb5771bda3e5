/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/tarout.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/tarout_attr.h"

enum {
	CHUNK = 1 << 20,
	/* Each level keeps two descriptors open. */
	DEPTH_MAX = 1500,
	FDS_WANTED = 4096,
	ID_MAX = 65535,
	NOBODY = 65534,
};

struct vz_tarout {
	struct archive *a;
	struct archive_entry_linkresolver *links;
	int fd;
	int errnum; /* of the last write that failed */
	char *buf; /* CHUNK bytes */
	locale_t utf8, was;
	/* of the tree that is being written */
	const struct vz_tarout_tree *how;
	uint64_t done, left;
	struct vz_filesum *sum; /* of the file that is being written; NULL: of none */
	struct vz_filesum room;
};

static int fail(struct vz_tarout *t, int errnum, const char *what, const char *path,
		struct vz_err *err)
{
	if (t->errnum)
		errnum = t->errnum;
	return vz_err_set(
		err, errnum == ENOSPC || errnum == EDQUOT ? VZ_E_NOSPACE : VZ_E_SYSTEM,
		errnum, "can't %s %s", what, path);
}

/* libarchive says more than errno does; a warning is about a name, and no harm. */
static int check(struct vz_tarout *t, int r, const char *path, struct vz_err *err)
{
	int e;

	if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
		return 0;
	e = archive_errno(t->a);
	return fail(t, e > 0 ? e : EIO, "write to the archive:", path, err);
}

static la_ssize_t give(struct archive *a, void *data, const void *buf, size_t len)
{
	struct vz_tarout *t = data;
	int r = vz_write_all(t->fd, buf, len);

	if (!r)
		return len;
	t->errnum = -r;
	archive_set_error(a, -r, "%s", strerror(-r));
	return -1;
}

int vz_tarout_new(int fd, struct vz_tarout **ret, struct vz_err *err)
{
	vz_autotarout struct vz_tarout *t = calloc(1, sizeof(*t));

	if (!t)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't write an archive");
	t->fd = fd;
	t->buf = malloc(CHUNK);
	t->a = archive_write_new();
	t->links = archive_entry_linkresolver_new();
	if (!t->buf || !t->a || !t->links)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't write an archive");
	/* libarchive takes names for UTF-8 only in a UTF-8 locale. */
	t->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	t->was = t->utf8 ? uselocale(t->utf8) : NULL;
	archive_entry_linkresolver_set_strategy(t->links,
						ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE);
	if (archive_write_set_format_pax(t->a) != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(t->a) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(t->a, 1) != ARCHIVE_OK ||
	    archive_write_open(t->a, t, NULL, give, NULL) != ARCHIVE_OK)
		return vz_err_set(err, VZ_E_SYSTEM, 0, "can't write an archive: %s",
				  archive_error_string(t->a));
	*ret = vz_take(t);
	return 0;
}

void vz_tarout_free(struct vz_tarout *t)
{
	if (!t)
		return;
	archive_write_free(t->a);
	archive_entry_linkresolver_free(t->links);
	if (t->utf8) {
		uselocale(t->was);
		freelocale(t->utf8);
	}
	free(t->buf);
	free(t);
}

int vz_tarout_end(struct vz_tarout *t, struct vz_err *err)
{
	return check(t, archive_write_close(t->a), "its end", err);
}

static void entry_free(struct archive_entry **e)
{
	archive_entry_free(*e);
}
#define auto_entry VZ_CLEANUP(entry_free)

int vz_tarout_text(struct vz_tarout *t, const char *name, const char *text, size_t len,
		   struct vz_err *err)
{
	auto_entry struct archive_entry *e = archive_entry_new();
	int r;

	if (!e)
		return fail(t, ENOMEM, "write", name, err);
	archive_entry_copy_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_size(e, len);
	archive_entry_set_mtime(e, time(NULL), 0);
	r = check(t, archive_write_header(t->a, e), name, err);
	if (!r && archive_write_data(t->a, text, len) != (la_ssize_t)len)
		r = check(t, ARCHIVE_FATAL, name, err);
	return r;
}

/* --- contents --- */

/* Where a file has data, if it has holes; a file that is all hole has an empty piece. */
static int find_holes(int fd, const struct stat *st, struct archive_entry *e)
{
	off_t at = 0, end;

	if (st->st_blocks * 512LL >= st->st_size)
		return 0;
	while (at < st->st_size) {
		at = lseek(fd, at, SEEK_DATA);
		if (at < 0)
			break;
		end = lseek(fd, at, SEEK_HOLE);
		if (end < 0)
			return -errno;
		if (end > st->st_size)
			end = st->st_size;
		archive_entry_sparse_add_entry(e, at, end - at);
		at = end;
	}
	if (at < 0 && errno != ENXIO)
		return -errno;
	if (!archive_entry_sparse_count(e))
		archive_entry_sparse_add_entry(e, st->st_size, 0);
	return 0;
}

/* Of bytes in a hole only the number counts: the writer does not look at them. */
static int write_hole(struct vz_tarout *t, uint64_t len)
{
	la_ssize_t n;

	for (; len; len -= n) {
		n = archive_write_data(t->a, t->buf, len < INT_MAX ? len : INT_MAX);
		if (n <= 0)
			return ARCHIVE_FATAL;
	}
	return ARCHIVE_OK;
}

/* A file that became shorter ends in zeros: what the header says is owed. */
static int write_piece(struct vz_tarout *t, int fd, off_t at, off_t end)
{
	ssize_t n, w;
	int r = 0;

	while (!r && at < end) {
		size_t want = end - at < CHUNK ? end - at : CHUNK;

		n = pread(fd, t->buf, want, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			memset(t->buf, 0, want);
			n = want;
		}
		if (t->sum)
			vz_filesum_data(t->sum, at, t->buf, n);
		for (ssize_t k = 0; k < n; k += w) {
			w = archive_write_data(t->a, t->buf + k, n - k);
			if (w <= 0)
				return ARCHIVE_FATAL;
		}
		at += n;
		t->done += n;
		if (t->how->tick)
			r = t->how->tick(t->how->tick_data, t->done);
	}
	return r;
}

static int write_contents(struct vz_tarout *t, int fd, struct archive_entry *e,
			  const char *path, struct vz_err *err)
{
	int64_t size = archive_entry_size(e), at = 0, off, len;
	int r = 0;

	if (!archive_entry_sparse_reset(e)) {
		r = write_piece(t, fd, 0, size);
		at = size;
	}
	while (!r && archive_entry_sparse_next(e, &off, &len) == ARCHIVE_OK) {
		r = write_hole(t, off - at);
		if (!r)
			r = write_piece(t, fd, off, off + len);
		at = off + len;
	}
	if (!r && at < size)
		r = write_hole(t, size - at);
	if (r == ARCHIVE_FATAL)
		return check(t, r, path, err);
	return r && r != -EINTR ? fail(t, -r, "read", path, err) : r;
}

/* --- entries --- */

/* An id that is none of the VE's is seen there as nobody's. */
static uint32_t seen_id(uint32_t id, uint32_t first)
{
	return id < first || id - first > ID_MAX ? NOBODY : id - first;
}

/* --- what was in an earlier archive --- */

/* What an entry says of a file beside its contents. */
static void describe(struct vz_filesum *s, struct archive_entry *e)
{
	const int64_t facts[] = { archive_entry_perm(e),  archive_entry_uid(e),
				  archive_entry_gid(e),	  archive_entry_size(e),
				  archive_entry_mtime(e), archive_entry_mtime_nsec(e) };
	char *acl = archive_entry_acl_to_text(e, NULL, ARCHIVE_ENTRY_ACL_STYLE_EXTRA_ID);
	const char *name;
	const void *value;
	size_t len;

	vz_filesum_begin(s);
	vz_filesum_words(s, facts, sizeof(facts));
	vz_filesum_words(s, acl ?: "", acl ? strlen(acl) : 0);
	free(acl);
	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &len) == ARCHIVE_OK) {
		vz_filesum_words(s, name, strlen(name));
		vz_filesum_words(s, value, len);
	}
}

static int tick_summing(void *data, uint64_t done)
{
	struct vz_tarout *t = data;

	return t->how->tick ? t->how->tick(t->how->tick_data, t->done + done) : 0;
}

/* Its path below the tree's name. */
static const char *path_below(const struct vz_tarout *t, const char *path)
{
	path += strlen(t->how->name);
	return *path == '/' ? path + 1 : path;
}

/* 1: it is as it was there, noted, and to be left out. */
static int is_as_before(struct vz_tarout *t, int fd, struct archive_entry *e,
			const char *path)
{
	const struct vz_findex_entry *was =
		t->how->before ? vz_findex_find(t->how->before, path) : NULL;
	unsigned char sum[VZ_FILESUM_SIZE];
	struct vz_filesum s;
	int r;

	if (!was)
		return 0;
	s = t->room;
	r = vz_filesum_fd(&s, fd, archive_entry_size(e), tick_summing, t);
	vz_filesum_end(&s, sum);
	if (r || memcmp(sum, was->sum, sizeof(sum)))
		return r;
	t->done += archive_entry_size(e);
	r = vz_findex_add(t->how->index, path, was->archive, sum);
	return r ? r : 1;
}

static int note(struct vz_tarout *t, const char *path)
{
	unsigned char sum[VZ_FILESUM_SIZE];

	vz_filesum_end(t->sum, sum);
	t->sum = NULL;
	return vz_findex_add(t->how->index, path_below(t, path), t->how->number, sum);
}

/* fd: of a regular file or directory, else -1. */
static int write_entry(struct vz_tarout *t, int fd, const char *path,
		       const struct stat *st, const char *target, struct vz_err *err)
{
	auto_entry struct archive_entry *e = archive_entry_new(), *spare = NULL;
	int r = e ? 0 : fail(t, ENOMEM, "write", path, err);

	if (r)
		return r;
	archive_entry_copy_pathname(e, path);
	archive_entry_copy_stat(e, st);
	archive_entry_set_uid(e, seen_id(st->st_uid, t->how->uid));
	archive_entry_set_gid(e, seen_id(st->st_gid, t->how->gid));
	if (target)
		archive_entry_copy_symlink(e, target);
	if (S_ISREG(st->st_mode) && st->st_nlink > 1)
		archive_entry_linkify(t->links, &e, &spare);
	else
		archive_entry_set_nlink(e, 1);
	if (!e)
		return 0;
	if (fd >= 0 && !archive_entry_hardlink(e)) {
		r = vz_tarout_get_attrs(fd, e, t->how->uid, t->how->gid);
		if (!r && S_ISREG(st->st_mode))
			r = find_holes(fd, st, e);
		if (r)
			return fail(t, -r, "read", path, err);
	}
	if (t->how->index && S_ISREG(st->st_mode) && st->st_nlink == 1) {
		describe(&t->room, e);
		r = is_as_before(t, fd, e, path_below(t, path));
		if (r)
			return r > 0	     ? 0
			       : r == -EINTR ? r
					     : fail(t, -r, "read", path, err);
		t->sum = &t->room;
	}
	r = check(t, archive_write_header(t->a, e), path, err);
	if (!r && S_ISREG(st->st_mode) && archive_entry_size(e) > 0)
		r = write_contents(t, fd, e, path, err);
	if (!r && t->sum && note(t, path))
		r = fail(t, ENOMEM, "note", path, err);
	t->sum = NULL;
	return r;
}

static int walk(struct vz_tarout *t, int dir, const char *path, int depth,
		struct vz_err *err);

static int open_entry(int at, const char *name, bool dir)
{
	return openat(at, name,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
			      (dir ? O_DIRECTORY : O_NOATIME));
}

/*
 * 1: what has another mount behind it is passed over. A device of its own says nothing:
 * files of an overlay whose layers are in two file systems have that, and subvolumes.
 */
static int look_at(int at, const char *name, struct stat *st)
{
	struct statx stx;

	if (statx(at, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &stx) ||
	    fstatat(at, name, st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return !!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int one(struct vz_tarout *t, int at, const char *name, const char *path, int depth,
	       struct vz_err *err)
{
	char target[PATH_MAX];
	vz_autofd int fd = -1;
	struct stat st;
	ssize_t n = 0;
	bool file;
	int r = look_at(at, name, &st);

	if (r < 0)
		return r == -ENOENT ? 0 : fail(t, -r, "look at", path, err);
	file = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
	if (r || S_ISSOCK(st.st_mode))
		return 0;
	if (S_ISBLK(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev)) {
		t->left++;
		return 0;
	}
	if (file) {
		fd = open_entry(at, name, S_ISDIR(st.st_mode));
		if (fd < 0 || fstat(fd, &st))
			return fail(t, errno, "open", path, err);
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(at, name, target, sizeof(target) - 1);
		if (n < 0)
			return fail(t, errno, "read", path, err);
		target[n] = 0;
	}
	if (S_ISDIR(st.st_mode))
		return walk(t, fd, path, depth + 1, err);
	return write_entry(t, fd, path, &st, S_ISLNK(st.st_mode) ? target : NULL, err);
}

static int walk(struct vz_tarout *t, int dir, const char *path, int depth,
		struct vz_err *err)
{
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 3), r;
	vz_autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	if (!d || fstat(dir, &st)) {
		r = fail(t, errno, "open", path, err);
		if (!d && fd >= 0)
			close(fd);
		return r;
	}
	r = write_entry(t, dir, path, &st, NULL, err);
	while (!r && (e = readdir(d))) {
		vz_autofree char *sub = NULL;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		sub = vz_strf("%s/%s", path, e->d_name);
		if (!sub)
			return fail(t, ENOMEM, "read", path, err);
		if (strlen(sub) >= PATH_MAX - 1 || depth >= DEPTH_MAX)
			t->left++;
		else
			r = one(t, dir, e->d_name, sub, depth, err);
	}
	if (!r && t->how->tick)
		r = t->how->tick(t->how->tick_data, t->done);
	return r;
}

int vz_tarout_tree(struct vz_tarout *t, const struct vz_tarout_tree *how,
		   uint64_t *ret_left, struct vz_err *err)
{
	struct rlimit was, more;
	int r;

	t->how = how;
	t->done = t->left = 0;
	getrlimit(RLIMIT_NOFILE, &was);
	more = was;
	if (more.rlim_cur < FDS_WANTED)
		more.rlim_cur = FDS_WANTED < more.rlim_max ? FDS_WANTED : more.rlim_max;
	setrlimit(RLIMIT_NOFILE, &more);
	r = walk(t, how->dirfd, how->name, 0, err);
	setrlimit(RLIMIT_NOFILE, &was);
	*ret_left = t->left;
	return r;
}
