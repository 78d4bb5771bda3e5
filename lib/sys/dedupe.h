/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_DEDUPE_H
#define VZ_SYS_DEDUPE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Files of the same contents in several trees of one file system share their blocks
 * again (sys/blocks.h). The trees are a VE's each, hostile, and may change meanwhile:
 * no symbolic link is followed and no mount crossed, only regular files are opened, and
 * the kernel's own comparison decides. Nothing but where contents lie changes: no
 * time, no owner, no name.
 *
 * Files below a block's size gain nothing, those with holes could take for ever to
 * read: both are passed over. So is what lies too deep, or is more than can be
 * remembered, which is counted.
 */
struct vz_dedupe {
	const int *root; /* descriptors of the trees */
	size_t n;
	/* Called now and then, with bytes of about a total; other than 0 ends it all. */
	int (*tick)(void *data, uint64_t done, uint64_t total);
	void *tick_data;
};

struct vz_dedupe_sum {
	uint64_t files, bytes; /* looked at */
	uint64_t shared_files, shared_bytes; /* these share what they had of their own */
	uint64_t were_files, were_bytes; /* did so before */
	uint64_t changed; /* were written to meanwhile, or can't be changed */
	uint64_t left; /* not looked at */
};

/* 0, what tick said, or -errno; *ret is what was done by then. */
int vz_dedupe(const struct vz_dedupe *how, struct vz_dedupe_sum *ret);

#endif
