/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

/* One "key=value" or "flag". */
static int set_option(int fs, char *word)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = 0;
	return fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, word, value,
			0)
		       ? -errno
		       : 0;
}

int vz_mnt_new(const char *fstype, const char *options, uint64_t attr)
{
	vz_autofd int fs = fsopen(fstype, FSOPEN_CLOEXEC);
	char words[256], *word, *at;
	int r = 0, mnt;

	if (fs < 0)
		return -errno;
	if (strlen(options ? options : "") >= sizeof(words))
		return -E2BIG;
	strcpy(words, options ? options : "");
	for (word = strtok_r(words, ",", &at); word && !r;
	     word = strtok_r(NULL, ",", &at))
		r = set_option(fs, word);
	if (r)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, attr);
	return mnt < 0 ? -errno : mnt;
}

int vz_mnt_clone(int dirfd, const char *path, bool recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	int fd = open_tree(dirfd, path, flags | (recursive ? AT_RECURSIVE : 0));

	return fd < 0 ? -errno : fd;
}

int vz_mnt_set_attr(int mnt, uint64_t attr, bool recursive)
{
	struct mount_attr a = { .attr_set = attr };
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	return mount_setattr(mnt, "", flags, &a, sizeof(a)) ? -errno : 0;
}

int vz_mnt_set_private(int mnt)
{
	struct mount_attr a = { .propagation = MS_PRIVATE };

	return mount_setattr(mnt, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a))
		       ? -errno
		       : 0;
}

int vz_mnt_attach(int mnt, int target)
{
	return move_mount(mnt, "", target, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
		       ? -errno
		       : 0;
}

static int open_real(int root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	int fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* Make the directory that path's last component is in, and open it. */
static int open_parent(int root, const char *path, const char **ret_name)
{
	char dir[4096];
	const char *slash;

	while (*path == '/')
		path++;
	slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	if (!slash)
		return open_real(root, ".", O_PATH | O_DIRECTORY, 0);
	if ((size_t)(slash - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, slash - path);
	dir[slash - path] = 0;
	return vz_mnt_point(root, dir);
}

int vz_mnt_point(int root, const char *path)
{
	vz_autofd int parent = -1;
	const char *name;
	int fd = open_real(root, path, O_PATH | O_DIRECTORY, 0);

	if (fd != -ENOENT)
		return fd;
	parent = open_parent(root, path, &name);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0755) && errno != EEXIST)
		return -errno;
	return open_real(root, path, O_PATH | O_DIRECTORY, 0);
}

int vz_mnt_point_file(int root, const char *path)
{
	vz_autofd int parent = -1, made = -1;
	const char *name;
	int fd = open_real(root, path, O_PATH, 0);

	if (fd != -ENOENT)
		return fd;
	parent = open_parent(root, path, &name);
	if (parent < 0)
		return parent;
	made = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
		      0644);
	if (made < 0 && errno != EEXIST)
		return -errno;
	return open_real(root, path, O_PATH, 0);
}

int vz_mnt_is_mounted(const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st))
		return -errno;
	return !!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}
