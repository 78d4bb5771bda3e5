/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_RTNL_H
#define VZ_SYS_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/ip.h"

/*
 * Links, addresses, routes and neighbours of a network namespace, by rtnetlink
 * (libnl-route-3). One socket is good for all; each call is one question and
 * its answer, and blocks no longer than the kernel works on it.
 *
 * Calls return 0 or -errno with the reason in err; its exit status is what
 * vz_rtnl_fails_with() said last (VZ_E_SYSTEM at first).
 *
 * Answers of a VE's namespace are the VE's words: names, kinds and aliases in it
 * are anything it likes.
 */
struct vz_rtnl;

int vz_rtnl_open(struct vz_rtnl **ret, struct vz_err *err);
/*
 * In another network namespace (/proc/PID/ns/net). This process is there for
 * the one moment in which the socket is made; call it in a single thread.
 */
int vz_rtnl_open_ns(int netns, struct vz_rtnl **ret, struct vz_err *err);
void vz_rtnl_close(struct vz_rtnl *nl);
static inline void vz_rtnl_closep(struct vz_rtnl **nl)
{
	vz_rtnl_close(*nl);
}
#define vz_autortnl VZ_CLEANUP(vz_rtnl_closep)
void vz_rtnl_fails_with(struct vz_rtnl *nl, enum vz_exit status);

/* What adding does when there is such a thing already. */
enum vz_rtnl_add {
	VZ_RTNL_NEW, /* fails with -EEXIST */
	VZ_RTNL_PUT, /* makes it so: the thing is there in the end */
};
/* Deleting what is not there is no failure. */

/* --- links --- */

#define VZ_MAC_LEN 6
#define VZ_ALIAS_LEN 256

struct vz_link {
	int index;
	char name[IFNAMSIZ];
	char kind[IFNAMSIZ]; /* "veth", "bridge" …; empty for hardware */
	char alias[VZ_ALIAS_LEN];
	unsigned int flags; /* IFF_UP … */
	unsigned char mac[VZ_MAC_LEN]; /* zeros when it has none of that length */
	unsigned int mtu;
	int master; /* index of the bridge it is a port of; 0: none */
	int lower; /* veth: the peer's index; macvlan, VLAN: the device below */
	bool vlan_filtering; /* bridge: it tells VLANs apart */
	uint16_t default_vlan; /* bridge: that a new port is in; 0: none */
	int lower_netns; /* -1: the same namespace, else the kernel's number of it */
};

/* -ENODEV when there is none of that name or index. */
int vz_rtnl_link(struct vz_rtnl *nl, const char *name, struct vz_link *ret,
		 struct vz_err *err);
int vz_rtnl_link_at(struct vz_rtnl *nl, int index, struct vz_link *ret,
		    struct vz_err *err);
/* Each link in turn, until fn returns something else than 0. */
typedef int (*vz_link_fn)(const struct vz_link *link, void *data);
int vz_rtnl_links(struct vz_rtnl *nl, vz_link_fn fn, void *data, struct vz_err *err);

/* A link to be made, in the namespace where it is to be from the first. */
struct vz_link_new {
	const char *name;
	const unsigned char *mac; /* NULL: the kernel's choice */
	int index; /* 0: the kernel's choice */
	unsigned int mtu; /* 0: the kernel's choice */
	unsigned int flags; /* of IFF_UP, IFF_NOARP: from the first */
	int netns; /* fd of the namespace; -1: the socket's */
};
/*
 * Both ends at once. The kernel heeds peer's index only when end has one, too,
 * and sets peer up only when it is asked afterwards.
 */
int vz_rtnl_veth_add(struct vz_rtnl *nl, const struct vz_link_new *end,
		     const struct vz_link_new *peer, struct vz_err *err);
enum vz_macvlan_mode {
	VZ_MACVLAN_PRIVATE = 1,
	VZ_MACVLAN_VEPA = 2,
	VZ_MACVLAN_BRIDGE = 4,
	VZ_MACVLAN_PASSTHRU = 8,
};
int vz_rtnl_macvlan_add(struct vz_rtnl *nl, int lower, enum vz_macvlan_mode mode,
			const struct vz_link_new *link, struct vz_err *err);

/* What to change of a link; what is 0 or NULL stays as it is. */
struct vz_link_set {
	unsigned int flags, mask; /* of IFF_UP, IFF_NOARP … */
	const char *name; /* it has to be down for that, on older kernels */
	const char *alias;
	const unsigned char *mac;
	unsigned int mtu;
	bool set_master;
	int master; /* with set_master; 0: of none */
	bool set_netns;
	int netns; /* with set_netns: fd of the namespace it goes to */
};
int vz_rtnl_link_set(struct vz_rtnl *nl, int index, const struct vz_link_set *set,
		     struct vz_err *err);
int vz_rtnl_link_del(struct vz_rtnl *nl, int index, struct vz_err *err);

/* VLANs of a bridge's port. */
enum vz_vlan_flags {
	VZ_VLAN_PVID = 1 << 1, /* what comes in without a tag is of it */
	VZ_VLAN_UNTAGGED = 1 << 2, /* leaves without a tag */
};
int vz_rtnl_port_vlan_add(struct vz_rtnl *nl, int port, uint16_t vlan, unsigned int flags,
			  struct vz_err *err);
int vz_rtnl_port_vlan_del(struct vz_rtnl *nl, int port, uint16_t vlan,
			  struct vz_err *err);

/* --- traffic control --- */

/* A token bucket for what leaves by the device; burst in bytes. */
int vz_rtnl_shape(struct vz_rtnl *nl, int dev, uint64_t bytes_per_s, uint32_t burst,
		  struct vz_err *err);
int vz_rtnl_unshape(struct vz_rtnl *nl, int dev, struct vz_err *err);
/* Let nothing leave by the device, until vz_rtnl_unshape(); its carrier stays. */
int vz_rtnl_blackhole(struct vz_rtnl *nl, int dev, struct vz_err *err);
/*
 * Lead what comes in by the device (which has a clsact, and the guard's filter
 * before this) out through another one, an ifb, that puts it back afterwards.
 */
int vz_rtnl_divert(struct vz_rtnl *nl, int dev, int to, struct vz_err *err);
int vz_rtnl_undivert(struct vz_rtnl *nl, int dev, struct vz_err *err);
/* What the token buckets of vz_rtnl_shape() did, in packets. */
struct vz_bucket {
	int dev;
	uint64_t rate; /* bytes a second */
	uint64_t dropped, waited;
};
typedef int (*vz_bucket_fn)(const struct vz_bucket *bucket, void *data);
int vz_rtnl_buckets(struct vz_rtnl *nl, vz_bucket_fn fn, void *data, struct vz_err *err);
int vz_rtnl_ifb_add(struct vz_rtnl *nl, const char *name, struct vz_err *err);

/* --- addresses --- */

/* An IPv6 address is usable at once: nobody is asked whether it has it. */
int vz_rtnl_addr_add(struct vz_rtnl *nl, int dev, const struct vz_ip *ip,
		     enum vz_rtnl_add how, struct vz_err *err);
int vz_rtnl_addr_del(struct vz_rtnl *nl, int dev, const struct vz_ip *ip,
		     struct vz_err *err);
typedef int (*vz_addr_fn)(int dev, const struct vz_ip *ip, void *data);
/* Those of dev (0: of all). */
int vz_rtnl_addrs(struct vz_rtnl *nl, int dev, vz_addr_fn fn, void *data,
		  struct vz_err *err);

/* --- routes --- */

struct vz_route {
	struct vz_ip dst; /* family and no bits: the default route */
	struct vz_ip src; /* the address that the host takes; family 0: any */
	struct vz_ip via; /* family 0: dst is on the link */
	int dev;
	uint8_t protocol; /* who made it: VZ_ROUTE_PROTOCOL for us */
	uint8_t type; /* RTN_UNICAST = 1 when 0 */
	uint32_t table; /* RT_TABLE_MAIN = 254 when 0 */
	uint32_t metric;
};
#define VZ_ROUTE_PROTOCOL 0x76 /* 'v' */

int vz_rtnl_route_add(struct vz_rtnl *nl, const struct vz_route *route,
		      enum vz_rtnl_add how, struct vz_err *err);
int vz_rtnl_route_del(struct vz_rtnl *nl, const struct vz_route *route,
		      struct vz_err *err);
/* How the kernel would send to an address; -ENETUNREACH and the like: not at all. */
int vz_rtnl_route_to(struct vz_rtnl *nl, const struct vz_ip *ip, struct vz_route *ret,
		     struct vz_err *err);
typedef int (*vz_route_fn)(const struct vz_route *route, void *data);
/* Those of both families; where dev, protocol or table is not 0, of these only. */
int vz_rtnl_routes(struct vz_rtnl *nl, const struct vz_route *filter, vz_route_fn fn,
		   void *data, struct vz_err *err);

/* --- addresses that the host answers for (proxy ARP, proxy NDP) --- */

int vz_rtnl_proxy_add(struct vz_rtnl *nl, int dev, const struct vz_ip *ip,
		      struct vz_err *err);
int vz_rtnl_proxy_del(struct vz_rtnl *nl, int dev, const struct vz_ip *ip,
		      struct vz_err *err);
int vz_rtnl_proxies(struct vz_rtnl *nl, vz_addr_fn fn, void *data, struct vz_err *err);

#endif
