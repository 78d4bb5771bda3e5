/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_COPY_H
#define VZ_SYS_COPY_H

#include <stdint.h>
#include <sys/types.h>

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

/*
 * The same into an empty directory that is to be a layer of an overlay over the tree
 * `base`, whose ids are the copied tree's less uid and gid: what is there in the base
 * and the same is left out, what is not there any more is marked as removed. Numbers
 * of device 0:0, which mean that to an overlay, are left out.
 */
struct vz_copy_base {
	int fd;
	uid_t uid;
	gid_t gid;
};
int vz_copy_layer(struct vz_copy *c, int from, int to, int stage,
		  const struct vz_copy_base *base);

/* The bytes that the files below a directory take, about, for whoever watches. */
uint64_t vz_copy_size(int dirfd);

#endif
