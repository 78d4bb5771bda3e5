/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_CONF_CONF_H
#define VZ_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * One flat KEY="value" file: what it says, where it says it, and a way to
 * write it back with comments, order and unknown keys as they were. It knows
 * no key's name or meaning: see res/param.h.
 */
struct vz_conf;

/*
 * Load a file. A missing file is -ENOENT, with the error set to VZ_E_NOCONF.
 * A line that is none is an error that names file and line (VZ_E_BADCONF); a
 * key given twice is a warning, and the last one wins.
 * *ret is to be freed by vz_conf_free().
 */
int vz_conf_load(const struct vz_ctx *ctx, const char *path, struct vz_conf **ret,
		 struct vz_err *err);
/* The same from memory; path is for messages. */
int vz_conf_parse(const struct vz_ctx *ctx, const char *path, const char *text,
		  size_t len, struct vz_conf **ret, struct vz_err *err);
/* An empty file that is not there yet. */
int vz_conf_new(const char *path, struct vz_conf **ret);
void vz_conf_free(struct vz_conf *c);
#define vz_autoconf VZ_CLEANUP(vz_conf_freep)
static inline void vz_conf_freep(struct vz_conf **c)
{
	vz_conf_free(*c);
}

/* The value of a key, valid until c changes or is freed; NULL: not there. */
const char *vz_conf_get(const struct vz_conf *c, const char *key);
/* The line on which the value in force stands; 0: not there. */
int vz_conf_line(const struct vz_conf *c, const char *key);
const char *vz_conf_path(const struct vz_conf *c);
/* The i-th key in the file's order, each once; NULL: no more. */
const char *vz_conf_key(const struct vz_conf *c, size_t i);

/* Change a key in memory: in its place, else at the end. NULL removes it. */
int vz_conf_set(struct vz_conf *c, const char *key, const char *value);
/* The same, but a `$VEID` in it is to be expanded by shells that read the file. */
int vz_conf_set_vars(struct vz_conf *c, const char *key, const char *value);
/* What a save would write, to be freed by the caller; NULL: no memory. */
char *vz_conf_text(const struct vz_conf *c);

/* Write it to path (NULL: where it came from), atomically. */
int vz_conf_save(struct vz_conf *c, const char *path, struct vz_err *err);

#endif
