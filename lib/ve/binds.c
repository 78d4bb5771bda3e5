/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/binds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/mnt.h"

/* SRC:DST[:ro|:rw], the form of which the configuration's check has seen to. */
struct words {
	const char *src, *dst;
	bool read_only;
};

static int parse(char *copy, struct words *ret)
{
	char *at, *opt;

	ret->src = copy ? strtok_r(copy, ":", &at) : NULL;
	ret->dst = ret->src ? strtok_r(NULL, ":", &at) : NULL;
	opt = ret->dst ? strtok_r(NULL, ":", &at) : NULL;
	ret->read_only = opt && !strcmp(opt, "ro");
	return ret->dst && *ret->src == '/' && *ret->dst == '/' &&
			       (!opt || ret->read_only || !strcmp(opt, "rw"))
		       ? 0
		       : -EINVAL;
}

void vz_bind_umount(const char *path)
{
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (unlink(path))
		rmdir(path);
}

static int make_stage(const char *path, bool is_dir)
{
	int fd;

	vz_bind_umount(path);
	if (is_dir)
		return mkdir(path, 0700) ? -errno : 0;
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int vz_bind_mount(const char *src, const char *stage, bool is_dir, uint64_t attr)
{
	vz_autofd int mnt = vz_mnt_clone(AT_FDCWD, src, true), at = -1;
	int r = mnt < 0 ? mnt : make_stage(stage, is_dir);

	if (!r)
		r = vz_mnt_set_private(mnt);
	if (!r)
		r = vz_mnt_set_attr(mnt, attr, true);
	if (!r)
		at = open(stage, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (!r)
		r = at < 0 ? -errno : vz_mnt_attach(mnt, at);
	return r;
}

static int stage(const struct vz_ve *ve, const char *word, size_t i, struct vz_bind *b,
		 struct vz_err *err)
{
	vz_autofree char *copy = strdup(word);
	struct words w;
	struct stat st;
	int r;

	if (parse(copy, &w))
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "bad bind mount '%s': expected SOURCE:TARGET[:ro|:rw]",
				  word);
	if (stat(w.src, &st))
		return vz_err_set(err, VZ_E_MOUNT, errno, "can't bind %s into the VE",
				  w.src);
	b->is_dir = S_ISDIR(st.st_mode);
	b->target = strdup(w.dst + strspn(w.dst, "/"));
	b->stage = vz_strf("%s/%u/bind.%zu", ve->ctx->rundir, ve->id, i);
	r = b->target && b->stage
		    ? vz_bind_mount(w.src, b->stage, b->is_dir,
				    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					    (w.read_only ? MOUNT_ATTR_RDONLY : 0))
		    : -ENOMEM;
	return r ? vz_err_set(err, VZ_E_MOUNT, -r, "can't bind %s into the VE", w.src)
		 : 0;
}

int vz_binds_stage(const struct vz_ve *ve, struct vz_bind **ret, size_t *ret_n,
		   struct vz_err *err)
{
	const struct vz_strv *list = vz_cfg_list(ve->cfg, VZ_P_BIND);
	struct vz_bind *b;
	size_t n = 0;
	int r = 0;

	*ret = NULL;
	*ret_n = 0;
	if (!list->n)
		return 0;
	b = calloc(list->n, sizeof(*b));
	if (!b)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't prepare bind mounts");
	for (; n < list->n && !r; n++) {
		b[n].mnt = -1;
		r = stage(ve, list->v[n], n, &b[n], err);
	}
	if (r) {
		vz_binds_unstage(b, n);
		return r;
	}
	*ret = b;
	*ret_n = n;
	return 0;
}

void vz_binds_unstage(struct vz_bind *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (b[i].stage)
			vz_bind_umount(b[i].stage);
		free(b[i].stage);
		free(b[i].target);
	}
	free(b);
}

int vz_binds_take(struct vz_bind *b, size_t n, struct vz_err *err)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		r = b[i].mnt = vz_mnt_clone(AT_FDCWD, b[i].stage, true);
		if (r >= 0)
			r = vz_mnt_set_private(b[i].mnt);
		if (r)
			vz_err_set(err, VZ_E_MOUNT, -r, "can't take %s into the VE",
				   b[i].stage);
	}
	return r;
}

void vz_binds_sweep(const struct vz_ve *ve)
{
	vz_autofree char *dir = vz_strf("%s/%u", ve->ctx->rundir, ve->id);
	vz_autodir DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		vz_autofree char *path = NULL;

		if (strncmp(e->d_name, "bind.", 5))
			continue;
		path = vz_strf("%s/%s", dir, e->d_name);
		if (path)
			vz_bind_umount(path);
	}
}
