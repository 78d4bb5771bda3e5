/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/netif.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "res/word.h"

static const char *const types[] = { "veth", "macvlan", NULL };
static const char *const modes[] = { "private", "vepa", "bridge", "passthru", NULL };

static int parse_name(char ret[IFNAMSIZ], const char *s)
{
	vz_autostr struct vz_str name = { 0 };

	if (*s && (vz_word_ifname(s, &name) || name.failed))
		return -EINVAL;
	snprintf(ret, IFNAMSIZ, "%s", s);
	return 0;
}

/* In the VE: what another name there stands for already is none to give. */
static int parse_ifname(char ret[IFNAMSIZ], const char *s)
{
	static const char *const taken[] = { "", "lo", "venet0", "all", "default" };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(taken); i++)
		if (!strcmp(s, taken[i]))
			return -EINVAL;
	return parse_name(ret, s);
}

/* Six pairs of hexadecimal digits; of one station, not of a group of them. */
static int parse_mac(uint8_t ret[VZ_NETIF_MAC_LEN], const char *s)
{
	unsigned int b[VZ_NETIF_MAC_LEN] = { 0 };
	uint8_t mac[VZ_NETIF_MAC_LEN];
	int end = 0;

	if (*s && (strlen(s) != 17 || s[strspn(s, "0123456789abcdefABCDEF:")] ||
		   sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", b, b + 1, b + 2, b + 3, b + 4,
			  b + 5, &end) != VZ_NETIF_MAC_LEN ||
		   end != 17))
		return -EINVAL;
	for (size_t i = 0; i < VZ_NETIF_MAC_LEN; i++)
		mac[i] = b[i];
	if (*s && (mac[0] & 1 || !vz_netif_has_mac(mac)))
		return -EINVAL;
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

static int parse_vlan(uint16_t *ret, const char *s)
{
	uint64_t v = 0;

	if (*s && vz_parse_u64(s, VZ_NETIF_VLAN_MAX, &v))
		return -EINVAL;
	*ret = v;
	return 0;
}

static int parse_filter(bool *ret_off, const char *s)
{
	if (*s && strcmp(s, "on") && strcmp(s, "off"))
		return -EINVAL;
	*ret_off = !strcmp(s, "off");
	return 0;
}

static int parse_word(const char *const *words, unsigned int *ret, const char *s)
{
	if (!*s)
		return *ret = 0, 0;
	for (unsigned int i = 0; words[i]; i++)
		if (!strcmp(words[i], s))
			return *ret = i, 0;
	return -EINVAL;
}

/* The first five in the order of vzctl 4's --netif_add. */
enum field {
	IFNAME,
	MAC,
	HOST_IFNAME,
	HOST_MAC,
	BRIDGE,
	MAC_FILTER,
	VLAN,
	TYPE,
	LINK,
	MODE,
	FIELD__COUNT,
};
#define WITHOUT_NAME MAC_FILTER

static const char *const fields[FIELD__COUNT] = {
	[IFNAME] = "ifname",	 [MAC] = "mac",	      [HOST_IFNAME] = "host_ifname",
	[HOST_MAC] = "host_mac", [BRIDGE] = "bridge", [MAC_FILTER] = "mac_filter",
	[VLAN] = "vlan",	 [TYPE] = "type",     [LINK] = "link",
	[MODE] = "mode",
};

static int set(struct vz_netif *n, enum field f, const char *s)
{
	switch (f) {
	case IFNAME:
		return parse_ifname(n->ifname, s);
	case MAC:
		return parse_mac(n->mac, s);
	case HOST_IFNAME:
		return parse_name(n->host_ifname, s);
	case HOST_MAC:
		return parse_mac(n->host_mac, s);
	case BRIDGE:
		return parse_name(n->bridge, s);
	case MAC_FILTER:
		return parse_filter(&n->no_mac_filter, s);
	case VLAN:
		return parse_vlan(&n->vlan, s);
	case TYPE:
		return parse_word(types, &n->type, s);
	case LINK:
		return parse_name(n->link, s);
	case MODE:
		return parse_word(modes, &n->mode, s);
	case FIELD__COUNT:
		break;
	}
	return -EINVAL;
}

/* What goes with which kind, and what that one can't do without. */
static bool consistent(const struct vz_netif *n)
{
	if (!*n->ifname)
		return false;
	if (n->type == VZ_NETIF_MACVLAN)
		return *n->link && !*n->bridge && !*n->host_ifname && !n->vlan &&
		       !vz_netif_has_mac(n->host_mac);
	return !*n->link && !n->mode;
}

static int set_named(struct vz_netif *n, const char *name, const char *s)
{
	for (enum field f = 0; f < FIELD__COUNT; f++)
		if (!strcmp(name, fields[f]))
			return set(n, f, s);
	return -EINVAL;
}

int vz_netif_set(struct vz_netif *n, const char *field, const char *text)
{
	struct vz_netif new = *n;

	if (set_named(&new, field, text) || !consistent(&new))
		return -EINVAL;
	*n = new;
	return 0;
}

static int parse_part(struct vz_netif *n, char *part, size_t at)
{
	char *eq = strchr(part, '=');

	if (!eq && at >= WITHOUT_NAME)
		return -EINVAL;
	if (!eq) /* "eth0,,veth1": left out */
		return set(n, at, part);
	*eq = 0;
	return eq[1] ? set_named(n, part, eq + 1) : -EINVAL;
}

int vz_netif_parse(const char *text, struct vz_netif *ret)
{
	vz_autofree char *copy = strdup(text);
	struct vz_netif n = { 0 };
	char *next = copy, *part;
	size_t at = 0;
	int r = copy ? 0 : -ENOMEM;

	while (!r && (part = strsep(&next, ",")))
		r = parse_part(&n, part, at++);
	if (!r && !consistent(&n))
		r = -EINVAL;
	if (!r)
		*ret = n;
	return r;
}

static void format_text(struct vz_str *out, enum field f, const char *s)
{
	if (*s)
		vz_str_addf(out, "%s%s=%s", f == IFNAME ? "" : ",", fields[f], s);
}

static void format_mac(struct vz_str *out, enum field f,
		       const uint8_t m[VZ_NETIF_MAC_LEN])
{
	if (vz_netif_has_mac(m))
		vz_str_addf(out, ",%s=%02X:%02X:%02X:%02X:%02X:%02X", fields[f], m[0],
			    m[1], m[2], m[3], m[4], m[5]);
}

void vz_netif_format(const struct vz_netif *n, struct vz_str *out)
{
	format_text(out, IFNAME, n->ifname);
	format_mac(out, MAC, n->mac);
	format_text(out, HOST_IFNAME, n->host_ifname);
	format_mac(out, HOST_MAC, n->host_mac);
	format_text(out, BRIDGE, n->bridge);
	format_text(out, MAC_FILTER, n->no_mac_filter ? "off" : "");
	if (n->vlan)
		vz_str_addf(out, ",%s=%u", fields[VLAN], n->vlan);
	if (n->type == VZ_NETIF_VETH)
		return;
	format_text(out, TYPE, types[n->type]);
	format_text(out, LINK, n->link);
	format_text(out, MODE, modes[n->mode]);
}

int vz_word_netif(const char *s, struct vz_str *out)
{
	struct vz_netif n;
	int r = vz_netif_parse(s, &n);

	if (!r)
		vz_netif_format(&n, out);
	return r;
}

/* What both have and only one may. */
static const char *clash(const struct vz_netif *a, const struct vz_netif *b)
{
	if (vz_netif_has_mac(a->mac) && !memcmp(a->mac, b->mac, sizeof(a->mac)))
		return "mac";
	if (*a->host_ifname && !strcmp(a->host_ifname, b->host_ifname))
		return "host_ifname";
	return NULL;
}

int vz_netif_check(const struct vz_strv *list, struct vz_err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		struct vz_netif a, b;

		if (vz_netif_parse(list->v[i], &a))
			return vz_err_set(err, VZ_E_VETH, 0, "bad interface '%.200s'",
					  list->v[i]);
		for (size_t j = 0; j < i; j++)
			if (!vz_netif_parse(list->v[j], &b) && clash(&a, &b))
				return vz_err_set(
					err, VZ_E_VETH, 0,
					"the interfaces %s and %s have the same "
					"%s",
					b.ifname, a.ifname, clash(&a, &b));
	}
	return 0;
}
