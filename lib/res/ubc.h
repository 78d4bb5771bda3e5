/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_UBC_H
#define VZ_RES_UBC_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/acct.h"

/* Barrier and limit of a beancounter, or soft and hard limit of a disk quota. */
struct vz_limit {
	uint64_t barrier, limit;
};

/* A number that can't be measured on this host: it is shown as `-`. */
#define VZ_UBC_UNKNOWN INT64_MIN

/* One counter of one VE, in its own unit; no limit is VZ_UNLIMITED. */
struct vz_ubc_value {
	int64_t held, maxheld, barrier, limit, failcnt;
};

/* A VE's beancounters, by enum vz_ubc_id. */
struct vz_ubc {
	uint32_t veid;
	struct vz_ubc_value v[VZ_UBC__COUNT];
	/* CLOCK_BOOTTIME ns of the last refusal; 0: none, or when is not known */
	uint64_t last_fail[VZ_UBC__COUNT];
};

struct vz_ubc_desc {
	const char *name; /* as in /proc/user_beancounters */
	unsigned int unit; /* bytes of one: 1, 4096; 0: things that are counted */
	int param; /* enum vz_param_id: its barrier and limit in a configuration */
};
extern const struct vz_ubc_desc vz_ubc_descs[VZ_UBC__COUNT];

/* By name, -1: none. */
int vz_ubc_by_name(const char *name);

/*
 * The rows of /proc/user_beancounters in their order: ids, and -1 for the
 * dummies. Source: the contract's page "Beancounters".
 */
#define VZ_UBC_ROWS 25
extern const signed char vz_ubc_rows[VZ_UBC_ROWS];

/*
 * Read the text of a user_beancounters file, of OpenVZ (Version 2.5 and 2.4)
 * or of ours; rows that nobody knows are passed over, and what the text has no
 * row for is VZ_UBC_UNKNOWN. *ret is freed by free(). -EINVAL: not such a text.
 */
int vz_ubc_parse(const char *text, struct vz_ubc **ret, size_t *ret_n);

/*
 * One VE's block as that file has it, with the blanks of its columns, into buf
 * (VZ_UBC_BLOCK_MAX bytes); without_uid: as bc/VEID/resources has it. Returns
 * its length.
 */
#define VZ_UBC_BLOCK_MAX 4096
size_t vz_ubc_format(const struct vz_ubc *u, int without_uid, char *buf);
/* The lines above the blocks. */
size_t vz_ubc_format_head(int without_uid, char *buf);

#endif
