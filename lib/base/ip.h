/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_IP_H
#define VZ_BASE_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* An IPv4 or IPv6 address and how many of its bits are the network's. */
struct vz_ip {
	unsigned char family; /* AF_INET, AF_INET6; 0: none */
	unsigned char bits; /* 32 or 128: a single address */
	unsigned char a[16]; /* in network order */
};

/* Room for any address with its bits. */
#define VZ_IP_STRLEN (INET6_ADDRSTRLEN + 4)

/* 10.0.0.1, 10.0.0.1/24, fd00::1/64. 0 or -EINVAL. */
int vz_ip_parse(const char *s, struct vz_ip *ret);
/* With /BITS unless it is a single address. Returns buf. */
const char *vz_ip_text(const struct vz_ip *ip, char buf[VZ_IP_STRLEN]);
/* The address alone. */
const char *vz_ip_host_text(const struct vz_ip *ip, char buf[VZ_IP_STRLEN]);

static inline size_t vz_ip_len(const struct vz_ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

static inline bool vz_ip_v6(const struct vz_ip *ip)
{
	return ip->family == AF_INET6;
}

/* The same address, whatever the bits say. */
bool vz_ip_same(const struct vz_ip *a, const struct vz_ip *b);
/* Whether a lies in the network that b and its bits name. */
bool vz_ip_within(const struct vz_ip *a, const struct vz_ip *net);
/* An address that one host can have: not 0, multicast, broadcast or loopback. */
bool vz_ip_usable(const struct vz_ip *ip);
/* Nothing beyond its link has it: fe80::/10, 169.254/16. */
bool vz_ip_link_local(const struct vz_ip *ip);

#endif
