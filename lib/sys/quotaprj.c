/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The project of a directory, and of a whole tree. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/quota.h"

int vz_quota_get_project(int fd, uint32_t *ret_id, bool *ret_inherit)
{
	struct fsxattr x;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x))
		return -errno;
	*ret_id = x.fsx_projid;
	*ret_inherit = x.fsx_xflags & FS_XFLAG_PROJINHERIT;
	return 0;
}

static int set_project(int fd, uint32_t id, bool inherit)
{
	const uint32_t want = inherit ? FS_XFLAG_PROJINHERIT : 0;
	struct fsxattr x;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x))
		return -errno;
	if (x.fsx_projid == id && (x.fsx_xflags & want) == want)
		return 0;
	x.fsx_projid = id;
	x.fsx_xflags |= want;
	return ioctl(fd, FS_IOC_FSSETXATTR, &x) ? -errno : 0;
}

int vz_quota_set_project(int fd, uint32_t id)
{
	return set_project(fd, id, true);
}

/* file_setattr(2) of Linux 6.17: by name, thus for what must not be opened. */
struct file_attr_v0 {
	uint64_t xflags;
	uint32_t extsize, nextents, projid, cowextsize;
};
#define SYS_FILE_GETATTR 468
#define SYS_FILE_SETATTR 469

static int set_unopened(const char *name, uint32_t id)
{
	struct file_attr_v0 a = { 0 };

	if (syscall(SYS_FILE_GETATTR, AT_FDCWD, name, &a, sizeof(a), AT_SYMLINK_NOFOLLOW))
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	if (a.projid == id)
		return 0;
	a.projid = id;
	if (syscall(SYS_FILE_SETATTR, AT_FDCWD, name, &a, sizeof(a), AT_SYMLINK_NOFOLLOW))
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	return 0;
}

static int set_entry(const FTSENT *e, uint32_t id)
{
	vz_autofd int fd = -1;

	switch (e->fts_info) {
	case FTS_D:
	case FTS_F:
		fd = open(e->fts_accpath,
			  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		return fd < 0 ? -errno : set_project(fd, id, e->fts_info == FTS_D);
	case FTS_SL:
	case FTS_SLNONE:
	case FTS_DEFAULT:
		return set_unopened(e->fts_accpath, id);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return -e->fts_errno;
	default:
		return 0;
	}
}

static void fts_closep(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

int vz_quota_set_project_tree(const char *dir, uint32_t id)
{
	char *const paths[] = { (char *)dir, NULL };
	vz_autofd int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* By changing directories: a VE's tree may be deeper than a path is long. */
	VZ_CLEANUP(fts_closep) FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_XDEV, NULL);
	int r = fts ? 0 : -errno;

	while (!r) {
		const FTSENT *e;

		errno = 0;
		e = fts_read(fts);
		if (!e) {
			r = -errno;
			break;
		}
		r = set_entry(e, id);
	}
	if (here >= 0 && fchdir(here) && !r)
		r = -errno;
	return r;
}
