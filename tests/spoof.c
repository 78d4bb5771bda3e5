/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VE's root might send: frames built by hand, past all of its kernel's
 * own choices. For tests of the guard on VEs' links.
 *
 *   spoof DEVICE ipv4 SOURCE DESTINATION [vlan|fragment]   UDP to port 7777
 *   spoof DEVICE ipv6 SOURCE DESTINATION
 *   spoof DEVICE arp SOURCE-MAC [SENDER-MAC]               from that MAC; saying
 *                                                          another one
 *   spoof DEVICE na ADDRESS MAC [hopopts|many]             IPv6: the address is at
 *                                                          that MAC
 *   spoof DEVICE askers TARGET COUNT                       ARP for it from as many
 *   spoof DEVICE dials SOURCE COUNT                        UDP to so many of
 *                                                          10.77.128.0/17
 *
 * Ends with 0 when the kernel took it.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char frame[256];
static size_t len;

static void put(const void *p, size_t n)
{
	memcpy(frame + len, p, n);
	len += n;
}

static void put16(uint16_t v)
{
	v = htons(v);
	put(&v, sizeof(v));
}

static uint16_t sum(const void *p, size_t n)
{
	const unsigned char *b = p;
	uint32_t s = 0;

	for (size_t i = 0; i < n; i += 2)
		s += b[i] << 8 | b[i + 1];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons(~s);
}

static void put_udp(void)
{
	static const char text[] = "spoofed";
	struct udphdr udp = { .source = htons(7777),
			      .dest = htons(7777),
			      .len = htons(sizeof(udp) + sizeof(text)) };

	put(&udp, sizeof(udp));
	put(text, sizeof(text));
}

static int ipv4(const char *src, const char *dst, const char *how)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };

	if (!inet_pton(AF_INET, src, &ip.saddr) || !inet_pton(AF_INET, dst, &ip.daddr))
		return 2;
	if (how && !strcmp(how, "vlan")) {
		put16(ETHERTYPE_VLAN);
		put16(1);
	}
	if (how && !strcmp(how, "fragment"))
		ip.frag_off = htons(0x2000 | 1);
	put16(ETHERTYPE_IP);
	ip.tot_len = htons(sizeof(ip) + sizeof(struct udphdr) + 8);
	ip.check = sum(&ip, sizeof(ip));
	put(&ip, sizeof(ip));
	put_udp();
	return 0;
}

static int ipv6(const char *src, const char *dst)
{
	struct ip6_hdr ip = { .ip6_flow = htonl(6u << 28), .ip6_nxt = IPPROTO_UDP };

	if (!inet_pton(AF_INET6, src, &ip.ip6_src) ||
	    !inet_pton(AF_INET6, dst, &ip.ip6_dst))
		return 2;
	ip.ip6_hlim = 64;
	ip.ip6_plen = htons(sizeof(struct udphdr) + 8);
	put16(ETHERTYPE_IPV6);
	put(&ip, sizeof(ip));
	put_udp();
	return 0;
}

static int read_mac(const char *s, unsigned char mac[6])
{
	return sscanf(s, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3,
		      mac + 4, mac + 5) == 6
		       ? 0
		       : 2;
}

static int arp(const char *from, const char *sender)
{
	unsigned char mac[6], said[6];

	if (read_mac(from, mac) || read_mac(sender ? sender : from, said))
		return 2;
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	put16(ETHERTYPE_ARP);
	put16(1);
	put16(ETHERTYPE_IP);
	put("\6\4\0\1", 4);
	put(said, 6);
	put("\12\0\0\1\0\0\0\0\0\0\12\0\0\2", 14);
	return 0;
}

static uint16_t sum6(const struct ip6_hdr *ip, const void *p, uint16_t n)
{
	unsigned char all[256];

	memcpy(all, &ip->ip6_src, 32);
	memset(all + 32, 0, 8);
	all[35] = n;
	all[39] = IPPROTO_ICMPV6;
	memcpy(all + 40, p, n);
	return sum(all, 40 + n);
}

/* To all nodes; `many`: behind so many headers that nobody would look there. */
static int na(const char *address, const char *at, const char *how)
{
	struct {
		struct nd_neighbor_advert head;
		struct nd_opt_hdr opt;
		unsigned char mac[6];
	} adv = { .head = { .nd_na_type = ND_NEIGHBOR_ADVERT,
			    .nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE },
		  .opt = { ND_OPT_TARGET_LINKADDR, 1 } };
	int n = !how ? 0 : !strcmp(how, "many") ? 8 : 1;
	struct ip6_hdr ip = { .ip6_flow = htonl(6u << 28), .ip6_hlim = 255 };

	if (!inet_pton(AF_INET6, address, &adv.head.nd_na_target) ||
	    read_mac(at, adv.mac))
		return 2;
	ip.ip6_src = adv.head.nd_na_target;
	inet_pton(AF_INET6, "ff02::1", &ip.ip6_dst);
	ip.ip6_nxt = n ? IPPROTO_DSTOPTS : IPPROTO_ICMPV6;
	ip.ip6_plen = htons(sizeof(adv) + 8 * n);
	adv.head.nd_na_cksum = sum6(&ip, &adv, sizeof(adv));
	memcpy(frame, "\x33\x33\0\0\0\1", 6);
	put16(ETHERTYPE_IPV6);
	put(&ip, sizeof(ip));
	for (int i = 1; i <= n; i++) {
		unsigned char pad[8] = { i < n ? IPPROTO_DSTOPTS : IPPROTO_ICMPV6, 0, 1,
					 4 };

		put(pad, sizeof(pad));
	}
	put(&adv, sizeof(adv));
	return 0;
}

static int out(int fd, const struct sockaddr_ll *to)
{
	return sendto(fd, frame, len, 0, (const struct sockaddr *)to, sizeof(*to)) < 0;
}

/* The i-th address of 10.77.128.0/17. */
static void far_one(unsigned int i, char text[32])
{
	snprintf(text, 32, "10.77.%u.%u", 128 + i / 250 % 128, i % 250 + 1);
}

static int asker(unsigned int i, const char *target)
{
	unsigned char mac[6];
	char text[32];

	memcpy(mac, frame + 6, 6);
	memset(frame, 0xff, 6);
	put16(ETHERTYPE_ARP);
	put16(1);
	put16(ETHERTYPE_IP);
	put("\6\4\0\1", 4);
	put(mac, 6);
	far_one(i, text);
	inet_pton(AF_INET, text, frame + len);
	memset(frame + len + 4, 0, 6);
	inet_pton(AF_INET, target, frame + len + 10);
	len += 14;
	return 0;
}

static int flood(int fd, const struct sockaddr_ll *to, bool dials, const char *address,
		 unsigned int n)
{
	char text[32];
	int r = 0;

	for (unsigned int i = 0; i < n && !r; i++) {
		len = 12;
		far_one(i, text);
		r = dials ? ipv4(address, text, NULL) : asker(i, address);
		/* A full queue is what it wants. */
		if (!r && out(fd, to))
			usleep(100);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), r = 2;
	struct ifreq ifr = { 0 };

	if (argc < 4 || fd < 0)
		return 2;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[1]);
	if (ioctl(fd, SIOCGIFINDEX, &ifr))
		return 2;
	to.sll_ifindex = ifr.ifr_ifindex;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		return 2;
	/* Of venet both ends have one and the same. */
	put(ifr.ifr_hwaddr.sa_data, 6);
	put(ifr.ifr_hwaddr.sa_data, 6);
	if (!strcmp(argv[2], "arp"))
		r = arp(argv[3], argv[4]);
	else if (!strcmp(argv[2], "ipv4") && argc > 4)
		r = ipv4(argv[3], argv[4], argv[5]);
	else if (!strcmp(argv[2], "ipv6") && argc > 4)
		r = ipv6(argv[3], argv[4]);
	else if (!strcmp(argv[2], "na") && argc > 4)
		r = na(argv[3], argv[4], argv[5]);
	memcpy(to.sll_addr, frame, 6);
	if ((!strcmp(argv[2], "askers") || !strcmp(argv[2], "dials")) && argc > 4)
		return flood(fd, &to, argv[2][0] == 'd', argv[3], atoi(argv[4]));
	return r ? r : out(fd, &to);
}
