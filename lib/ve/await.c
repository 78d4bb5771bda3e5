/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/await.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "ve/net.h"

/* Behind any route that somebody would make. */
#define METRIC 0xfffffff0u
#define QUEUE_LEN 8192
#define PACKET_MAX 65536

/* --- the device --- */

static int make_device(const struct vz_ve *ve, int *ret_tun, int *ret_dev)
{
	vz_autofd int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	vz_autofd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI };

	snprintf(req.ifr_name, sizeof(req.ifr_name), "vzin%u", ve->id);
	if (tun < 0 || sock < 0 || ioctl(tun, TUNSETIFF, &req))
		return -errno;
	req.ifr_qlen = QUEUE_LEN;
	if (ioctl(sock, SIOCSIFTXQLEN, &req))
		return -errno;
	*ret_dev = (int)if_nametoindex(req.ifr_name);
	*ret_tun = vz_take_fd(&tun);
	return *ret_dev ? 0 : -errno;
}

static int lead_here(const struct vz_await *a, const struct vz_ve *ve, int dev,
		     struct vz_err *err)
{
	vz_autofree char *alias = vz_strf("vz %u awaited", ve->id);
	struct vz_link_set up = { .flags = IFF_UP, .mask = IFF_UP, .alias = alias };
	int r = vz_rtnl_link_set(a->nl, dev, &up, err);

	for (size_t i = 0; i < a->ips.n && !r; i++) {
		struct vz_route route = { .dst = a->ips.v[i],
					  .dev = dev,
					  .protocol = VZ_ROUTE_PROTOCOL,
					  .metric = METRIC };

		route.dst.bits = vz_ip_len(&route.dst) * 8;
		r = vz_rtnl_route_add(a->nl, &route, VZ_RTNL_NEW, err);
	}
	return r;
}

/* --- where it is going to be --- */

static int find_near(const struct vz_ve *ve, struct vz_await *a, struct vz_err *err)
{
	int r = vz_ips_read(ve->cfg, &a->ips, NULL, err);

	if (!r)
		r = vz_rtnl_open(&a->nl, err);
	return r ? r : vz_neighbours_find(ve, a->nl, &a->ips, &a->near, err);
}

static int announce(const struct vz_neighbours *near, struct vz_err *err)
{
	vz_autotalk struct vz_neighbours_talk talk = { 0 };
	int r = vz_neighbours_open(near, &talk, err);

	if (!r)
		vz_neighbours_announce(&talk);
	return r;
}

static void drop_proxies(const struct vz_await *a)
{
	for (size_t i = 0; i < a->near.n; i++)
		vz_rtnl_proxy_del(a->nl, a->near.v[i].dev, &a->near.v[i].ip, NULL);
}

static int answer_for_it(const struct vz_await *a, struct vz_err *err)
{
	int r = 0;

	for (size_t i = 0; i < a->near.n && !r; i++)
		r = vz_rtnl_proxy_add(a->nl, a->near.v[i].dev, &a->near.v[i].ip, err);
	if (!r)
		r = announce(&a->near, err);
	if (r)
		drop_proxies(a);
	return r;
}

int vz_await_begin(const struct vz_ve *ve, struct vz_await *ret, struct vz_err *err)
{
	VZ_CLEANUP(vz_await_end) struct vz_await a = VZ_AWAIT_NONE;
	int dev = 0, r = find_near(ve, &a, err);

	if (r || !a.ips.n)
		return r;
	r = make_device(ve, &a.tun, &dev);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r,
				  "can't make a tun device (module tun?)");
	r = lead_here(&a, ve, dev, err);
	if (!r)
		r = answer_for_it(&a, err);
	if (r)
		return r;
	*ret = a;
	a = VZ_AWAIT_NONE;
	return 0;
}

/* What the node itself says on the device is not meant for the VE. */
static bool is_for_it(const struct vz_await *a, const unsigned char *p, ssize_t n)
{
	struct vz_ip to = { .family = p[0] >> 4 == 6 ? AF_INET6 : AF_INET };
	int at = to.family == AF_INET6 ? 24 : 16;

	if (n < 20 || (to.family == AF_INET6 && n < 40))
		return false;
	memcpy(to.a, p + at, vz_ip_len(&to));
	for (size_t i = 0; i < a->ips.n; i++)
		if (vz_ip_same(&to, &a->ips.v[i]))
			return true;
	return false;
}

unsigned int vz_await_deliver(struct vz_await *a, const struct vz_ve *ve)
{
	vz_autofree unsigned char *packet = malloc(PACKET_MAX);
	vz_autofd int sock = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	unsigned int count = 0;
	struct vz_link link;
	char name[IFNAMSIZ];
	ssize_t n;

	snprintf(name, sizeof(name), "venet%u", ve->id);
	if (a->tun < 0 || !packet || sock < 0 || vz_rtnl_link(a->nl, name, &link, NULL))
		return 0;
	to.sll_ifindex = link.index;
	/* Both ends of it have this one. */
	memcpy(to.sll_addr, link.mac, ETH_ALEN);
	while ((n = read(a->tun, packet, PACKET_MAX)) > 0) {
		if (!is_for_it(a, packet, n))
			continue;
		to.sll_protocol =
			htons(packet[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
		if (sendto(sock, packet, n, 0, (struct sockaddr *)&to, sizeof(to)) == n)
			count++;
	}
	return count;
}

void vz_await_end(struct vz_await *a)
{
	if (a->tun >= 0)
		close(a->tun);
	vz_rtnl_close(a->nl);
	vz_ips_done(&a->ips);
	vz_neighbours_done(&a->near);
	*a = VZ_AWAIT_NONE;
}

void vz_await_forget(const struct vz_ve *ve)
{
	VZ_CLEANUP(vz_await_end) struct vz_await a = VZ_AWAIT_NONE;

	if (!find_near(ve, &a, NULL))
		drop_proxies(&a);
}

/* --- where it stands still --- */

int vz_await_leave(const struct vz_ve *ve, struct vz_err *err)
{
	static const struct vz_neighbours none;
	vz_autortnl struct vz_rtnl *nl = NULL;
	int r = vz_rtnl_open(&nl, err);

	return r ? r : vz_neighbours_set(ve, nl, &none, err);
}

int vz_await_return(struct vz_ve *ve, struct vz_err *err)
{
	VZ_CLEANUP(vz_await_end) struct vz_await a = VZ_AWAIT_NONE;
	int r = vz_net_repair(ve, err);

	if (!r)
		r = find_near(ve, &a, err);
	return r || !a.near.n ? r : announce(&a.near, err);
}
