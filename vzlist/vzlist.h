/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZLIST_H
#define VZLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"
#include "res/param.h"
#include "res/ubc.h"
#include "sys/quota.h"
#include "tool/cols.h"
#include "ve/traffic.h"

enum status {
	STATUS_STOPPED,
	STATUS_MOUNTED,
	STATUS_SUSPENDED,
	STATUS_RUNNING,
};

/* One VE: what was asked for, and no more. */
struct ve {
	uint32_t id;
	enum status status;
	int64_t uptime; /* seconds; running VEs only */
	const struct vz_ubc *ubc; /* running VEs only, when counters are shown */
	const struct list *list;
	const char **values; /* of its file, by the list's key index; NULL: unset */
	const char *name; /* when names/ agrees */
	bool has_quota; /* its file system counts what it uses: */
	struct vz_quota quota;
};

/* What the columns and filters need read. */
struct list {
	const struct vz_ctx *ctx;
	const char *keys[VZ_P__COUNT];
	short key_of[VZ_P__COUNT]; /* index in keys, -1: not needed */
	size_t n_keys;
	const char **global; /* vz.conf's values, by the same index */
	const char **values; /* of all VEs, one after the other */
	bool need_status; /* mounted and suspended too */
	bool need_uptime;
	bool need_name;
	bool need_ubc;
	bool need_traffic;
	bool need_quota;
	struct vz_traffic traffic;
	struct vz_ubc *ubc; /* of all VEs that run */
	const char *dumpdir;
	struct ve *ves;
	size_t n;
	struct chunk *chunks; /* the values' memory */
};

/* Which VEs to look at. */
struct which {
	const char **words; /* VEIDs and names that were named */
	size_t n_words;
	bool running_only;
};

/* fields.c: the columns. Builds the table; 0 or -errno. */
int fields_init(struct vz_cols *ret);
/* Note in list what showing a column takes. */
void fields_need(struct list *list, const struct vz_pick *pick, bool all_parts);
void list_need(struct list *list, enum vz_param_id id);
/* The value in force of a parameter: the VE's, else vz.conf's. */
const char *ve_value(const struct ve *ve, enum vz_param_id id);

/* A path with each `$VEID` replaced; false: too long. */
bool expand_veid(const char *path, uint32_t id, char *buf, size_t size);

/* collect.c */
int collect(struct list *list, const struct which *which, bool *ret_missing,
	    struct vz_err *err);
void list_done(struct list *list);

#endif
