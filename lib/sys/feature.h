/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_FEATURE_H
#define VZ_SYS_FEATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * FEATURES: single doors that are shut by default. OpenVZ's names first, in
 * its order, then ours. A set of them is a mask of 1 << VZ_F_….
 */
enum vz_feature {
	VZ_F_SYSFS, /* on by default: off leaves /sys unmounted */
	VZ_F_NFS,
	VZ_F_SIT,
	VZ_F_IPIP,
	VZ_F_PPP,
	VZ_F_IPGRE,
	VZ_F_BRIDGE,
	VZ_F_NFSD,
	VZ_F_FUSE,
	VZ_F_TUN,
	VZ_F_NESTING, /* /proc and /sys whole, so that containers in the VE can mount theirs */
	VZ_F_KEYCTL,
	VZ_F_IOURING,
	VZ_F__COUNT,
};
#define VZ_F_BIT(f) (1u << (f))

struct vz_feature_row {
	const char *name;
	bool on; /* when FEATURES says nothing about it */
	const char *help;
	const char *modules; /* kernel modules that it needs, by spaces; NULL: none */
	const char *node; /* device below /dev that it gives; NULL: none */
	unsigned int major, minor; /* of that character device */
};

/* The rows, by enum vz_feature: also for the check of FEATURES and its help. */
extern const struct vz_feature_row vz_features[VZ_F__COUNT];

/* The enum of a name, or -1. */
int vz_feature_find(const char *name);

/* Whether an entry of FEATURES is NAME:on or NAME:off. VZ_E_VALUE. */
int vz_feature_check(const char *entry, struct vz_err *err);

/* The mask of a whole FEATURES list (NULL: nothing said) over the defaults. */
int vz_feature_parse(const struct vz_strv *list, uint32_t *ret_mask, struct vz_err *err);

#endif
