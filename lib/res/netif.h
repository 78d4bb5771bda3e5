/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_NETIF_H
#define VZ_RES_NETIF_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * One Ethernet interface of a VE, an element of NETIF. As text it is fields
 * parted by commas; the first five may stand without their names:
 *
 *	eth0,00:18:51:01:02:03,veth101.0,FE:FF:FF:FF:FF:FF,br0
 *	ifname=eth0,bridge=br0,vlan=12,mac_filter=off
 *	ifname=eth1,type=macvlan,link=enp3s0,mode=bridge
 */
enum vz_netif_type {
	VZ_NETIF_VETH, /* a pair: this end in the VE, the other on the node */
	VZ_NETIF_MACVLAN, /* a second address of a device of the node */
};

/* Of a macvlan: who of those on one device hears whom; as LXC names them. */
enum vz_netif_mode {
	VZ_NETIF_PRIVATE, /* nobody */
	VZ_NETIF_VEPA, /* by way of the switch outside */
	VZ_NETIF_BRIDGE, /* each other */
	VZ_NETIF_PASSTHRU, /* the device is this VE's alone */
};

#define VZ_NETIF_MAC_LEN 6
#define VZ_NETIF_VLAN_MAX 4094

struct vz_netif {
	char ifname[IFNAMSIZ]; /* in the VE */
	char host_ifname[IFNAMSIZ]; /* empty: not given, as with the other names */
	char bridge[IFNAMSIZ]; /* that the node's end is a port of */
	char link[IFNAMSIZ]; /* macvlan: the node's device */
	uint8_t mac[VZ_NETIF_MAC_LEN]; /* zeros: not given */
	uint8_t host_mac[VZ_NETIF_MAC_LEN];
	bool no_mac_filter;
	uint16_t vlan; /* 0: none */
	enum vz_netif_type type;
	enum vz_netif_mode mode;
};

/* 0 or -EINVAL; ret is then untouched. */
int vz_netif_parse(const char *text, struct vz_netif *ret);
/* Canonical: each field with its name, in order, what is default left out. */
void vz_netif_format(const struct vz_netif *n, struct vz_str *out);
/*
 * One field by its name from text; an empty text takes it away (-EINVAL for
 * the name in the VE).
 */
int vz_netif_set(struct vz_netif *n, const char *field, const char *text);

static inline bool vz_netif_has_mac(const uint8_t mac[VZ_NETIF_MAC_LEN])
{
	return mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5];
}

/* Those of one VE: each name and MAC is one interface's only (VZ_E_VETH). */
int vz_netif_check(const struct vz_strv *list, struct vz_err *err);

/* For the table: an element's canonical form. 0 or -EINVAL. */
int vz_word_netif(const char *s, struct vz_str *out);

#endif
