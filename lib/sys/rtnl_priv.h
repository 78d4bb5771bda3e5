/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_RTNL_PRIV_H
#define VZ_SYS_RTNL_PRIV_H

#include <netlink/addr.h>
#include <netlink/msg.h>

#include "sys/rtnl.h"

/* Between the files of sys/rtnl: one question to the kernel and its answer. */

/* Each message of an answer; not 0: hear no more of them. */
typedef int (*vz_rtnl_fn)(struct nlmsghdr *h, void *data);

/*
 * Send (and free) a message, NULL standing for one that could not be built;
 * fn hears what is answered. Returns 0, -errno, or what fn stopped with.
 */
int vz_rtnl_talk(struct vz_rtnl *nl, struct nl_msg *msg, vz_rtnl_fn fn, void *data);
/* A message with its header, for the kernel's tables of any kind. */
struct nl_msg *vz_rtnl_msg(int type, int flags, const void *header, size_t len);
/*
 * Ask again when the tables changed while they were read: fn may hear of a
 * thing twice then. build() makes the question.
 */
typedef struct nl_msg *(*vz_rtnl_build)(const void *what);
int vz_rtnl_dump(struct vz_rtnl *nl, vz_rtnl_build build, const void *what, vz_rtnl_fn fn,
		 void *data);
/* Say what failed, with what the kernel said of it. Returns r. */
int vz_rtnl_fail(struct vz_rtnl *nl, struct vz_err *err, int r, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
