/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_COPY_LAYER_H
#define VZ_SYS_COPY_LAYER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "sys/copy.h"

/* What vz_copy_layer() asks about a tree and the base below its layer. */

/* An extended attribute by which overlayfs marks things: it is none of a tree's. */
bool vz_copy_is_mark(const char *xattr);

/*
 * Whether the base has it just so: kind, owner, mode, times, contents. What has
 * several names, extended attributes or is a directory is never the same.
 */
bool vz_copy_same(const struct vz_copy_base *b, int from, int base, const char *name,
		  const struct stat *st);
/* Whether two directories have the same owner, mode and time, and no attributes. */
bool vz_copy_same_dir(const struct vz_copy_base *b, int from, int base);

/* Mark in `to` what `base` has and `from` has not. 0 or -errno. */
int vz_copy_removed(int from, int to, int base);

#endif
