/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/box.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define TABLE_MAX (4 << 20)

/* All of this in the directory that is to be the root: "/usr" is "usr" in it. */
static int bind(const char *from, const char *to, unsigned long flags)
{
	if ((mkdir(to + 1, 0755) && errno != EEXIST) ||
	    mount(from, to + 1, NULL, MS_BIND, NULL) ||
	    mount(NULL, to + 1, NULL, MS_BIND | MS_REMOUNT | MS_NOSUID | flags, NULL))
		return -errno;
	return 0;
}

/* A directory of programs and libraries, or the link to one that it is today. */
static int show_programs(const char *path)
{
	char to[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISLNK(st.st_mode))
		return bind(path, path, MS_RDONLY | MS_NODEV);
	n = readlink(path, to, sizeof(to) - 1);
	if (n < 0)
		return -errno;
	to[n] = 0;
	return symlink(to, path + 1) ? -errno : 0;
}

/* Who root is, and where libraries are. */
static int copy_table(const char *path)
{
	vz_autofree char *data = NULL;
	vz_autofd int fd = -1;
	size_t len;
	int r = vz_read_file(path, TABLE_MAX, &data, &len);

	if (r)
		return r == -ENOENT ? 0 : r;
	fd = open(path + 1, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : vz_write_all(fd, data, len);
}

static int furnish(void)
{
	static const char *const programs[] = { "/usr", "/bin", "/sbin", "/lib",
						"/lib64" };
	static const char *const tables[] = { "/etc/passwd", "/etc/group",
					      "/etc/nsswitch.conf", "/etc/ld.so.cache" };
	int r = 0;

	if (mkdir("etc", 0755) || mkdir("dev", 0755) || mkdir("tmp", 01777) ||
	    mknod("dev/null", S_IFREG | 0666, 0) ||
	    mount("/dev/null", "dev/null", NULL, MS_BIND, NULL))
		return -errno;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(programs) && !r; i++)
		r = show_programs(programs[i]);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(tables) && !r; i++)
		r = copy_table(tables[i]);
	return r;
}

static int show_rsh(const char *from)
{
	if (mknod(&BOX_RSH[1], S_IFREG | 0755, 0) ||
	    mount(from, &BOX_RSH[1], NULL, MS_BIND, NULL))
		return -errno;
	return 0;
}

int box_enter(const void *data)
{
	const struct box *box = data;
	char root[PATH_MAX];
	int r;

	snprintf(root, sizeof(root), "%s/box", box->dir);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	if (mkdir(root, 0700) && errno != EEXIST)
		return -errno;
	if (mount("vz-box", root, "tmpfs", MS_NOSUID, "mode=755,size=16m") || chdir(root))
		return -errno;
	r = furnish();
	if (!r)
		r = bind(box->private, BOX_VE, MS_RDONLY | MS_NODEV | MS_NOATIME);
	if (!r)
		r = bind(box->dir, BOX_SSH, MS_NODEV | MS_NOEXEC);
	if (!r && box->rsh)
		r = show_rsh(box->rsh);
	if (!r && (chroot(".") || chdir("/")))
		r = -errno;
	return r;
}
