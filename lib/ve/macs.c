/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/macs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/num.h"
#include "conf/peek.h"
#include "res/netif.h"

/* OpenVZ's prefix (the SWsoft of long ago). */
static const uint8_t prefix[] = { 0x00, 0x18, 0x51 };

/* All MACs of all VEs, as their files have them; read when one is needed. */
struct known {
	bool read;
	uint8_t (*v)[VZ_NETIF_MAC_LEN];
	size_t n, cap;
};

static int add_mac(struct known *k, const uint8_t mac[VZ_NETIF_MAC_LEN])
{
	if (!vz_netif_has_mac(mac))
		return 0;
	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 64;
		void *v = reallocarray(k->v, cap, sizeof(*k->v));

		if (!v)
			return -ENOMEM;
		k->v = v;
		k->cap = cap;
	}
	memcpy(k->v[k->n++], mac, VZ_NETIF_MAC_LEN);
	return 0;
}

static int add_value(struct known *k, const char *netifs)
{
	vz_autostrv struct vz_strv list = { 0 };
	struct vz_netif n;
	int r = vz_strv_split(&list, netifs, ";");

	for (size_t i = 0; !r && i < list.n; i++) {
		if (vz_netif_parse(list.v[i], &n))
			continue;
		r = add_mac(k, n.mac);
		if (!r)
			r = add_mac(k, n.host_mac);
	}
	return r;
}

static int read_known(const struct vz_ctx *ctx, struct known *k)
{
	static const char *const keys[] = { "NETIF" };
	vz_autofree char *path = vz_strf("%s/conf", ctx->confdir);
	vz_autodir DIR *dir = path ? opendir(path) : NULL;
	struct vz_peek peek = { 0 };
	const char *value;
	struct dirent *e;
	int r = 0;

	if (!dir)
		return -errno;
	while (!r && (e = readdir(dir))) {
		size_t digits = strspn(e->d_name, "0123456789");

		if (digits && !strcmp(e->d_name + digits, ".conf") &&
		    !vz_peek_read(&peek, dirfd(dir), e->d_name, keys, 1, &value) && value)
			r = add_value(k, value);
	}
	vz_peek_done(&peek);
	k->read = !r;
	return r;
}

static bool is_known(const struct known *k, const uint8_t mac[VZ_NETIF_MAC_LEN])
{
	for (size_t i = 0; i < k->n; i++)
		if (!memcmp(k->v[i], mac, VZ_NETIF_MAC_LEN))
			return true;
	return false;
}

static int new_mac(const struct vz_ctx *ctx, struct known *k,
		   uint8_t mac[VZ_NETIF_MAC_LEN])
{
	int r = k->read ? 0 : read_known(ctx, k);

	memcpy(mac, prefix, sizeof(prefix));
	do {
		if (!r && getrandom(mac + sizeof(prefix),
				    VZ_NETIF_MAC_LEN - sizeof(prefix), 0) < 0)
			r = -errno;
	} while (!r && is_known(k, mac));
	return r ? r : add_mac(k, mac);
}

/* The interfaces of a configuration, as values. */
struct netifs {
	struct vz_netif *v;
	size_t n;
};

static int read_netifs(const struct vz_cfg *cfg, struct netifs *ret)
{
	const struct vz_strv *list = vz_cfg_list(cfg, VZ_P_NETIF);
	int r = 0;

	ret->n = 0;
	ret->v = calloc(list->n + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (size_t i = 0; !r && i < list->n; i++)
		r = vz_netif_parse(list->v[i], &ret->v[ret->n++]);
	return r;
}

static const struct vz_netif *find(const struct netifs *s, const struct vz_netif *like)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].ifname, like->ifname) && s->v[i].type == like->type)
			return &s->v[i];
	return NULL;
}

static bool has_host_name(const struct netifs *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].host_ifname, name))
			return true;
	return false;
}

/* veth101.0 for eth0; the next free number when it is another one's. */
static void name_host_end(uint32_t veid, const struct netifs *all, struct vz_netif *n)
{
	size_t len = strlen(n->ifname), i = len;
	uint64_t number = 0;
	char name[64];

	while (i && n->ifname[i - 1] >= '0' && n->ifname[i - 1] <= '9')
		i--;
	if (vz_parse_u64(n->ifname + i, 99, &number))
		number = 0;
	do {
		snprintf(name, sizeof(name), "veth%u.%u", veid, (unsigned int)number);
		if (strlen(name) >= IFNAMSIZ)
			snprintf(name, sizeof(name), "ve%u.%u", veid,
				 (unsigned int)number);
		number = (number + 1) % 1000;
	} while (has_host_name(all, name));
	snprintf(n->host_ifname, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, name);
}

static void take(struct vz_netif *n, const struct vz_netif *from)
{
	if (!vz_netif_has_mac(n->mac))
		memcpy(n->mac, from->mac, sizeof(n->mac));
	if (!vz_netif_has_mac(n->host_mac))
		memcpy(n->host_mac, from->host_mac, sizeof(n->host_mac));
	if (!*n->host_ifname)
		memcpy(n->host_ifname, from->host_ifname, sizeof(n->host_ifname));
}

static bool complete(const struct vz_netif *n)
{
	return vz_netif_has_mac(n->mac) &&
	       (n->type == VZ_NETIF_MACVLAN ||
		(vz_netif_has_mac(n->host_mac) && *n->host_ifname));
}

static int fill(const struct vz_ctx *ctx, uint32_t veid, struct netifs *all,
		struct known *known, struct vz_netif *n)
{
	int r = 0;

	if (!vz_netif_has_mac(n->mac))
		r = new_mac(ctx, known, n->mac);
	if (n->type == VZ_NETIF_MACVLAN)
		return r;
	if (!r && !vz_netif_has_mac(n->host_mac))
		r = new_mac(ctx, known, n->host_mac);
	if (!*n->host_ifname)
		name_host_end(veid, all, n);
	return r;
}

static int store(struct vz_cfg *cfg, const struct netifs *all, struct vz_err *err)
{
	vz_autostr struct vz_str text = { 0 };

	for (size_t i = 0; i < all->n; i++) {
		if (i)
			vz_str_add(&text, ";");
		vz_netif_format(&all->v[i], &text);
	}
	if (text.failed)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't set NETIF");
	return vz_cfg_set(cfg, VZ_P_NETIF, text.s, err);
}

static int fill_all(const struct vz_ctx *ctx, uint32_t veid, struct netifs *all,
		    const struct netifs *like, bool *ret_filled)
{
	struct known known = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < all->n; i++) {
		const struct vz_netif *from = find(like, &all->v[i]);

		if (complete(&all->v[i]))
			continue;
		*ret_filled = true;
		if (from)
			take(&all->v[i], from);
		r = fill(ctx, veid, all, &known, &all->v[i]);
	}
	free(known.v);
	return r;
}

int vz_macs_fill(const struct vz_ctx *ctx, uint32_t veid, struct vz_cfg *cfg,
		 const struct vz_cfg *like, bool *ret_filled, struct vz_err *err)
{
	struct netifs all = { 0 }, others = { 0 };
	bool filled = false;
	int r = 0;

	if (!vz_cfg_list(cfg, VZ_P_NETIF)->n)
		goto out;
	r = read_netifs(cfg, &all);
	if (!r && like)
		r = read_netifs(like, &others);
	if (!r)
		r = fill_all(ctx, veid, &all, &others, &filled);
	if (r)
		vz_err_set(err, VZ_E_VETH, -r, "can't choose MACs for VE %u", veid);
	else if (filled)
		r = store(cfg, &all, err);
out:
	free(all.v);
	free(others.v);
	if (!r && ret_filled)
		*ret_filled = filled;
	return r;
}
