/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/ugidview.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "sys/mnt.h"
#include "ve/ugidquota.h"

/* As OpenVZ's /proc/mounts had it. ext4 is what its quotas' calls look like. */
#define MOUNTS_LINE "/dev/%s / ext4 rw,usrquota,grpquota 0 0\n"

int vz_ugidview_source(const char *line, char *ret, size_t size)
{
	const char *at = strstr(line, " - ");
	char source[256], options[1024];
	size_t n;

	if (!at || sscanf(at, " - %*s %255s %1023s", source, options) != 2 ||
	    strncmp(source, "/dev/", 5))
		return -ENOENT;
	if (!strstr(options, "usrquota") || !strstr(options, "grpquota"))
		return -ENOENT;
	n = strlen(source + 5);
	/* Spaces and the like are written as \040. */
	if (!n || n >= size || strchr(source, '\\') || strstr(source, "..") ||
	    source[5] == '/' || source[5 + n - 1] == '/')
		return -ENOENT;
	memcpy(ret, source + 5, n + 1);
	return 0;
}

/* The line of mountinfo that is VE_ROOT's. */
static int find_source(const struct vz_ctx *ctx, const char *root, char *ret, size_t size)
{
	vz_autofree char *path = vz_strf("%s/self/mountinfo", ctx->procdir);
	vz_autofile FILE *f = path ? fopen(path, "re") : NULL;
	vz_autofree char *line = NULL;
	size_t cap = 0;
	struct statx sx;

	if (!f || statx(AT_FDCWD, root, AT_NO_AUTOMOUNT, STATX_MNT_ID, &sx))
		return -errno;
	while (getline(&line, &cap, f) > 0)
		if (strtoull(line, NULL, 10) == sx.stx_mnt_id)
			return vz_ugidview_source(line, ret, size);
	return -ENOENT;
}

static int stage_node(const char *dir, dev_t dev, int *ret)
{
	vz_autofree char *path = vz_strf("%s/quota-device", dir);
	vz_autofd int mnt = -1;
	int r;

	if (!path)
		return -ENOMEM;
	unlink(path);
	if (mknod(path, S_IFBLK, dev))
		return -errno;
	r = mnt = vz_mnt_clone(AT_FDCWD, path, false);
	if (mnt >= 0)
		r = vz_mnt_set_attr(mnt, MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY, false);
	if (r < 0)
		return r;
	*ret = vz_take_fd(&mnt);
	return 0;
}

static int stage_mounts(const char *dir, const char *name, int *ret)
{
	vz_autofree char *path = vz_strf("%s/quota-mounts", dir);
	vz_autofree char *text = vz_strf(MOUNTS_LINE, name);
	vz_autofd int mnt = -1;
	int r = path && text ? vz_replace_volatile(path, text, strlen(text)) : -ENOMEM;

	if (!r && chmod(path, 0444))
		r = -errno;
	if (r)
		return r;
	r = mnt = vz_mnt_clone(AT_FDCWD, path, false);
	if (mnt >= 0)
		r = vz_mnt_set_attr(mnt,
				    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
					    MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY,
				    false);
	if (r < 0)
		return r;
	*ret = vz_take_fd(&mnt);
	return 0;
}

int vz_ugidview_stage(const struct vz_ve *ve, struct vz_ugidview *ret, struct vz_err *err)
{
	VZ_CLEANUP(vz_ugidview_done) struct vz_ugidview v = VZ_UGIDVIEW_NONE;
	vz_autofree char *dir = vz_strf("%s/%u", ve->ctx->rundir, ve->id);
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	const char *root = vz_ve_root(ve, err);
	struct stat st;
	int r = root && dir ? vz_ugid_open(ve, &u, err) : -EINVAL;

	if (r)
		return r;
	if (stat(root, &st))
		return vz_err_set(err, VZ_E_DQ_UGID, errno, "can't look at %s", root);
	if (st.st_dev != u.fs.dev || find_source(ve->ctx, root, v.name, sizeof(v.name))) {
		strcpy(v.name, "vquota");
		r = stage_mounts(dir, v.name, &v.mounts);
	}
	if (!r)
		r = stage_node(dir, st.st_dev, &v.node);
	if (r)
		return vz_err_set(err, VZ_E_DQ_UGID, -r,
				  "can't make what shows VE %u its quotas in %s", ve->id,
				  dir);
	*ret = v;
	v = VZ_UGIDVIEW_NONE;
	return 0;
}

void vz_ugidview_done(struct vz_ugidview *v)
{
	if (v->node >= 0)
		close(v->node);
	if (v->mounts >= 0)
		close(v->mounts);
	*v = VZ_UGIDVIEW_NONE;
}
