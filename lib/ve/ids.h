/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_IDS_H
#define VZ_VE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/ctx.h"

/* Numbers of VEs; sorted, and each once, after vz_ids_sort(). */
struct vz_ids {
	uint32_t *v;
	size_t n, room;
};

/* 0 or -ENOMEM. */
int vz_ids_add(struct vz_ids *ids, uint32_t id);
void vz_ids_sort(struct vz_ids *ids);
bool vz_ids_has(const struct vz_ids *ids, uint32_t id);
void vz_ids_done(struct vz_ids *ids);
#define vz_autoids VZ_CLEANUP(vz_ids_done)

/* The number that an entry of a directory is about. VE 0 is the node, and no VE. */
typedef bool (*vz_ids_name_fn)(const char *name, uint32_t *ret_id);
bool vz_ids_plain(const char *name, uint32_t *ret_id); /* 101 */
bool vz_ids_conf(const char *name, uint32_t *ret_id); /* 101.conf */
bool vz_ids_dump(const char *name, uint32_t *ret_id); /* Dump.101 */

/* Add those of a directory and sort; a missing directory has none. 0 or -errno. */
int vz_ids_read(struct vz_ids *ids, const char *dir, vz_ids_name_fn name_fn);

/* VEs that have a configuration; VEs that have a state, which may be running. */
int vz_ids_defined(const struct vz_ctx *ctx, struct vz_ids *ids);
int vz_ids_active(const struct vz_ctx *ctx, struct vz_ids *ids);

#endif
