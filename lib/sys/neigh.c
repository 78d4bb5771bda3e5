/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/neigh.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* ARP for IPv4 on Ethernet, as it stands in the frame. */
struct arp {
	struct arphdr h;
	unsigned char sender_mac[6], sender[4], target_mac[6], target[4];
} __attribute__((packed));

/* A solicitation or an advertisement; only the latter has the option. */
struct ndp {
	struct ip6_hdr ip;
	struct nd_neighbor_advert na;
	struct nd_opt_hdr opt;
	unsigned char mac[6];
} __attribute__((packed));

/* A flood of others' packets ends the wait, too. */
#define PACKETS_MAX 4096

#define NS_LEN offsetof(struct ndp, opt)

static const unsigned char everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

int vz_neigh_open(int dev, const unsigned char mac[6], int family, struct vz_neigh *ret,
		  struct vz_err *err)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(family == AF_INET ? ETH_P_ARP : ETH_P_IPV6),
		.sll_ifindex = dev,
	};
	/* Nothing is received before it is bound to the device. */
	vz_autofd int fd =
		socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return vz_err_set(err, VZ_E_SYSTEM, errno,
				  "can't talk with the neighbours on device %d", dev);
	*ret = (struct vz_neigh){ .fd = vz_take_fd(&fd), .dev = dev, .family = family };
	memcpy(ret->mac, mac, 6);
	return 0;
}

void vz_neigh_close(struct vz_neigh *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

static int send_to(const struct vz_neigh *n, const unsigned char mac[6], const void *p,
		   size_t len)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(n->family == AF_INET ? ETH_P_ARP : ETH_P_IPV6),
		.sll_ifindex = n->dev,
		.sll_halen = 6,
	};

	memcpy(to.sll_addr, mac, 6);
	return sendto(n->fd, p, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno
										: 0;
}

static struct arp make_arp(const struct vz_neigh *n, const struct vz_ip *ip)
{
	struct arp a = { .h = { htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), 6, 4,
				htons(ARPOP_REQUEST) } };

	memcpy(a.sender_mac, n->mac, 6);
	memcpy(a.target, ip->a, 4);
	return a;
}

static uint32_t add_up(uint32_t sum, const void *p, size_t len)
{
	const unsigned char *b = p;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += b[i] << 8 | b[i + 1];
	return sum;
}

/* The checksum of ICMPv6, over a pseudo-header, too (RFC 8200, 8.1). */
static void sign(struct ndp *m, size_t len)
{
	size_t body = len - sizeof(m->ip);
	uint32_t sum = body + IPPROTO_ICMPV6;

	m->ip.ip6_plen = htons(body);
	sum = add_up(sum, &m->ip.ip6_src, 32);
	sum = add_up(sum, &m->na, body);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	m->na.nd_na_cksum = htons(~sum);
}

static struct ndp make_ndp(const struct vz_ip *ip, int type)
{
	struct ndp m = { 0 };

	m.ip.ip6_flow = htonl(6u << 28);
	m.ip.ip6_nxt = IPPROTO_ICMPV6;
	m.ip.ip6_hlim = 255;
	m.ip.ip6_dst.s6_addr[0] = 0xff;
	m.ip.ip6_dst.s6_addr[1] = 2;
	m.ip.ip6_dst.s6_addr[15] = 1;
	m.na.nd_na_type = type;
	memcpy(&m.na.nd_na_target, ip->a, 16);
	return m;
}

static int ask6(const struct vz_neigh *n, const struct vz_ip *ip)
{
	unsigned char group[6] = { 0x33, 0x33, 0xff, ip->a[13], ip->a[14], ip->a[15] };
	struct ndp m = make_ndp(ip, ND_NEIGHBOR_SOLICIT);

	/* The solicited-node group of the address. */
	m.ip.ip6_dst.s6_addr[11] = 1;
	m.ip.ip6_dst.s6_addr[12] = 0xff;
	memcpy(m.ip.ip6_dst.s6_addr + 13, ip->a + 13, 3);
	sign(&m, NS_LEN);
	return send_to(n, group, &m, NS_LEN);
}

int vz_neigh_ask(const struct vz_neigh *n, const struct vz_ip *ip)
{
	struct arp a;

	if (ip->family == AF_INET6)
		return ask6(n, ip);
	a = make_arp(n, ip);
	return send_to(n, everybody, &a, sizeof(a));
}

int vz_neigh_announce(const struct vz_neigh *n, const struct vz_ip *ip)
{
	static const unsigned char all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct ndp m;
	struct arp a;

	if (ip->family == AF_INET) {
		a = make_arp(n, ip);
		memcpy(a.sender, ip->a, 4);
		return send_to(n, everybody, &a, sizeof(a));
	}
	m = make_ndp(ip, ND_NEIGHBOR_ADVERT);
	m.na.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE | ND_NA_FLAG_ROUTER;
	memcpy(&m.ip.ip6_src, ip->a, 16);
	m.opt.nd_opt_type = ND_OPT_TARGET_LINKADDR;
	m.opt.nd_opt_len = 1;
	memcpy(m.mac, n->mac, 6);
	sign(&m, sizeof(m));
	return send_to(n, all_nodes, &m, sizeof(m));
}

/* Whether a packet says that somebody has an address, and which. */
static bool says_mine(const struct vz_neigh *n, const void *p, size_t len,
		      struct vz_ip *ret)
{
	const struct arp *a = p;
	const struct ndp *m = p;

	memset(ret, 0, sizeof(*ret));
	ret->family = n->family;
	if (n->family == AF_INET) {
		static const unsigned char nobody[4];

		ret->bits = 32;
		if (len < sizeof(*a) || a->h.ar_pln != 4 || a->h.ar_hln != 6 ||
		    a->h.ar_pro != htons(ETHERTYPE_IP) || !memcmp(a->sender, nobody, 4))
			return false;
		memcpy(ret->a, a->sender, 4);
		return true;
	}
	ret->bits = 128;
	if (len < NS_LEN || m->ip.ip6_nxt != IPPROTO_ICMPV6 ||
	    m->na.nd_na_type != ND_NEIGHBOR_ADVERT)
		return false;
	memcpy(ret->a, &m->na.nd_na_target, 16);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int vz_neigh_answer(const struct vz_neigh *n, int timeout_ms, struct vz_ip *ret_ip,
		    unsigned char ret_mac[6])
{
	int64_t end = now_ms() + timeout_ms, left;
	struct pollfd p = { .fd = n->fd, .events = POLLIN };
	unsigned char buf[1536] __attribute__((aligned(8)));

	/* What has come already is read, however little time there is. */
	for (int packets = 0; packets < PACKETS_MAX; packets++) {
		struct sockaddr_ll from = { 0 };
		socklen_t size = sizeof(from);
		ssize_t len = recvfrom(n->fd, buf, sizeof(buf), 0,
				       (struct sockaddr *)&from, &size);

		if (len >= 0 && from.sll_pkttype != PACKET_OUTGOING &&
		    memcmp(from.sll_addr, n->mac, 6) && says_mine(n, buf, len, ret_ip)) {
			memcpy(ret_mac, from.sll_addr, 6);
			return 1;
		}
		if (len < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		left = end - now_ms();
		if (len < 0 && left <= 0)
			break;
		if (len < 0)
			poll(&p, 1, left);
	}
	return 0;
}
