/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/subvol.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

/* BTRFS_FIRST_FREE_OBJECTID: the inode that each subvolume's top has. */
enum { TOP_INODE = 256 };

static bool is_btrfs(int fd)
{
	struct statfs sf;

	return !fstatfs(fd, &sf) && sf.f_type == BTRFS_SUPER_MAGIC;
}

int vz_subvol_mkdir(int dirfd, const char *name, mode_t mode)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	if (dirfd < 0 || !is_btrfs(dirfd) || strlen(name) >= BTRFS_SUBVOL_NAME_MAX)
		return mkdirat(dirfd, name, mode) ? -errno : 0;
	strcpy(args.name, name);
	if (ioctl(dirfd, BTRFS_IOC_SUBVOL_CREATE, &args) ||
	    fchmodat(dirfd, name, mode, 0))
		return -errno;
	return 0;
}

bool vz_subvol_is(int fd)
{
	struct stat st;

	return is_btrfs(fd) && !fstat(fd, &st) && st.st_ino == TOP_INODE;
}

static bool remove_at_once(int dirfd, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	vz_autofd int fd =
		openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || !vz_subvol_is(fd) || strlen(name) >= BTRFS_SUBVOL_NAME_MAX)
		return false;
	close(vz_take_fd(&fd));
	strcpy(args.name, name);
	return !ioctl(dirfd, BTRFS_IOC_SNAP_DESTROY, &args);
}

int vz_subvol_remove_tree(int dirfd, const char *name)
{
	return remove_at_once(dirfd, name) ? 0 : vz_remove_tree(dirfd, name);
}
