/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

/* btrfs takes so much at once; extents that are asked for at once. */
enum { PIECE = 16 << 20, EXTENTS = 128 };

int vz_blocks_can_share(int dirfd)
{
	vz_autofd int a = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	vz_autofd int b = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (a < 0 || b < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	if (ftruncate(a, 4096))
		return -errno;
	if (!ioctl(b, FICLONE, a))
		return 1;
	return errno == EOPNOTSUPP || errno == ENOTTY || errno == EINVAL ? 0 : -errno;
}

union map {
	struct fiemap head;
	char room[sizeof(struct fiemap) + EXTENTS * sizeof(struct fiemap_extent)];
};

/* What lies at `at` and behind it. 0 or -errno. */
static int read_map(int fd, uint64_t at, union map *m)
{
	memset(m, 0, sizeof(*m));
	m->head.fm_start = at;
	m->head.fm_length = FIEMAP_MAX_OFFSET - at;
	m->head.fm_flags = FIEMAP_FLAG_SYNC;
	m->head.fm_extent_count = EXTENTS;
	return ioctl(fd, FS_IOC_FIEMAP, m) ? -errno : 0;
}

static bool same_extent(const struct fiemap_extent *x, const struct fiemap_extent *y)
{
	const uint32_t nowhere = FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC |
				 FIEMAP_EXTENT_DATA_INLINE;

	return x->fe_logical == y->fe_logical && x->fe_physical == y->fe_physical &&
	       x->fe_length == y->fe_length && !((x->fe_flags | y->fe_flags) & nowhere);
}

bool vz_blocks_shared(int a, int b)
{
	vz_autofree union map *x = malloc(sizeof(*x)), *y = malloc(sizeof(*y));
	uint64_t at = 0;

	for (;;) {
		const struct fiemap_extent *last;

		if (!x || !y || read_map(a, at, x) || read_map(b, at, y) ||
		    x->head.fm_mapped_extents != y->head.fm_mapped_extents)
			return false;
		if (!x->head.fm_mapped_extents)
			return true;
		for (uint32_t i = 0; i < x->head.fm_mapped_extents; i++)
			if (!same_extent(&x->head.fm_extents[i], &y->head.fm_extents[i]))
				return false;
		last = &x->head.fm_extents[x->head.fm_mapped_extents - 1];
		if (last->fe_flags & FIEMAP_EXTENT_LAST)
			return true;
		at = last->fe_logical + last->fe_length;
	}
}

int vz_blocks_share(int from, int to, uint64_t size, uint64_t *ret_done)
{
	union {
		struct file_dedupe_range r;
		char room[sizeof(struct file_dedupe_range) +
			  sizeof(struct file_dedupe_range_info)];
	} u;

	*ret_done = 0;
	while (*ret_done < size) {
		uint64_t left = size - *ret_done;

		memset(&u, 0, sizeof(u));
		u.r.src_offset = *ret_done;
		u.r.src_length = left < PIECE ? left : PIECE;
		u.r.dest_count = 1;
		u.r.info[0].dest_fd = to;
		u.r.info[0].dest_offset = *ret_done;
		if (ioctl(from, FIDEDUPERANGE, &u.r))
			return -errno;
		if (u.r.info[0].status < 0)
			return u.r.info[0].status;
		if (u.r.info[0].status == FILE_DEDUPE_RANGE_DIFFERS)
			return 1;
		/* It became shorter. */
		if (!u.r.info[0].bytes_deduped)
			return 1;
		*ret_done += u.r.info[0].bytes_deduped;
	}
	return 0;
}
