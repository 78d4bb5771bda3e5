/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CAPS_H
#define VZ_SYS_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Capabilities of a VE's processes, as a mask of 1 << CAP_…. In a user
 * namespace VE they hold over the VE's own things only.
 */
uint64_t vz_caps_default(bool privileged);

/*
 * The number of a capability by its name, with or without CAP_, in either
 * case. -ENOENT: there is none. OpenVZ's VE_ADMIN is -EOPNOTSUPP: it has no
 * counterpart, but stands in configurations.
 */
int vz_caps_find(const char *name);
/* "net_admin"; NULL: there is none. */
const char *vz_caps_name(unsigned int cap);

/* Whether an entry of CAPABILITY is NAME:on or NAME:off. VZ_E_VALUE. */
int vz_caps_check(const char *entry, struct vz_err *err);

/* The set that a whole CAPABILITY list (NULL: nothing said) makes of the default. */
int vz_caps_parse(bool privileged, const struct vz_strv *list, uint64_t *ret_set,
		  struct vz_err *err);

/*
 * In the child, before exec: nothing outside the set can be had again
 * (bounding set), nothing is inheritable or ambient, and the process itself
 * has the set. System calls only. After vz_seccomp_install(), which needs
 * CAP_SYS_ADMIN. 0 or -errno.
 */
int vz_caps_apply(uint64_t set);

/*
 * For a while, do without one that this process has (or with it again): whether
 * it was in effect before. System calls only.
 */
bool vz_caps_effective(unsigned int cap, bool on);

#endif
