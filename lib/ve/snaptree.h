/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SNAPTREE_H
#define VZ_VE_SNAPTREE_H

#include <stdbool.h>
#include <stdint.h>

#include "ve/area.h"

/*
 * The snapshots of a VE, a tree by their parents, as a marker says it (ve/area.h):
 *
 *	[snapshots]
 *	current = UUID		the one that the VE's present state goes on from
 *	[snapshot UUID]
 *	parent = UUID
 *	date = SECONDS
 *	…			and what the layout keeps of it
 *	[pending]		what a command is about to do: see ve/snapshot.h
 *
 * What users say of one (name, description) and the VE's configuration lie in the
 * directory UUID beside it. All changes are in memory until vz_area_save().
 */
enum { VZ_UUID_LEN = 36, VZ_UUID_SIZE = VZ_UUID_LEN + 1 };

/* "{8c…}" or "8C…" to its canonical form without braces. 0 or -EINVAL. */
int vz_uuid_parse(const char *s, char ret[VZ_UUID_SIZE]);
/* A new one, of random bytes. */
int vz_uuid_make(char ret[VZ_UUID_SIZE]);

struct vz_snap {
	char uuid[VZ_UUID_SIZE];
	char parent[VZ_UUID_SIZE]; /* "": none */
	uint64_t date;
	bool current;
};

/* 0, or -ENOENT. */
int vz_snaptree_get(const struct vz_area *a, const char *uuid, struct vz_snap *ret);
/* All, in the order in which they were taken, freed by the caller. 0 or -errno. */
int vz_snaptree_list(const struct vz_area *a, struct vz_snap **ret, size_t *ret_n);

/* A new one on top of the current one, which it is then. */
int vz_snaptree_add(struct vz_area *a, const char *uuid, uint64_t date);
/* NULL: none. */
int vz_snaptree_set_current(struct vz_area *a, const char *uuid);
/* Take one out; its children, and the present state, are its parent's then. */
int vz_snaptree_remove(struct vz_area *a, const char *uuid);

/* What the layout keeps of one. */
const char *vz_snaptree_key(const struct vz_area *a, const char *uuid, const char *key);
uint64_t vz_snaptree_num(const struct vz_area *a, const char *uuid, const char *key);
int vz_snaptree_set_num(struct vz_area *a, const char *uuid, const char *key, uint64_t v);

#endif
