/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_CONF_PEEK_H
#define VZ_CONF_PEEK_H

#include <stddef.h>

/*
 * A few keys of a KEY="value" file and nothing else: for a list of a thousand
 * VEs. One read, no allocation a key, lines that are none are passed over:
 * who is about to act on a VE loads its configuration with conf.h instead.
 */
struct vz_peek {
	char *buf; /* kept from file to file */
	size_t size;
};

/*
 * Read `name` in dirfd and point ret_values[i] at the value of keys[i], the
 * last one when it is there several times; NULL when it is not there. The
 * values lie in p and last until the next read. 0 or -errno.
 */
int vz_peek_read(struct vz_peek *p, int dirfd, const char *name, const char *const *keys,
		 size_t n, const char **ret_values);
void vz_peek_done(struct vz_peek *p);

#endif
