/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_NFTDUMP_H
#define VZ_SYS_NFTDUMP_H

#include <linux/netlink.h>
#include <stdint.h>

/* What nftables has of one kind, in the network namespace of a socket. */
struct vz_nftdump {
	uint8_t ask, answer; /* NFT_MSG_GETRULE and NFT_MSG_NEWRULE, or the like */
	uint8_t family; /* AF_UNSPEC: all */
	void (*each)(const struct nlmsghdr *h, void *data);
	void *data;
};

/*
 * fd: of NETLINK_NETFILTER, with a limit of its own to how long it waits. 0, with nothing
 * found, of a kernel without nftables, too; or -errno.
 */
int vz_nftdump(int fd, const struct vz_nftdump *d);

#endif
