/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_COPY_H
#define VZMIGRATE_COPY_H

#include <time.h>

#include "vzmigrate/channel.h"
#include "vzmigrate/peer.h"
#include "vzmigrate/tree.h"

/*
 * A VE's files to the other node, by rsync through the connection.
 *
 * What a running VE changes while it is being read is sent again when it has
 * stopped. Size and time of a file do not always tell that: what a program writes
 * through a mapping has the time of the first write since the page was last
 * clean. So all pages are made clean before the first pass (copy_settle()), and
 * each file that has changed since is compared as a whole in the last.
 *
 * That of a VE which only stands still for it has to be short: it looks at no file that
 * has not changed since the pass before, and asks the other node for none (copy_rest()).
 */
struct copy {
	struct peer *peer;
	const char *private; /* here */
	const char *to; /* there */
	const char *rsync_opts; /* --rsync; NULL: none */
	const struct channel *channel; /* for one run, at once; NULL: a session is made */
	void (*progress)(void *data, uint64_t bytes, const char *rate);
	void *progress_data;
};

/* Put all changes so far on the disk; *ret is the moment before that. */
int copy_settle(const char *private, struct timespec *ret, struct vz_err *err);

/*
 * One pass. live: the VE runs, files may come and go, and 1 says that not all could be
 * read. MIG_E_COPY, MIG_E_CONNECT.
 */
int copy_pass(const struct copy *c, bool live, struct vz_err *err);
/* Then compare all of each file that changed since; live and 1 as before. */
int copy_changed(const struct copy *c, const struct timespec *since, bool live,
		 struct vz_err *err);
/*
 * What is not as in the tree of before the last pass, of which nothing was left out, or
 * has changed since. *ret_n: so many files.
 */
int copy_rest(const struct copy *c, struct tree *then, const struct timespec *since,
	      size_t *ret_n, struct vz_err *err);

/* What there is to copy. What can't be read, for a live VE may remove it, is left out. */
struct copy_size {
	uint64_t bytes, inodes;
};
int copy_measure(const char *private, struct copy_size *ret, struct vz_err *err);

#endif
