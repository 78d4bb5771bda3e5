/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/word.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "base/num.h"
#include "sys/caps.h"
#include "sys/dev.h"
#include "sys/feature.h"
#include "sys/lxcfs.h"

/* Letters and digits of ASCII, whatever the locale is. */
static bool is_alnum(char c)
{
	return isascii((unsigned char)c) && isalnum((unsigned char)c);
}

static int take(const char *s, struct vz_str *out)
{
	vz_str_add(out, s);
	return 0;
}

static bool is_number(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

int vz_word_name(const char *s, struct vz_str *out)
{
	for (const char *p = s; *p; p++)
		if (!is_alnum(*p) && !strchr(" -+_.", *p))
			return -EINVAL;
	/* It is a file in names/, too. */
	if (!strcmp(s, ".") || !strcmp(s, "..") || strlen(s) > 255)
		return -EINVAL;
	return take(s, out);
}

int vz_word_hostname(const char *s, struct vz_str *out)
{
	return vz_bad_hostname(s) ? -EINVAL : take(s, out);
}

int vz_word_file(const char *s, struct vz_str *out)
{
	if (!*s || *s == '.' || strlen(s) > 200)
		return -EINVAL;
	for (const char *p = s; *p; p++)
		if (!is_alnum(*p) && !strchr("-+_.@:~", *p))
			return -EINVAL;
	return take(s, out);
}

int vz_word_group(const char *s, struct vz_str *out)
{
	if (!*s || *s == '/' || strstr(s, "..") || strstr(s, "//") || strlen(s) > 48)
		return -EINVAL;
	for (const char *p = s; *p; p++)
		if (!is_alnum(*p) && !strchr("-_./", *p))
			return -EINVAL;
	return s[strlen(s) - 1] == '/' ? -EINVAL : take(s, out);
}

int vz_word_layout(const char *s, struct vz_str *out)
{
	static const char *const known[] = {
		"simfs", "overlay", "ploop", "ploop:expanded", "ploop:plain", "ploop:raw"
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(known); i++)
		if (!strcmp(s, known[i]))
			return take(s, out);
	return -EINVAL;
}

/* "24" of "10.0.0.1/24": a prefix length, or an IPv4 mask. */
static int prefix(const char *s, int family, unsigned int *ret)
{
	struct in_addr mask;
	uint64_t v;

	if (!vz_parse_u64(s, family == AF_INET ? 32 : 128, &v)) {
		*ret = v;
		return 0;
	}
	if (family != AF_INET || inet_pton(AF_INET, s, &mask) != 1)
		return -EINVAL;
	v = ~ntohl(mask.s_addr) & 0xffffffff;
	if (v & (v + 1))
		return -EINVAL;
	*ret = 32 - __builtin_popcountll(v);
	return 0;
}

static int address(const char *s, char buf[INET6_ADDRSTRLEN], int *ret_family)
{
	unsigned char raw[16];

	*ret_family = strchr(s, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(*ret_family, s, raw) != 1)
		return -EINVAL;
	inet_ntop(*ret_family, raw, buf, INET6_ADDRSTRLEN);
	return 0;
}

int vz_word_ip(const char *s, struct vz_str *out)
{
	char text[INET6_ADDRSTRLEN], part[INET6_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	unsigned int bits = 0;
	int family;

	if (n >= sizeof(part))
		return -EINVAL;
	memcpy(part, s, n);
	part[n] = 0;
	if (address(part, text, &family) || (slash && prefix(slash + 1, family, &bits)))
		return -EINVAL;
	vz_str_add(out, text);
	if (slash)
		vz_str_addf(out, "/%u", bits);
	return 0;
}

int vz_word_dns(const char *s, struct vz_str *out)
{
	char text[INET6_ADDRSTRLEN];
	int family;

	if (!strcmp(s, "inherit"))
		return take(s, out);
	return address(s, text, &family) ? -EINVAL : take(text, out);
}

int vz_word_domain(const char *s, struct vz_str *out)
{
	return vz_bad_domain(s) ? -EINVAL : take(s, out);
}

int vz_word_ifname(const char *s, struct vz_str *out)
{
	size_t n = strlen(s);

	if (!n || n >= IFNAMSIZ || !strcmp(s, ".") || !strcmp(s, "..") ||
	    !strcmp(s, "all"))
		return -EINVAL;
	for (; *s; s++)
		if (!is_alnum(*s) && !strchr("-_.@+", *s))
			return -EINVAL;
	return take(s - n, out);
}

static int on_off(const char *s, struct vz_str *out)
{
	return strcmp(s, "on") && strcmp(s, "off") ? -EINVAL : take(s, out);
}

/* The name of NAME:on or NAME:off, to be freed by the caller, and its switch. */
static char *switch_name(const char *s, const char **ret_state)
{
	const char *colon = strrchr(s, ':');

	if (!colon)
		return NULL;
	*ret_state = colon + 1;
	return strndup(s, colon - s);
}

int vz_word_capability(const char *s, struct vz_str *out)
{
	const char *state;
	vz_autofree char *name = switch_name(s, &state);
	int cap = name ? vz_caps_find(name) : -EINVAL;

	if (cap >= 0)
		vz_str_add(out, vz_caps_name(cap));
	else if (cap == -EOPNOTSUPP) /* OpenVZ's own: kept, without effect */
		vz_str_add(out, name);
	else
		return -EINVAL;
	vz_str_add(out, ":");
	return on_off(state, out);
}

int vz_word_feature(const char *s, struct vz_str *out)
{
	const char *state;
	vz_autofree char *name = switch_name(s, &state);
	int f = name ? vz_feature_find(name) : -1;

	if (f < 0)
		return -EINVAL;
	vz_str_addf(out, "%s:", vz_features[f].name);
	return on_off(state, out);
}

int vz_word_devnode(const char *s, struct vz_str *out)
{
	return vz_dev_check_devnode(s, NULL) ? -EINVAL : take(s, out);
}

int vz_word_device(const char *s, struct vz_str *out)
{
	return vz_dev_check_device(s, NULL) ? -EINVAL : take(s, out);
}

int vz_word_pci(const char *s, struct vz_str *out)
{
	unsigned int domain = 0, bus, slot, fn;
	int end = 0;

	if (sscanf(s, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &fn, &end) != 4) {
		domain = end = 0;
		if (sscanf(s, "%2x:%2x.%1x%n", &bus, &slot, &fn, &end) != 3)
			return -EINVAL;
	}
	if (!end || s[end] || slot > 0x1f || fn > 7 ||
	    s[strspn(s, "0123456789abcdefABCDEF:.")])
		return -EINVAL;
	vz_str_addf(out, "%04x:%02x:%02x.%x", domain, bus, slot, fn);
	return 0;
}

int vz_word_bind(const char *s, struct vz_str *out)
{
	const char *colon = strchr(s, ':'), *mode;

	if (*s != '/' || !colon || colon[1] != '/')
		return -EINVAL;
	mode = strchr(colon + 1, ':');
	if (mode && strcmp(mode, ":ro") && strcmp(mode, ":rw"))
		return -EINVAL;
	return take(s, out);
}

static int numbers(const char *s, uint64_t max, struct vz_str *out)
{
	vz_autofree char *copy = strdup(s);
	char *next = copy, *range, *high;
	uint64_t a, b;

	if (!copy || !*s)
		return -EINVAL;
	while ((range = strsep(&next, ","))) {
		high = strchr(range, '-');
		if (high)
			*high++ = 0;
		if (vz_parse_u64(range, max, &a) ||
		    (high && (vz_parse_u64(high, max, &b) || b < a)))
			return -EINVAL;
	}
	return take(s, out);
}

int vz_word_cpus(const char *s, struct vz_str *out)
{
	if (!strcmp(s, "all") || !strcmp(s, "auto"))
		return take(s, out);
	return numbers(s, 8191, out);
}

int vz_word_nodes(const char *s, struct vz_str *out)
{
	return strcmp(s, "all") ? numbers(s, 1023, out) : take(s, out);
}

int vz_word_meminfo(const char *s, struct vz_str *out)
{
	const char *colon = strchr(s, ':');

	if (!strcmp(s, "none"))
		return take(s, out);
	if (!colon || !is_number(colon + 1) || !colon[1 + strspn(colon + 1, "0")] ||
	    (strncmp(s, "pages:", 6) && strncmp(s, "privvmpages:", 12)))
		return -EINVAL;
	return take(s, out);
}

int vz_word_lxcfs(const char *s, struct vz_str *out)
{
	return vz_lxcfs_find(s) < 0 ? -EINVAL : take(s, out);
}

int vz_word_pool(const char *s, struct vz_str *out)
{
	const char *colon = strchr(s, ':');
	vz_autofree char *low = colon ? strndup(s, colon - s) : NULL;
	uint64_t first, last;

	if (!low || vz_parse_u64(low, UINT32_MAX - 1, &first) ||
	    vz_parse_u64(colon + 1, UINT32_MAX - 1, &last) || last < first + 65535)
		return -EINVAL;
	return take(s, out);
}

int vz_word_poolname(const char *s, struct vz_str *out)
{
	for (const char *p = s; *p; p++)
		if (!is_alnum(*p) && (p == s || !strchr("-_", *p)))
			return -EINVAL;
	return *s && strlen(s) <= VZ_POOLNAME_MAX ? take(s, out) : -EINVAL;
}
