/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/lxcfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"

#define ANSWER_MS 2000

/*
 * Not here: uptime, which the kernel shows right to a time namespace, also after
 * a restore; diskstats, which lxcfs takes from files that no kernel has had since
 * 5.0, and else from the node; slabinfo, which it would show to everybody.
 */
const struct vz_lxcfs_row vz_lxcfs_files[VZ_LXCFS__COUNT] = {
	[VZ_LXCFS_CPUINFO] = { "cpuinfo", "proc/cpuinfo" },
	[VZ_LXCFS_CPUS] = { "cpus", "sys/devices/system/cpu/online" },
	[VZ_LXCFS_LOADAVG] = { "loadavg", "proc/loadavg" },
	[VZ_LXCFS_MEMINFO] = { "meminfo", "proc/meminfo" },
	[VZ_LXCFS_STAT] = { "stat", "proc/stat" },
	[VZ_LXCFS_SWAPS] = { "swaps", "proc/swaps" },
};

int vz_lxcfs_find(const char *name)
{
	for (int i = 0; i < VZ_LXCFS__COUNT; i++)
		if (!strcmp(name, vz_lxcfs_files[i].name))
			return i;
	return -1;
}

/* Asks the kernel only, never the file system itself. */
static int is_mounted(const char *dir)
{
	struct statx st;

	if (statx(AT_FDCWD, dir, AT_STATX_DONT_SYNC, STATX_TYPE, &st))
		return -errno;
	return st.stx_attributes & STATX_ATTR_MOUNT_ROOT ? 0 : -ENOENT;
}

static int ask(const char *dir)
{
	vz_autofd int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct statfs fs;
	ssize_t n;
	char c;

	if (root < 0 || fstatfs(root, &fs))
		return -errno;
	if (fs.f_type != FUSE_SUPER_MAGIC)
		return -EMEDIUMTYPE;
	fd = openat(root, vz_lxcfs_files[VZ_LXCFS_MEMINFO].path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EMEDIUMTYPE : -errno;
	n = read(fd, &c, 1);
	return n == 1 ? 0 : n < 0 ? -errno : -EIO;
}

/* By another process: who asks a file system that hangs can't even be killed. */
static int ask_detached(const char *dir)
{
	struct pollfd p = { .events = POLLIN };
	int ends[2], r = -EIO;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	if (vz_detach(ends[1])) {
		r = ask(dir);
		_exit(vz_write_all(ends[1], &r, sizeof(r)) != 0);
	}
	close(ends[1]);
	p.fd = ends[0];
	if (poll(&p, 1, ANSWER_MS) < 1)
		r = -ETIMEDOUT;
	else if (read(ends[0], &r, sizeof(r)) != sizeof(r))
		r = -EIO;
	close(ends[0]);
	return r;
}

int vz_lxcfs_probe(const char *dir)
{
	int r = is_mounted(dir);

	return r ? r : ask_detached(dir);
}
