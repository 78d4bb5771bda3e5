/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/extfs.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"

/* Of the superblock, which lies 1024 bytes into the file system. */
enum {
	SB_OFFSET = 1024,
	SB_SIZE = 1024,
	SB_BLOCKS_LO = 0x04,
	SB_LOG_BLOCK = 0x18,
	SB_MAGIC = 0x38,
	SB_STATE = 0x3a,
	SB_INCOMPAT = 0x60,
	SB_RO_COMPAT = 0x64,
	SB_BLOCKS_HI = 0x150,
	MAGIC = 0xef53,
	STATE_VALID = 1,
	STATE_ERROR = 2,
	INCOMPAT_RECOVER = 4,
	INCOMPAT_64BIT = 0x80,
	RO_COMPAT_QUOTA = 0x100,
};
/* Of e2fsck's exit status. */
enum { E2FSCK_CORRECTED = 1, E2FSCK_REBOOT = 2 };

#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)

enum { WORDS_MAX = 4096 };

#define SELF "/proc/self/fd/0"

/*
 * Run one of e2fsprogs' programs on an open file; its last words say why it failed.
 * The exit status, or -errno with the error set.
 */
static int run_tool(int file, const char *const *argv, char words[WORDS_MAX],
		    struct vz_err *err)
{
	vz_autofree char *said = NULL;
	vz_autofd int pidfd = -1, in = -1;
	int out[2], r;
	size_t n;

	*words = 0;
	if (pipe2(out, O_CLOEXEC))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't run %s", argv[0]);
	in = out[0];
	r = vz_run_start(&(struct vz_run){ .argv = argv,
					   .fd = { file, out[1], out[1] },
					   .tied = true },
			 &pidfd);
	close(out[1]);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't run %s (of e2fsprogs)",
				  argv[0]);
	r = vz_read_fd(in, 1 << 20, &said, &n);
	/* Who says more than that is not listened to, and ends by the closed pipe. */
	close(vz_take_fd(&in));
	r = vz_run_wait(pidfd, 0);
	if (said && n)
		snprintf(words, WORDS_MAX, "%s",
			 n < WORDS_MAX ? said : said + n - WORDS_MAX + 1);
	for (char *p = words; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	return r < 0 ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't wait for %s", argv[0]) : r;
}

int vz_extfs_make(int fd, const char *path, uint64_t inodes, uid_t uid, gid_t gid,
		  struct vz_err *err)
{
	char block[16], number[24], extended[128], words[WORDS_MAX];
	const char *argv[16] = { "mkfs.ext4", "-q", "-F", "-b",	   block,
				 "-m",	      "0",  "-E", extended };
	size_t n = 9;
	int r;

	snprintf(block, sizeof(block), "%d", VZ_EXTFS_BLOCK);
	snprintf(extended, sizeof(extended),
		 "nodiscard,lazy_itable_init=1,lazy_journal_init=1,root_owner=%u:%u", uid,
		 gid);
	if (inodes) {
		snprintf(number, sizeof(number), "%" PRIu64, inodes);
		argv[n++] = "-N";
		argv[n++] = number;
	}
	argv[n++] = SELF;
	r = run_tool(fd, argv, words, err);
	if (r > 0)
		return vz_err_set(err, VZ_E_SYSTEM,
				  strstr(words, "No space") ? ENOSPC : 0,
				  "can't make a file system in %s (%s)", path, words);
	return r;
}

static int read_super(const char *path, uint8_t sb[SB_SIZE])
{
	vz_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint16_t magic;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pread(fd, sb, SB_SIZE, SB_OFFSET);
	if (n < 0)
		return -errno;
	memcpy(&magic, sb + SB_MAGIC, sizeof(magic));
	return n < SB_SIZE || le16toh(magic) != MAGIC ? -EBADMSG : 0;
}

static uint32_t get32(const uint8_t *sb, size_t at)
{
	uint32_t v;

	memcpy(&v, sb + at, sizeof(v));
	return le32toh(v);
}

int vz_extfs_is_clean(const char *path)
{
	uint8_t sb[SB_SIZE];
	uint16_t state;
	int r = read_super(path, sb);

	if (r)
		return r;
	memcpy(&state, sb + SB_STATE, sizeof(state));
	state = le16toh(state);
	return state & STATE_VALID && !(state & STATE_ERROR) &&
	       !(get32(sb, SB_INCOMPAT) & INCOMPAT_RECOVER);
}

int vz_extfs_size(const char *path, uint64_t *ret)
{
	uint8_t sb[SB_SIZE];
	uint64_t blocks;
	int r = read_super(path, sb);

	if (r)
		return r;
	blocks = get32(sb, SB_BLOCKS_LO);
	if (get32(sb, SB_INCOMPAT) & INCOMPAT_64BIT)
		blocks |= (uint64_t)get32(sb, SB_BLOCKS_HI) << 32;
	*ret = blocks << (10 + (get32(sb, SB_LOG_BLOCK) & 7));
	return 0;
}

int vz_extfs_check(int fd, const char *path, bool force, struct vz_err *err)
{
	const char *const argv[] = { "e2fsck", force ? "-fp" : "-p", SELF, NULL };
	char words[WORDS_MAX];
	int r = run_tool(fd, argv, words, err);

	if (r < 0 || !(r & ~(E2FSCK_CORRECTED | E2FSCK_REBOOT)))
		return r < 0 ? r : 0;
	return vz_err_set(err, VZ_E_SYSTEM, EBADMSG,
			  "the file system in %s is damaged: look at it with 'e2fsck -f "
			  "%s' (%s)",
			  path, path, words);
}

int vz_extfs_resize(int fd, const char *path, uint64_t bytes, struct vz_err *err)
{
	char size[32], words[WORDS_MAX];
	const char *const argv[] = { "resize2fs", SELF, size, NULL };
	int r;

	snprintf(size, sizeof(size), "%" PRIu64 "K", bytes / 1024);
	r = run_tool(fd, argv, words, err);
	if (r <= 0)
		return r;
	if (strstr(words, "smaller than minimum") || strstr(words, "Not enough space"))
		return vz_err_set(err, VZ_E_SYSTEM, ENOSPC,
				  "the files in %s need more than %" PRIu64 " KiB", path,
				  bytes / 1024);
	return vz_err_set(err, VZ_E_SYSTEM, EIO,
			  "can't resize the file system in %s (%s)", path, words);
}

int vz_extfs_has_quota(const char *path)
{
	uint8_t sb[SB_SIZE];
	int r = read_super(path, sb);

	return r ? r : !!(get32(sb, SB_RO_COMPAT) & RO_COMPAT_QUOTA);
}

int vz_extfs_set_quota(int fd, const char *path, bool on, struct vz_err *err)
{
	const char *const argv[] = { "tune2fs", "-O", on ? "quota" : "^quota", SELF,
				     NULL };
	char words[WORDS_MAX];
	int r = run_tool(fd, argv, words, err);

	return r > 0 ? vz_err_set(err, VZ_E_SYSTEM, EIO, "can't make %s %s quotas (%s)",
				  path, on ? "keep" : "forget", words)
		     : r;
}

/* quotactl(2) is there without the quotas of ext4, too; their sysctls are not. */
bool vz_extfs_kernel_quota(void)
{
	return !access("/proc/sys/fs/quota", F_OK);
}

int vz_extfs_grow(int dirfd, uint64_t bytes)
{
	uint64_t blocks = bytes / VZ_EXTFS_BLOCK;

	return ioctl(dirfd, EXT4_IOC_RESIZE_FS, &blocks) ? -errno : 0;
}

int vz_fs_freeze(int fd)
{
	return ioctl(fd, FIFREEZE, 0) ? -errno : 0;
}

int vz_fs_thaw(int fd)
{
	return ioctl(fd, FITHAW, 0) ? -errno : 0;
}

int vz_fs_trim(int fd, uint64_t *ret_bytes)
{
	struct fstrim_range range = { .len = UINT64_MAX };

	if (ioctl(fd, FITRIM, &range))
		return -errno;
	*ret_bytes = range.len;
	return 0;
}
