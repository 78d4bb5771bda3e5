/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_ERR_H
#define VZ_BASE_ERR_H

#include <stdarg.h>

#include "base/exit.h"

/*
 * One failure: the exit status that it maps to, the errno behind it (0 when
 * there is none) and a sentence for the administrator. Of fixed size, so that
 * it works after fork, goes through a pipe as it is, and needs no memory.
 */
struct vz_err {
	enum vz_exit status;
	int errnum;
	char text[1000];
};

/*
 * Set the error where it is known: what failed, on what, and what to do about
 * it. With errnum > 0 the text ends in ": " and strerror(errnum).
 * A NULL e is allowed: then only the return value counts.
 * Returns -errnum, or -EINVAL when errnum is 0: `return vz_err_set(...)`.
 */
int vz_err_set(struct vz_err *e, enum vz_exit status, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int vz_err_vset(struct vz_err *e, enum vz_exit status, int errnum, const char *fmt,
		va_list ap) __attribute__((format(printf, 4, 0)));

/* Put context ("VE 101", a file name) and ": " before the text, on the way up. */
void vz_err_prefix(struct vz_err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static inline void vz_err_clear(struct vz_err *e)
{
	e->status = VZ_OK;
	e->errnum = 0;
	e->text[0] = 0;
}

#endif
