/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_COPY_H
#define VZ_SYS_COPY_H

#include <stdint.h>

/*
 * Copies within the node's file systems, of files that a VE owns: shared blocks
 * where the file system has them (reflink), else bytes, and holes stay holes.
 */
struct vz_copy {
	/*
	 * Called now and then with the bytes of contents done so far; a value other
	 * than 0 ends it all, and is what the copying function returns. May be NULL.
	 */
	int (*tick)(void *data, uint64_t done);
	void *tick_data;
	uint64_t done; /* bytes, whether shared or copied */
	uint64_t shared; /* of these, bytes that take no room of their own */
};

/*
 * A file to a new one of mode 600, which is on the disk then. `c` may be NULL.
 * 0 or -errno, and then there is no new one.
 */
int vz_copy_file(struct vz_copy *c, const char *from, const char *to);

/* Rename over what is there, and wait until that is on the disk. 0 or -errno. */
int vz_copy_publish(const char *from, const char *to);

/*
 * All below a directory into another, empty one, and its own owner, mode, times and
 * attributes: names, contents, links, devices, every extended attribute. What is
 * mounted in it is passed over. `stage` is an empty directory beside the new one,
 * for hard links meanwhile. No symbolic link is followed, whoever changes the tree
 * meanwhile; but then the copy is of no single moment. -ELOOP: nested too deeply.
 */
int vz_copy_tree(struct vz_copy *c, int from, int to, int stage);

/* The bytes that the files below a directory take, about, for whoever watches. */
uint64_t vz_copy_size(int dirfd);

#endif
