/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

int vz_ip_parse(const char *s, struct vz_ip *ret)
{
	char text[INET6_ADDRSTRLEN];
	struct vz_ip ip = { 0 };
	size_t n = strcspn(s, "/");
	uint64_t bits;

	if (n >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, n);
	text[n] = 0;
	if (inet_pton(AF_INET, text, ip.a) == 1)
		ip.family = AF_INET;
	else if (inet_pton(AF_INET6, text, ip.a) == 1)
		ip.family = AF_INET6;
	else
		return -EINVAL;
	bits = vz_ip_len(&ip) * 8;
	if (s[n] && vz_parse_u64(s + n + 1, bits, &bits))
		return -EINVAL;
	ip.bits = bits;
	*ret = ip;
	return 0;
}

const char *vz_ip_host_text(const struct vz_ip *ip, char buf[VZ_IP_STRLEN])
{
	if (!ip->family || !inet_ntop(ip->family, ip->a, buf, VZ_IP_STRLEN))
		strcpy(buf, "none");
	return buf;
}

const char *vz_ip_text(const struct vz_ip *ip, char buf[VZ_IP_STRLEN])
{
	vz_ip_host_text(ip, buf);
	if (ip->family && ip->bits != vz_ip_len(ip) * 8)
		snprintf(buf + strlen(buf), 5, "/%u", ip->bits);
	return buf;
}

bool vz_ip_same(const struct vz_ip *a, const struct vz_ip *b)
{
	return a->family == b->family && !memcmp(a->a, b->a, vz_ip_len(a));
}

bool vz_ip_within(const struct vz_ip *a, const struct vz_ip *net)
{
	size_t whole = net->bits / 8;
	unsigned int rest = net->bits % 8;

	if (a->family != net->family || memcmp(a->a, net->a, whole))
		return false;
	return !rest || !((a->a[whole] ^ net->a[whole]) >> (8 - rest));
}

bool vz_ip_usable(const struct vz_ip *ip)
{
	static const unsigned char none[16], loop6[16] = { [15] = 1 };

	if (!ip->family)
		return false;
	if (ip->family == AF_INET)
		return ip->a[0] && ip->a[0] != 127 && ip->a[0] < 224;
	/* Of its link only, which nobody but the node is on. */
	if (vz_ip_link_local(ip))
		return false;
	/* Those that stand for IPv4 addresses never are a source on a wire. */
	return memcmp(ip->a, none, 10)
		       ? ip->a[0] != 0xff
		       : memcmp(ip->a, none, 16) && memcmp(ip->a, loop6, 16) &&
				 !(ip->a[10] == 0xff && ip->a[11] == 0xff);
}

bool vz_ip_link_local(const struct vz_ip *ip)
{
	if (ip->family == AF_INET)
		return ip->a[0] == 169 && ip->a[1] == 254;
	return ip->family == AF_INET6 && ip->a[0] == 0xfe && (ip->a[1] & 0xc0) == 0x80;
}
