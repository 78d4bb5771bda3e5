/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_COPY_H
#define VZMIGRATE_COPY_H

#include <time.h>

#include "vzmigrate/peer.h"

/*
 * A VE's files to the other node, by rsync through the connection.
 *
 * What a running VE changes while it is being read is sent again when it has
 * stopped. Size and time of a file do not always tell that: what a program writes
 * through a mapping has the time of the first write since the page was last
 * clean. So all pages are made clean before the first pass (copy_settle()), and
 * each file that has changed since is compared as a whole in the last.
 */
struct copy {
	struct peer *peer;
	const char *private; /* here */
	const char *to; /* there */
	const char *rsync_opts; /* --rsync; NULL: none */
	void (*progress)(void *data, uint64_t bytes, const char *rate);
	void *progress_data;
};

/* Put all changes so far on the disk; *ret is the moment before that. */
int copy_settle(const char *private, struct timespec *ret, struct vz_err *err);

/* One pass. live: the VE runs, files may come and go. MIG_E_COPY, MIG_E_CONNECT. */
int copy_pass(const struct copy *c, bool live, struct vz_err *err);
/* Then, of a VE that has stopped, compare all of each file that changed since. */
int copy_changed(const struct copy *c, const struct timespec *since, struct vz_err *err);

/* What there is to copy. What can't be read, for a live VE may remove it, is left out. */
struct copy_size {
	uint64_t bytes, inodes;
};
int copy_measure(const char *private, struct copy_size *ret, struct vz_err *err);

#endif
