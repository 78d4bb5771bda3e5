/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Names and values in a message may come from a VE or a file: a control
 * character in them must not reach the administrator's terminal, nor may a
 * message become two lines.
 */
static void one_line(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

int vz_err_vset(struct vz_err *e, enum vz_exit status, int errnum, const char *fmt,
		va_list ap)
{
	size_t n;

	if (e) {
		e->status = status;
		e->errnum = errnum;
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		n = strlen(e->text);
		if (errnum > 0)
			snprintf(e->text + n, sizeof(e->text) - n, ": %s",
				 strerror(errnum));
		one_line(e->text);
	}
	return errnum > 0 ? -errnum : -EINVAL;
}

int vz_err_set(struct vz_err *e, enum vz_exit status, int errnum, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vz_err_vset(e, status, errnum, fmt, ap);
	va_end(ap);
	return r;
}

void vz_err_prefix(struct vz_err *e, const char *fmt, ...)
{
	char old[sizeof(e->text)];
	va_list ap;
	size_t n;

	if (!e)
		return;
	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %.*s", (int)sizeof(old) - 1, old);
	one_line(e->text);
}
