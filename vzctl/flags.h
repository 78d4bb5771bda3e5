/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZCTL_FLAGS_H
#define VZCTL_FLAGS_H

#include "vzctl/cmd.h"

/* A command's options that are words without a value. */
struct vz_flag {
	const char *name; /* "--fast"; NULL ends a list */
	bool *set;
};

/* Read all of argv as such; anything else is VZ_E_SYNTAX. */
int vz_flags(struct vz_inv *inv, const struct vz_flag *flags);

#endif
