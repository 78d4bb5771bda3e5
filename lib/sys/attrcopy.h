/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_ATTRCOPY_H
#define VZ_SYS_ATTRCOPY_H

#include <sys/types.h>

/*
 * User attributes, ACLs and capabilities of an open file or directory to another one,
 * with ids that count from uid and gid there and from to_uid and to_gid here. What the
 * file system of the other one does not know is left out. 0 or -errno.
 */
int vz_attrcopy(int from, uid_t uid, gid_t gid, int to, uid_t to_uid, gid_t to_gid);

#endif
