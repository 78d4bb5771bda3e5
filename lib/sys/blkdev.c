/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/blkdev.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

int vz_blkdev_whole(const char *sysdir, dev_t dev, dev_t *ret)
{
	char path[PATH_MAX], text[32];
	unsigned int maj, min;
	int r;

	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/partition", sysdir, major(dev),
		 minor(dev));
	if (access(path, F_OK)) {
		*strrchr(path, '/') = 0;
		if (access(path, F_OK))
			return -ENODEV;
		*ret = dev;
		return 0;
	}
	/* What the link leads to lies in the directory of its disk. */
	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/../dev", sysdir, major(dev),
		 minor(dev));
	r = vz_read_small(AT_FDCWD, path, text, sizeof(text));
	if (r)
		return r;
	if (sscanf(text, "%u:%u", &maj, &min) != 2)
		return -EIO;
	*ret = makedev(maj, min);
	return 0;
}

/* Line `id` of mountinfo: file system type and source behind the " - ". */
static int mount_source(const struct vz_ctx *ctx, uint64_t id, char fstype[32],
			char source[PATH_MAX])
{
	vz_autofile FILE *f = NULL;
	vz_autofree char *line = NULL;
	char path[PATH_MAX];
	size_t cap = 0;

	snprintf(path, sizeof(path), "%s/self/mountinfo", ctx->procdir);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &cap, f) > 0) {
		char *sep = strstr(line, " - ");

		if (strtoull(line, NULL, 10) == id && sep)
			return sscanf(sep, " - %31s %4095s", fstype, source) == 2 ? 0
										  : -EIO;
	}
	return -ENODEV;
}

int vz_blkdev_of(const struct vz_ctx *ctx, const char *path, dev_t *ret,
		 char ret_fstype[32])
{
	char source[PATH_MAX];
	struct statx sx;
	struct stat st;
	dev_t dev;
	int r;

	*ret_fstype = 0;
	if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_MNT_ID, &sx))
		return -errno;
	dev = makedev(sx.stx_dev_major, sx.stx_dev_minor);
	if (sx.stx_dev_major)
		return vz_blkdev_whole("/sys", dev, ret);
	r = mount_source(ctx, sx.stx_mnt_id, ret_fstype, source);
	if (r)
		return r;
	if (*source != '/' || stat(source, &st) || !S_ISBLK(st.st_mode))
		return -ENODEV;
	return vz_blkdev_whole("/sys", st.st_rdev, ret);
}
