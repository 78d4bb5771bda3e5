/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_TREE_H
#define VZMIGRATE_TREE_H

#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"

/*
 * Which files of a VE there are, as the other node has them after a pass of rsync that
 * began later. What is not as it was then is found by a walk that reads no contents and
 * asks the other node nothing: what has another inode behind its name, or a change of
 * status since, is new; what is not found any more is gone.
 */
struct tree;

/* MIG_E_COPY, MIG_E_SYSTEM. */
int tree_read(const char *private, struct tree **ret, struct vz_err *err);
void tree_free(struct tree *t);
static inline void tree_freep(struct tree **t)
{
	tree_free(*t);
}
#define autotree VZ_CLEANUP(tree_freep)

/*
 * Of the same area, whose VE stands still: the paths below it of all that is not as it
 * was or has changed since, gone things included, each ended by a NUL. *ret_n: how many.
 * 0 or -errno.
 */
int tree_changes(struct tree *then, const char *private, const struct timespec *since,
		 FILE *out, size_t *ret_n);

/* All that is in an area, no link followed and no mount crossed; NULL: errno. */
FTS *tree_walk(const char *private);

/*
 * The paths of the files below an area that have changed since, in the same form. live:
 * what can't be looked at has gone meanwhile, and is no failure.
 */
int tree_changed_since(const char *private, const struct timespec *since, bool live,
		       FILE *out, size_t *ret_n);

#endif
