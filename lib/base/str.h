/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_STR_H
#define VZ_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/*
 * A growing string. Always NUL-terminated once something was added; running
 * out of memory is remembered in `failed` and asked for once, at the end.
 */
struct vz_str {
	char *s;
	size_t len, cap;
	bool failed;
};

void vz_str_add(struct vz_str *b, const char *s);
void vz_str_addn(struct vz_str *b, const char *s, size_t n);
void vz_str_addf(struct vz_str *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void vz_str_done(struct vz_str *b);
/* The string, to be freed by the caller; NULL when memory ran out. Empties b. */
char *vz_str_steal(struct vz_str *b);

#define vz_autostr VZ_CLEANUP(vz_str_done)

/* asprintf() that returns NULL on failure; to be freed by the caller. */
char *vz_strf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A list of strings that owns them; v is NULL-terminated when n > 0. */
struct vz_strv {
	char **v;
	size_t n;
};

/* 0 or -ENOMEM. */
int vz_strv_add(struct vz_strv *l, const char *s);
int vz_strv_addn(struct vz_strv *l, const char *s, size_t n);
/* Append the words of s that any of the characters in sep part. 0 or -ENOMEM. */
int vz_strv_split(struct vz_strv *l, const char *s, const char *sep);
bool vz_strv_has(const struct vz_strv *l, const char *s);
/* Remove each element equal to s; true when there was one. */
bool vz_strv_remove(struct vz_strv *l, const char *s);
/* The elements joined by sep, to be freed by the caller; NULL = no memory. */
char *vz_strv_join(const struct vz_strv *l, const char *sep);
void vz_strv_done(struct vz_strv *l);

#define vz_autostrv VZ_CLEANUP(vz_strv_done)

#endif
