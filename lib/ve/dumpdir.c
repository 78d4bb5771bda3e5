/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/dumpdir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/num.h"

#define FILE_MAX (16 << 20)
#define META "vz"

char *vz_dumpdir_path(const struct vz_ve *ve, const char *dumpfile)
{
	const char *dir = vz_cfg_str(ve->cfg, VZ_P_DUMPDIR);

	return dumpfile ? strdup(dumpfile) : vz_strf("%s/Dump.%u", dir, ve->id);
}

bool vz_dumpdir_is(const char *path)
{
	vz_autofree char *meta = vz_strf("%s/%s", path, META);

	return meta && !access(meta, F_OK);
}

bool vz_dumpdir_has(const struct vz_ve *ve)
{
	vz_autofree char *path = vz_dumpdir_path(ve, NULL);

	return path && vz_dumpdir_is(path);
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vz_dumpdir_begin(const char *path, int *ret_dir, struct vz_err *err)
{
	vz_autofree char *new = vz_strf("%s.new", path), *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;
	int r = new &&parent ? vz_dumpdir_remove(path, false) : -ENOMEM;

	if (!r && slash && slash != parent) {
		*slash = 0;
		r = vz_mkdir_p(parent, 0700);
	}
	if (!r && mkdir(new, 0700))
		r = -errno;
	if (!r) {
		r = open_dir(new);
		if (r >= 0)
			*ret_dir = r;
	}
	return r < 0 ? vz_err_set(err, VZ_E_CHECKPOINT, -r, "can't make %s", new ?: path)
		     : 0;
}

int vz_dumpdir_commit(const char *path, int dir, struct vz_err *err)
{
	vz_autofree char *new = vz_strf("%s.new", path);
	int r = new ? 0 : -ENOMEM;

	if (!r && syncfs(dir))
		r = -errno;
	if (!r)
		r = vz_remove_tree(AT_FDCWD, path);
	if (!r && rename(new, path))
		r = -errno;
	if (!r)
		r = vz_sync_parent(path);
	return r ? vz_err_set(err, VZ_E_CHECKPOINT, -r, "can't write %s", path) : 0;
}

int vz_dumpdir_open(const char *path, int *ret_dir, struct vz_err *err)
{
	int fd = open_dir(path);

	if (fd < 0)
		return vz_err_set(err, VZ_E_RESTORE, -fd, "can't open the dump %s", path);
	*ret_dir = fd;
	return 0;
}

static int lend_dir(int dir, uid_t uid)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	vz_autodir DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	while (d && !r && (e = readdir(d)))
		if (e->d_type == DT_REG &&
		    (fchownat(dir, e->d_name, uid, 0, AT_SYMLINK_NOFOLLOW) ||
		     fchmodat(dir, e->d_name, 0640, 0)))
			r = -errno;
	if (!d || (!r && (fchown(dir, uid, 0) || fchmod(dir, 0750))))
		r = -errno;
	return r;
}

int vz_dumpdir_lend(int dir, uid_t uid, struct vz_err *err)
{
	vz_autofd int early = openat(dir, VZ_DUMPDIR_EARLY,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = early >= 0 ? lend_dir(early, uid) : errno == ENOENT ? 0 : -errno;

	if (!r)
		r = lend_dir(dir, uid);
	return r ? vz_err_set(err, VZ_E_RESTORE, -r, "can't let CRIU read the dump") : 0;
}

int vz_dumpdir_rename(const char *path, const char *suffix, struct vz_err *err)
{
	vz_autofree char *to = vz_strf("%s.%s", path, suffix);
	int r = to ? vz_remove_tree(AT_FDCWD, to) : -ENOMEM;

	if (!r && rename(path, to) && errno != ENOENT)
		r = -errno;
	if (!r)
		r = vz_sync_parent(path);
	return r ? vz_err_set(err, VZ_E_RESTORE, -r, "can't rename %s to %s", path, to)
		 : 0;
}

int vz_dumpdir_remove(const char *path, bool whole)
{
	static const char *const suffixes[] = { ".new", ".restored", ".log", "",
						".failed" };
	size_t n = whole ? VZ_ARRAY_SIZE(suffixes) : 2;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		vz_autofree char *at = vz_strf("%s%s", path, suffixes[i]);
		int q = at ? vz_remove_tree(AT_FDCWD, at) : -ENOMEM;

		r = r ? r : q;
	}
	return r;
}

int vz_dumpdir_forget(const struct vz_ve *ve)
{
	vz_autofree char *path = vz_dumpdir_path(ve, NULL);
	int r = path ? 0 : -ENOMEM;

	if (!r && vz_dumpdir_is(path))
		r = vz_dumpdir_rename(path, "restored", NULL);
	return r ? r : vz_dumpdir_remove(path, true);
}

/* -- while the VE stands still -- */

static char *mark_path(const struct vz_ve *ve)
{
	return vz_strf("%s/%u/dumping", ve->ctx->rundir, ve->id);
}

int vz_dumpdir_mark(const struct vz_ve *ve, const char *path)
{
	vz_autofree char *at = mark_path(ve);

	if (!at)
		return -ENOMEM;
	if (path)
		return vz_replace_volatile(at, path, strlen(path));
	return unlink(at) && errno != ENOENT ? -errno : 0;
}

char *vz_dumpdir_marked(const struct vz_ve *ve)
{
	vz_autofree char *at = mark_path(ve);
	char *text = NULL;

	return at && !vz_read_file(at, PATH_MAX, &text, NULL) ? text : NULL;
}

/* -- vz's own files -- */

int vz_dumpdir_write(int dir, const char *name, const struct vz_str *text,
		     struct vz_err *err)
{
	vz_autofd int fd = openat(
		dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = text->failed ? -ENOMEM : fd < 0 ? -errno : 0;

	if (!r)
		r = vz_write_all(fd, text->s ?: "", text->len);
	return r ? vz_err_set(err, VZ_E_CHECKPOINT, -r, "can't write %s of the dump",
			      name)
		 : 0;
}

int vz_dumpdir_read(int dir, const char *name, char **ret, struct vz_err *err)
{
	vz_autofd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : vz_read_fd(fd, FILE_MAX, ret, NULL);

	return r ? vz_err_set(err, VZ_E_RESTORE, -r, "can't read %s of the dump", name)
		 : 0;
}

int vz_dump_meta_save(int dir, const struct vz_dump_meta *m, struct vz_err *err)
{
	vz_autostr struct vz_str b = { 0 };

	vz_str_addf(&b, "version = %u\ncriu = %u\nuid = %u\ngid = %u\n", m->version,
		    m->criu, m->uid, m->gid);
	vz_str_addf(&b, "caps = %" PRIu64 "\nseccomp = %u\nuptime = %" PRId64 "\n",
		    m->caps, m->seccomp, m->uptime);
	vz_str_addf(&b, "cgroup = %s\ninit = %s\n", m->cgroup, m->init_name);
	return vz_dumpdir_write(dir, META, &b, err);
}

int vz_dump_meta_load(int dir, struct vz_dump_meta *ret, struct vz_err *err)
{
	struct vz_dump_meta m = { 0 };
	vz_autofree char *text = NULL;
	int r = vz_dumpdir_read(dir, META, &text, err);

	if (r)
		return r;
	r = sscanf(text,
		   "version = %" SCNu32 " criu = %" SCNu32 " uid = %u gid = %u "
		   "caps = %" SCNu64 " seccomp = %" SCNu32 " uptime = %" SCNd64
		   " cgroup = %127s init = %15s",
		   &m.version, &m.criu, &m.uid, &m.gid, &m.caps, &m.seccomp, &m.uptime,
		   m.cgroup, m.init_name);
	if (r != 9 || m.version != VZ_DUMP_VERSION)
		return vz_err_set(err, VZ_E_RESTORE, 0,
				  "the dump is of another version of vz, or damaged");
	*ret = m;
	return 0;
}
