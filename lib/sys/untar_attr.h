/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_UNTAR_ATTR_H
#define VZ_SYS_UNTAR_ATTR_H

#include <stdbool.h>
#include <sys/types.h>

struct archive_entry;

/* Whether an entry has extended attributes or an ACL at all; few have. */
bool vz_untar_has_attrs(struct archive_entry *e);

/*
 * Set on an open file or directory what vz_untar() keeps of an entry's
 * extended attributes. A file system without them is no error. 0, -EBADMSG
 * (a value that makes no sense) or -errno.
 */
int vz_untar_set_attrs(int fd, struct archive_entry *e, uid_t uid, gid_t gid);

#endif
