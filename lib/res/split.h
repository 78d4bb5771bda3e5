/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_SPLIT_H
#define VZ_RES_SPLIT_H

#include <stdbool.h>

#include "res/cfg.h"
#include "sys/machine.h"

/*
 * The configuration of one of N VEs that share a node out among them, so that
 * all of them can have all of it at the same time. Pure.
 */
struct vz_split_node {
	struct vz_machine machine;
	/* The partition of VEs' files; 0: not known, VEs get a small size. */
	uint64_t disk; /* KiB */
	uint64_t inodes; /* 0 with a disk: as many as anybody likes */
};

/* How much there is of all, most first. */
enum vz_split_level {
	VZ_SPLIT_PLENTY,
	VZ_SPLIT_NORMAL,
	VZ_SPLIT_TIGHT,
	VZ_SPLIT_SHORTAGE,
};

struct vz_split {
	uint64_t ves;
	struct vz_split_node node;
	uint64_t threads; /* of the node, as many as were shared out */
	bool vswap; /* RAM and swap only; else all beancounters */
	enum vz_split_level level; /* without vswap */
	bool small_disk; /* less than 20 GB: half of it is the node's */
	bool disk_full; /* no room for so many VEs: a small size each */
	struct vz_limit v[VZ_P__COUNT];
};

/* VZ_E_RESOURCES, with the greatest N that there is room for in the text. */
int vz_split(const struct vz_split_node *node, uint64_t n, bool vswap,
	     struct vz_split *ret, struct vz_err *err);

/* As a configuration file. */
void vz_split_format(const struct vz_split *s, struct vz_str *out);

#endif
