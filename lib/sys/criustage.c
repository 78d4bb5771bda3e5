/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/criustage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/mnt.h"

int vz_criu_mounts_add(struct vz_criu_mounts *l, const char *from, uint64_t attr)
{
	struct vz_criu_mount *v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	v[l->n] = (struct vz_criu_mount){ strdup(from), attr };
	return v[l->n].from ? (l->n++, 0) : -ENOMEM;
}

void vz_criu_mounts_done(struct vz_criu_mounts *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].from);
	free(l->v);
	*l = (struct vz_criu_mounts){ 0 };
}

/*
 * While this is the namespace of the descriptors that there are, and the node's
 * directories can be seen: /tmp may be among them.
 */
static int take(int dir, const char *from, uint64_t attr)
{
	int mnt = vz_mnt_clone(dir, from, true);
	int r = mnt < 0 ? mnt : vz_mnt_set_private(mnt);

	if (!r && attr)
		r = vz_mnt_set_attr(mnt, attr, true);
	if (r && mnt >= 0)
		close(mnt);
	return r ? r : mnt;
}

static int put(int mnt, const char *name)
{
	char path[64];
	struct stat st;
	vz_autofd int at = -1;

	snprintf(path, sizeof(path), VZ_CRIU_STAGE "/%s", name);
	if (fstat(mnt, &st))
		return -errno;
	if (S_ISDIR(st.st_mode) ? mkdir(path, 0755) : mknod(path, S_IFREG | 0644, 0))
		return -errno;
	at = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return at < 0 ? -errno : vz_mnt_attach(mnt, at);
}

static int put_all(const struct vz_criu_call *call, int root, int images, const int *mnt)
{
	int r = mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") ? -errno
										  : 0;

	if (!r && mkdir(VZ_CRIU_STAGE, 0755))
		r = -errno;
	if (!r)
		r = put(root, "root");
	if (!r)
		r = put(images, "images");
	for (size_t i = 0; i < call->mounts.n && !r; i++) {
		char name[24];

		snprintf(name, sizeof(name), "%zu", i);
		r = put(mnt[i], name);
	}
	return r;
}

int vz_criustage_enter(const struct vz_criu_call *call, const char **ret_failed)
{
	vz_autofree int *mnt = calloc(call->mounts.n + 1, sizeof(*mnt));
	int root, images;

	umask(022);
	*ret_failed = "a mount namespace";
	if (!mnt)
		return -ENOMEM;
	*ret_failed = call->root;
	root = take(AT_FDCWD, call->root, 0);
	if (root < 0)
		return root;
	*ret_failed = "the dump";
	images = take(call->images, ".", 0);
	if (images < 0)
		return images;
	for (size_t i = 0; i < call->mounts.n; i++) {
		*ret_failed = call->mounts.v[i].from;
		mnt[i] = take(AT_FDCWD, call->mounts.v[i].from, call->mounts.v[i].attr);
		if (mnt[i] < 0)
			return mnt[i];
	}
	*ret_failed = "a mount namespace";
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return put_all(call, root, images, mnt);
}

int vz_criustage_images(void)
{
	int fd = open(VZ_CRIU_STAGE "/images", O_RDONLY | O_DIRECTORY);

	return fd < 0 ? -errno : fd;
}
