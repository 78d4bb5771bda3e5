/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_DECOMP_H
#define VZ_SYS_DECOMP_H

#include <stdint.h>

#include "base/err.h"

/*
 * A compressed file (zstd, gzip, xz, or none) as a pipe of its contents. A
 * child with no privileges, descriptors or system calls but what it needs
 * takes it apart: a decompressor fed with a stranger's bytes is the last
 * thing that should run as root.
 */
struct vz_decomp {
	int fd; /* the contents come out here */
	int pid; /* the child, not yet waited for; -1: none */
	struct vz_decomp_shared *shared; /* what the child says of itself */
};

#define VZ_DECOMP_NONE ((struct vz_decomp){ .fd = -1, .pid = -1 })

/* archive_fd is read from where it stands; it stays the caller's. */
int vz_decomp_start(int archive_fd, struct vz_decomp *ret, struct vz_err *err);

/* How many compressed bytes were taken in so far. */
uint64_t vz_decomp_done(const struct vz_decomp *d);

/*
 * Wait for the child, whose pipe has been read to its end. 0, or
 * VZ_E_BADTEMPLATE with the decompressor's words when the file is damaged.
 */
int vz_decomp_finish(struct vz_decomp *d, struct vz_err *err);

/* Give up, or release what vz_decomp_finish() left. */
void vz_decomp_stop(struct vz_decomp *d);

#endif
