/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

int vz_quota_call(const struct vz_quota_fs *fs, int cmd, enum vz_quota_type type,
		  uint32_t id, void *arg)
{
	/* QCMD() of an int would shift into its sign. */
	unsigned int word = QCMD((unsigned int)cmd, type);

	if (!syscall(SYS_quotactl_fd, fs->fd, word, id, arg))
		return 0;
	if (errno != ENOSYS || !*fs->device)
		return -errno;
	return syscall(SYS_quotactl, word, fs->device, id, arg) ? -errno : 0;
}

/* /dev/NAME of a file system's device, as the kernel calls it. */
static void find_device(struct vz_quota_fs *fs)
{
	char path[64], text[512], name[40];
	char *at;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(fs->dev),
		 minor(fs->dev));
	if (vz_read_small(AT_FDCWD, path, text, sizeof(text)))
		return;
	at = strstr(text, "DEVNAME=");
	if (at && sscanf(at, "DEVNAME=%39s", name) == 1)
		snprintf(fs->device, sizeof(fs->device), "/dev/%s", name);
}

static void probe(struct vz_quota_fs *fs)
{
	static const struct {
		unsigned int counted, enforced;
	} flags[] = {
		[VZ_QUOTA_USER] = { FS_QUOTA_UDQ_ACCT, FS_QUOTA_UDQ_ENFD },
		[VZ_QUOTA_GROUP] = { FS_QUOTA_GDQ_ACCT, FS_QUOTA_GDQ_ENFD },
		[VZ_QUOTA_PROJECT] = { FS_QUOTA_PDQ_ACCT, FS_QUOTA_PDQ_ENFD },
	};
	struct fs_quota_statv st = { .qs_version = FS_QSTATV_VERSION1 };

	if (vz_quota_call(fs, Q_XGETQSTATV, VZ_QUOTA_USER, 0, &st))
		return;
	for (int i = 0; i < VZ_QUOTA__COUNT; i++) {
		if (st.qs_flags & flags[i].counted)
			fs->counted |= 1u << i;
		if (st.qs_flags & flags[i].enforced)
			fs->enforced |= 1u << i;
	}
}

int vz_quota_open_fd(const struct vz_ctx *ctx, int dirfd, struct vz_quota_fs *ret)
{
	struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	struct stat st;

	/* An O_PATH descriptor won't do. */
	fs.fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs.fd < 0)
		return -errno;
	if (fstat(fs.fd, &st)) {
		int r = -errno;

		close(fs.fd);
		return r;
	}
	fs.dev = st.st_dev;
	find_device(&fs);
	probe(&fs);
	if (!fs.counted)
		vz_debug(ctx, "device %u:%u has no quotas on", major(fs.dev),
			 minor(fs.dev));
	*ret = fs;
	return 0;
}

int vz_quota_open(const struct vz_ctx *ctx, const char *dir, struct vz_quota_fs *ret)
{
	vz_autofd int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : vz_quota_open_fd(ctx, fd, ret);
}

void vz_quota_close(struct vz_quota_fs *fs)
{
	if (fs->fd >= 0)
		close(fs->fd);
	*fs = VZ_QUOTA_FS_NONE;
}

static void from_kernel(const struct if_dqblk *d, struct vz_quota *q)
{
	*q = (struct vz_quota){
		.space = d->dqb_curspace,
		.inodes = d->dqb_curinodes,
		.space_soft = d->dqb_bsoftlimit,
		.space_hard = d->dqb_bhardlimit,
		.inode_soft = d->dqb_isoftlimit,
		.inode_hard = d->dqb_ihardlimit,
		.space_until = d->dqb_btime,
		.inode_until = d->dqb_itime,
	};
}

/*
 * Q_GETQUOTA and Q_GETNEXTQUOTA are writes to quotactl_fd() (as of 6.18), which refuses
 * them by a mount that is read-only. What xfs has of the two is none, and serves all file
 * systems. Its blocks have 512 bytes; the limits of if_dqblk are in KiB.
 */
static int read_by_xfs(const struct vz_quota_fs *fs, int cmd, enum vz_quota_type type,
		       uint32_t id, struct if_nextdqblk *ret)
{
	struct fs_disk_quota x = { 0 };
	int r = vz_quota_call(fs, cmd, type, id, &x);
	bool big = x.d_fieldmask & FS_DQ_BIGTIME;

	if (r)
		return r;
	*ret = (struct if_nextdqblk){
		.dqb_id = x.d_id,
		.dqb_bhardlimit = x.d_blk_hardlimit / 2,
		.dqb_bsoftlimit = x.d_blk_softlimit / 2,
		.dqb_curspace = x.d_bcount * 512,
		.dqb_ihardlimit = x.d_ino_hardlimit,
		.dqb_isoftlimit = x.d_ino_softlimit,
		.dqb_curinodes = x.d_icount,
		.dqb_btime = (uint32_t)x.d_btimer |
			     (big ? (uint64_t)(uint8_t)x.d_btimer_hi << 32 : 0),
		.dqb_itime = (uint32_t)x.d_itimer |
			     (big ? (uint64_t)(uint8_t)x.d_itimer_hi << 32 : 0),
	};
	return 0;
}

int vz_quota_get(const struct vz_quota_fs *fs, enum vz_quota_type type, uint32_t id,
		 struct vz_quota *ret)
{
	struct if_nextdqblk n = { 0 };
	struct if_dqblk d = { 0 };
	int r = vz_quota_call(fs, Q_GETQUOTA, type, id, &d);

	if (r == -EROFS) {
		r = read_by_xfs(fs, Q_XGETQUOTA, type, id, &n);
		memcpy(&d, &n, sizeof(d));
	}
	/* xfs; ext4 answers with zeros by itself. */
	if (r == -ENOENT) {
		memset(&d, 0, sizeof(d));
		r = 0;
	}
	if (!r)
		from_kernel(&d, ret);
	return r;
}

int vz_quota_next(const struct vz_quota_fs *fs, enum vz_quota_type type, uint32_t from,
		  uint32_t *ret_id, struct vz_quota *ret)
{
	struct if_nextdqblk n = { 0 };
	struct if_dqblk d;
	int r = vz_quota_call(fs, Q_GETNEXTQUOTA, type, from, &n);

	if (r == -EROFS)
		r = read_by_xfs(fs, Q_XGETNEXTQUOTA, type, from, &n);
	/* No quota file yet: nobody has any. */
	if (r)
		return r == -ESRCH ? -ENOENT : r;
	memcpy(&d, &n, sizeof(d));
	from_kernel(&d, ret);
	*ret_id = n.dqb_id;
	return 0;
}

int vz_quota_set(const struct vz_quota_fs *fs, enum vz_quota_type type, uint32_t id,
		 const struct vz_quota *q, unsigned int what)
{
	struct if_dqblk d = {
		.dqb_bsoftlimit = q->space_soft,
		.dqb_bhardlimit = q->space_hard,
		.dqb_isoftlimit = q->inode_soft,
		.dqb_ihardlimit = q->inode_hard,
		.dqb_btime = q->space_until,
		.dqb_itime = q->inode_until,
		.dqb_valid = (what & VZ_QUOTA_LIMITS ? QIF_LIMITS : 0) |
			     (what & VZ_QUOTA_TIMES ? QIF_TIMES : 0),
	};

	return vz_quota_call(fs, Q_SETQUOTA, type, id, &d);
}

int vz_quota_get_grace(const struct vz_quota_fs *fs, enum vz_quota_type type,
		       uint64_t *ret_space, uint64_t *ret_inode)
{
	struct if_dqinfo info = { 0 };
	int r = vz_quota_call(fs, Q_GETINFO, type, 0, &info);

	if (r)
		return r;
	*ret_space = info.dqi_bgrace;
	*ret_inode = info.dqi_igrace;
	return 0;
}

int vz_quota_set_grace(const struct vz_quota_fs *fs, enum vz_quota_type type,
		       uint64_t space, uint64_t inode)
{
	struct if_dqinfo info = {
		.dqi_bgrace = space,
		.dqi_igrace = inode,
		.dqi_valid = IIF_BGRACE | IIF_IGRACE,
	};

	return vz_quota_call(fs, Q_SETINFO, type, 0, &info);
}
