/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_TAROUT_ATTR_H
#define VZ_SYS_TAROUT_ATTR_H

#include <sys/types.h>

struct archive_entry;

/*
 * Put what vz_untar_set_attrs() sets into an entry: user attributes, ACLs and
 * capabilities of an open file or directory, with the ids that they have in the VE.
 * An ACL's entry of an id that is none of the VE's is left out. 0 or -errno.
 */
int vz_tarout_get_attrs(int fd, struct archive_entry *e, uid_t uid, gid_t gid);

#endif
