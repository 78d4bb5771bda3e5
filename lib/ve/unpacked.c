/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/unpacked.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "sys/untar.h"
#include "ve/unpacked_priv.h"

/* A get on its way. */
struct get {
	const struct vz_ctx *ctx;
	const char *name, *tarball;
	int (*tick)(void *data, uint64_t done);
	void *data;
	char *store; /* TEMPLATE/base */
	int storefd;
	int tarfd;
	struct stat st; /* of the tarball when it was opened */
	char digest[VZ_DIGEST_LEN];
};

static void get_done(struct get *g)
{
	free(g->store);
	if (g->storefd >= 0)
		close(g->storefd);
	if (g->tarfd >= 0)
		close(g->tarfd);
}

static int fail(const struct get *g, int errnum, const char *what, struct vz_err *err)
{
	bool full = errnum == ENOSPC || errnum == EDQUOT;

	return vz_err_set(err, full ? VZ_E_NOSPACE : VZ_E_SYSTEM, errnum,
			  "can't %s in %s", what, g->store);
}

/* The lock, waited for while nobody says to give up. */
static int wait_lock(const struct get *g, int fd, int how)
{
	int r;

	while (flock(fd, how | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		r = g->tick ? g->tick(g->data, 0) : 0;
		if (r)
			return r;
		usleep(20000);
	}
	return 0;
}

static int open_store(struct get *g, const char *dir, int *ret_lock, struct vz_err *err)
{
	vz_autofd int lock = -1;
	int r;

	g->store = vz_strf("%s/base", dir);
	if (!g->store)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't open %s/base", dir);
	r = vz_mkdir_p(dir, 0755);
	if (!r && mkdir(g->store, 0700) && errno != EEXIST)
		r = -errno;
	if (r)
		return fail(g, -r, "unpack templates", err);
	r = g->storefd = vz_unpacked_open_store(dir, &lock);
	if (r < 0)
		return fail(g, -r, "unpack templates", err);
	if (mkdirat(g->storefd, VZ_UNPACKED_BY_FILE, 0700) && errno != EEXIST)
		return fail(g, errno, "unpack templates", err);
	r = wait_lock(g, lock, LOCK_SH);
	if (r)
		return r == -EINTR ? r : fail(g, -r, "take the lock", err);
	*ret_lock = vz_take_fd(&lock);
	return 0;
}

/* --- which version it is --- */

static void identity(const struct stat *st, char *buf, size_t size)
{
	snprintf(buf, size, VZ_UNPACKED_BY_FILE "/%ju-%ju-%ju-%ju.%09ld-%ju.%09ld",
		 (uintmax_t)st->st_dev, (uintmax_t)st->st_ino, (uintmax_t)st->st_size,
		 (uintmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		 (uintmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static bool recall(struct get *g)
{
	char link[200], text[VZ_DIGEST_LEN] = "";
	ssize_t n;

	identity(&g->st, link, sizeof(link));
	n = readlinkat(g->storefd, link, text, sizeof(text));
	if (n != VZ_DIGEST_LEN - 1 || !vz_digest_valid(text))
		return false;
	memcpy(g->digest, text, sizeof(text));
	return true;
}

/* A file just written may change again within one tick of its clock. */
static bool is_fresh(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec - st->st_ctim.tv_sec < 2;
}

static void remember(const struct get *g)
{
	char link[200];

	identity(&g->st, link, sizeof(link));
	if (!is_fresh(&g->st) && symlinkat(g->digest, g->storefd, link) &&
	    errno != EEXIST)
		vz_debug(g->ctx, "can't note the digest of %s: %s", g->tarball,
			 strerror(errno));
}

static int open_tarball(struct get *g, struct vz_err *err)
{
	g->tarfd = open(g->tarball, O_RDONLY | O_CLOEXEC);
	if (g->tarfd < 0 || fstat(g->tarfd, &g->st))
		return vz_err_set(err, VZ_E_NOTEMPLATE, errno, "can't read %s",
				  g->tarball);
	posix_fadvise(g->tarfd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static int check_unchanged(const struct get *g, struct vz_err *err)
{
	struct stat st;

	if (!fstat(g->tarfd, &st) && st.st_size == g->st.st_size &&
	    st.st_mtim.tv_sec == g->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == g->st.st_mtim.tv_nsec)
		return 0;
	return vz_err_set(err, VZ_E_BADTEMPLATE, 0,
			  "%s was written to while it was read: try again", g->tarball);
}

/* Reading is quick beside unpacking: it is no progress that anybody waits for. */
static int tick_only(void *data, uint64_t done)
{
	const struct get *g = data;

	return g->tick ? g->tick(g->data, 0) : 0;
}

static int find_digest(struct get *g, struct vz_err *err)
{
	int r = open_tarball(g, err);

	if (r || recall(g))
		return r;
	r = vz_digest_fd(g->tarfd, tick_only, g, g->digest);
	if (r)
		return r == -EINTR ? r
				   : vz_err_set(err, VZ_E_NOTEMPLATE, -r, "can't read %s",
						g->tarball);
	r = check_unchanged(g, err);
	if (!r)
		remember(g);
	return r;
}

/* --- unpacking it --- */

/* The work directory, ours: another command that had it may have finished with it. */
static int claim_work(const struct get *g, const char *work, int *ret)
{
	vz_autofd int fd = -1;
	struct stat ours, there;
	int r;

	if (mkdirat(g->storefd, work, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(g->storefd, work, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	r = wait_lock(g, fd, LOCK_EX);
	if (r)
		return r;
	if (fstat(fd, &ours) || fstatat(g->storefd, work, &there, AT_SYMLINK_NOFOLLOW) ||
	    ours.st_ino != there.st_ino)
		return -EAGAIN;
	*ret = vz_take_fd(&fd);
	return 0;
}

static int write_about(const struct get *g, int work)
{
	vz_autofree char *text =
		vz_strf("[template]\nname = %s\nsize = %ju\nmade = %ju\n", g->name,
			(uintmax_t)g->st.st_size, (uintmax_t)time(NULL));
	vz_autofd int fd = openat(work, VZ_UNPACKED_ABOUT,
				  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return !text ? -ENOMEM : fd < 0 ? -errno : vz_write_all(fd, text, strlen(text));
}

static int unpack(const struct get *g, int work, struct vz_err *err)
{
	vz_autofd int root = -1;
	struct vz_untar how = {
		.archive_fd = g->tarfd,
		.tick = g->tick,
		.tick_data = g->data,
	};
	struct vz_err why = { 0 };
	int r;

	if (mkdirat(work, "root", 0755))
		return fail(g, errno, "make a directory", err);
	root = openat(work, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail(g, errno, "make a directory", err);
	how.rootfd = root;
	r = lseek(g->tarfd, 0, SEEK_SET) ? -errno : vz_untar(&how, &why);
	if (r && why.status) {
		vz_err_prefix(&why, "OS template %s", g->tarball);
		if (err)
			*err = why;
	}
	return r ? r : check_unchanged(g, err);
}

/* All of it on the disk before it has its name. */
static int publish(const struct get *g, int work, const char *name, struct vz_err *err)
{
	int r = write_about(g, work);

	if (!r && syncfs(work))
		r = -errno;
	if (!r && renameat(g->storefd, name, g->storefd, g->digest))
		r = -errno;
	if (!r && fsync(g->storefd))
		r = -errno;
	return r ? fail(g, -r, "write an unpacked template", err) : 0;
}

static bool is_there(const struct get *g)
{
	char about[VZ_DIGEST_LEN + sizeof("/" VZ_UNPACKED_ABOUT)];

	snprintf(about, sizeof(about), "%s/" VZ_UNPACKED_ABOUT, g->digest);
	return !faccessat(g->storefd, about, F_OK, AT_SYMLINK_NOFOLLOW);
}

static int fill_work(const struct get *g, int work, const char *name, struct vz_err *err)
{
	int r;

	if (is_there(g)) {
		vz_remove_tree(g->storefd, name);
		return 0;
	}
	/* What a killed command had unpacked. */
	r = vz_remove_tree(work, "root");
	if (!r)
		r = vz_remove_tree(work, VZ_UNPACKED_ABOUT);
	if (r)
		return fail(g, -r, "remove what is unfinished", err);
	vz_info(g->ctx, "Unpacking the template %s, once for all its VEs", g->name);
	r = unpack(g, work, err);
	if (!r)
		r = publish(g, work, name, err);
	if (r)
		vz_remove_tree(g->storefd, name);
	return r;
}

static int make(const struct get *g, struct vz_err *err)
{
	char name[VZ_DIGEST_LEN + sizeof(VZ_UNPACKED_CREATING)];
	vz_autofd int work = -1;
	int r;

	snprintf(name, sizeof(name), "%s" VZ_UNPACKED_CREATING, g->digest);
	do {
		if (is_there(g))
			return 0;
		r = claim_work(g, name, &work);
	} while (r == -EAGAIN);
	if (r)
		return r == -EINTR ? r : fail(g, -r, "unpack a template", err);
	return fill_work(g, work, name, err);
}

int vz_unpacked_get(const struct vz_ctx *ctx, const char *dir, const char *name,
		    const char *tarball, int (*tick)(void *data, uint64_t done),
		    void *data, struct vz_unpacked *ret, struct vz_err *err)
{
	VZ_CLEANUP(get_done)
	struct get g = {
		.ctx = ctx,
		.name = name,
		.tarball = tarball,
		.tick = tick,
		.data = data,
		.storefd = -1,
		.tarfd = -1,
	};
	vz_autofd int lock = -1;
	int r = open_store(&g, dir, &lock, err);

	if (!r)
		r = find_digest(&g, err);
	if (!r)
		r = make(&g, err);
	if (r)
		return r;
	memcpy(ret->digest, g.digest, sizeof(ret->digest));
	ret->lock = vz_take_fd(&lock);
	return 0;
}

int vz_unpacked_hold(const struct vz_ctx *ctx, const char *dir, struct vz_unpacked *ret,
		     struct vz_err *err)
{
	VZ_CLEANUP(get_done) struct get g = { .ctx = ctx, .storefd = -1, .tarfd = -1 };
	vz_autofd int lock = -1;
	int r = open_store(&g, dir, &lock, err);

	if (r)
		return r;
	*ret = (struct vz_unpacked){ .lock = vz_take_fd(&lock) };
	return 0;
}

void vz_unpacked_release(struct vz_unpacked *u)
{
	if (u->lock >= 0)
		close(u->lock);
	*u = VZ_UNPACKED_NONE;
}

int vz_unpacked_open_store(const char *dir, int *ret_lock)
{
	vz_autofree char *path = vz_strf("%s/base", dir);
	vz_autofd int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	vz_autofd int lock = -1;
	struct stat st;

	if (fd < 0)
		return path ? -errno : -ENOMEM;
	/* The files below have the set-user-id bits of real roots. */
	if (fstat(fd, &st) || ((st.st_mode & 077) && fchmod(fd, 0700)))
		return -errno;
	lock = openat(fd, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return -errno;
	*ret_lock = vz_take_fd(&lock);
	return vz_take_fd(&fd);
}

int vz_unpacked_root(const char *dir, const char *digest, char **ret, struct vz_err *err)
{
	vz_autofree char *about = vz_strf("%s/base/%s/" VZ_UNPACKED_ABOUT, dir, digest);
	vz_autofree char *path = vz_strf("%s/base/%s/root", dir, digest);

	if (!about || !path)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't find a template");
	if (access(about, F_OK) || access(path, F_OK))
		return vz_err_set(err, VZ_E_NOPRIVATE, errno,
				  "the template that the VE lies over is not in %s/base: "
				  "its version is %s",
				  dir, digest);
	*ret = vz_take(path);
	return 0;
}
