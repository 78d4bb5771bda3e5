/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_CONF_SCAN_H
#define VZ_CONF_SCAN_H

#include <stddef.h>

/*
 * The line scanner below conf.h: text in memory, no allocation, nothing
 * changed. It reads what shells and vzctl 4 both read of KEY="value" files:
 *
 *   KEY="value"   KEY='value'   KEY=value   export KEY=value   # comment
 *
 * In double quotes a backslash takes the meaning from " \ $ ` and a line end,
 * as in the shell; `$VEID` is left as it is. A quoted value may go over
 * several lines. vzctl 4 took a value up to the line's last quote, so inner
 * quotes that were not escaped are taken as it did.
 */
enum vz_quote {
	VZ_QUOTE_NONE,
	VZ_QUOTE_SINGLE,
	VZ_QUOTE_DOUBLE,
};

struct vz_scan {
	const char *at, *end;
	int line; /* of `at`, from 1 */
};

/* A piece of the file: an assignment with its line(s), or another line. */
struct vz_scan_item {
	const char *text; /* from the line's start */
	size_t text_len; /* with the line end */
	int line;
	const char *key; /* NULL: a comment or an empty line */
	size_t key_len;
	const char *value; /* between the quotes, as it stands */
	size_t value_len;
	const char *raw; /* with the quotes */
	size_t raw_len;
	enum vz_quote quote;
};

void vz_scan_init(struct vz_scan *s, const char *text, size_t len);

/*
 * Step to the next piece. 1, 0 at the end, or -EINVAL for a line that is
 * none: then ret->line says where and *ret_problem what is wrong.
 */
int vz_scan_next(struct vz_scan *s, struct vz_scan_item *ret, const char **ret_problem);

/*
 * Take the quoting from a value. buf (which may be where the value itself
 * lies) gets at most value_len bytes and no NUL. Returns how many.
 */
size_t vz_scan_unquote(const struct vz_scan_item *item, char *buf);

#endif
