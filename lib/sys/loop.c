/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { SECTOR = 4096, TRIES = 64, LOOP_MAJOR = 7 };

/* /dev may be a plain directory (a container's, a chroot's): then the node is made. */
static int open_device(long n, bool readonly, char dev[VZ_LOOP_PATH])
{
	int flags = (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC, fd;

	snprintf(dev, VZ_LOOP_PATH, "/dev/loop%ld", n);
	fd = open(dev, flags);
	if (fd < 0 && errno == ENOENT &&
	    !mknod(dev, S_IFBLK | 0600, makedev(LOOP_MAJOR, n)))
		fd = open(dev, flags);
	return fd < 0 ? -errno : fd;
}

static int configure(int fd, int file, bool readonly)
{
	struct loop_config c = {
		.fd = file,
		.block_size = SECTOR,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO |
				 (readonly ? LO_FLAGS_READ_ONLY : 0),
	};

	if (!ioctl(fd, LOOP_CONFIGURE, &c))
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* A file system whose own blocks or whose lack of direct IO forbids it. */
	c.info.lo_flags &= ~LO_FLAGS_DIRECT_IO;
	return ioctl(fd, LOOP_CONFIGURE, &c) ? -errno : 0;
}

/* A free device is everybody's: another program may be faster. */
static int attach(int control, int file, bool readonly, char dev[VZ_LOOP_PATH])
{
	int fd, r = -EBUSY;
	long n;

	for (int i = 0; i < TRIES && r == -EBUSY; i++) {
		n = ioctl(control, LOOP_CTL_GET_FREE);
		if (n < 0)
			return -errno;
		fd = open_device(n, readonly, dev);
		if (fd < 0)
			return fd;
		r = configure(fd, file, readonly);
		if (!r)
			return fd;
		close(fd);
	}
	return r;
}

int vz_loop_attach(int file, bool readonly, char ret_dev[VZ_LOOP_PATH],
		   struct vz_err *err)
{
	vz_autofd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int r;

	if (control < 0)
		return vz_err_set(err, VZ_E_KERNEL, errno,
				  "there are no loop devices (modprobe loop): "
				  "/dev/loop-control");
	r = attach(control, file, readonly, ret_dev);
	if (r < 0)
		vz_err_set(err, VZ_E_SYSTEM, -r, "can't attach a loop device");
	return r;
}

/* Held open before it is asked: it can't become another file's meanwhile. */
static int open_if_of(const char *dev, const struct stat *file)
{
	vz_autofd int fd = open(dev, O_RDONLY | O_CLOEXEC);
	struct loop_info64 info;

	if (fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) ||
	    info.lo_device != file->st_dev || info.lo_inode != file->st_ino)
		return -ENODEV;
	return vz_take_fd(&fd);
}

int vz_loop_find(const struct stat *file, char ret_dev[VZ_LOOP_PATH])
{
	vz_autodir DIR *dir = opendir("/sys/block");
	char backing[64], dev[VZ_LOOP_PATH];
	struct dirent *e;
	int fd;

	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		if (strncmp(e->d_name, "loop", 4) || strlen(e->d_name) > 16)
			continue;
		/* The attached ones only: opening one is not for free. */
		snprintf(backing, sizeof(backing), "%.16s/loop/backing_file", e->d_name);
		if (faccessat(dirfd(dir), backing, F_OK, 0))
			continue;
		snprintf(dev, sizeof(dev), "/dev/%.16s", e->d_name);
		fd = open_if_of(dev, file);
		if (fd < 0)
			continue;
		memcpy(ret_dev, dev, sizeof(dev));
		return fd;
	}
	return -ENODEV;
}

int vz_loop_resize(int dev)
{
	return ioctl(dev, LOOP_SET_CAPACITY) ? -errno : 0;
}
