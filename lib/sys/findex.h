/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_FINDEX_H
#define VZ_SYS_FINDEX_H

#include "sys/filesum.h"

/*
 * An index of files: the path of each, the sum of what it is (sys/filesum.h), and the
 * number of the archive, in a chain of them, that has its contents.
 */
struct vz_findex_entry {
	char *path;
	uint32_t archive;
	unsigned char sum[VZ_FILESUM_SIZE];
};
struct vz_findex {
	struct vz_findex_entry *v;
	size_t n, room;
};

/* 0 or -ENOMEM. */
int vz_findex_add(struct vz_findex *x, const char *path, uint32_t archive,
		  const unsigned char sum[VZ_FILESUM_SIZE]);
/* For vz_findex_find(), when all are added. */
void vz_findex_sort(struct vz_findex *x);
const struct vz_findex_entry *vz_findex_find(const struct vz_findex *x, const char *path);
/* How many an archive has. */
uint64_t vz_findex_count(const struct vz_findex *x, uint32_t archive);

/* As bytes, *ret to be freed; and from them, sorted. -EBADMSG: they are none. */
int vz_findex_pack(const struct vz_findex *x, char **ret, size_t *ret_len);
int vz_findex_unpack(const char *data, size_t len, struct vz_findex *ret);

void vz_findex_done(struct vz_findex *x);
#define vz_autofindex VZ_CLEANUP(vz_findex_done)

#endif
