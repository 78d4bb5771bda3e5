/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_NEIGH_H
#define VZ_SYS_NEIGH_H

#include "base/err.h"
#include "base/ip.h"

/*
 * Words with the machines on a link about who has an address: ARP (RFC 826,
 * 5227) for IPv4, neighbour discovery (RFC 4861, 4862) for IPv6. Asked as
 * somebody without an address, as before one is taken.
 */
struct vz_neigh {
	int fd; /* AF_PACKET; -1: closed */
	int dev;
	unsigned char mac[6];
	unsigned char family;
};

#define VZ_NEIGH_NONE ((struct vz_neigh){ .fd = -1 })

/*
 * On a device, for addresses of one family. Closing the last copy of the
 * descriptor waits for a grace period (some milliseconds).
 */
int vz_neigh_open(int dev, const unsigned char mac[6], int family, struct vz_neigh *ret,
		  struct vz_err *err);
void vz_neigh_close(struct vz_neigh *n);

/* Ask who has it. 0 or -errno. */
int vz_neigh_ask(const struct vz_neigh *n, const struct vz_ip *ip);

/*
 * Wait for an answer to any of the questions: 1 with the address and whose it
 * is, 0 when none came in that time (milliseconds; 0: don't wait), -errno.
 */
int vz_neigh_answer(const struct vz_neigh *n, int timeout_ms, struct vz_ip *ret_ip,
		    unsigned char ret_mac[6]);

/* Tell all that the address is at this device now. 0 or -errno. */
int vz_neigh_announce(const struct vz_neigh *n, const struct vz_ip *ip);

#endif
