/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/veth.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/rtnl_priv.h"

static void copy_text(char *to, size_t size, struct nlattr *a)
{
	if (a)
		nla_strlcpy(to, a, size);
}

static void parse_bridge(struct vz_link *link, struct nlattr *data)
{
	struct nlattr *tb[IFLA_BR_MAX + 1];

	if (!data || nla_parse_nested(tb, IFLA_BR_MAX, data, NULL))
		return;
	if (tb[IFLA_BR_VLAN_FILTERING])
		link->vlan_filtering = nla_get_u8(tb[IFLA_BR_VLAN_FILTERING]);
	if (tb[IFLA_BR_VLAN_DEFAULT_PVID])
		link->default_vlan = nla_get_u16(tb[IFLA_BR_VLAN_DEFAULT_PVID]);
}

static void parse_kind(struct vz_link *link, struct nlattr *info)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (!info || nla_parse_nested(tb, IFLA_INFO_MAX, info, NULL))
		return;
	copy_text(link->kind, sizeof(link->kind), tb[IFLA_INFO_KIND]);
	if (!strcmp(link->kind, "bridge"))
		parse_bridge(link, tb[IFLA_INFO_DATA]);
}

static int parse_link(struct nlmsghdr *h, struct vz_link *ret)
{
	const struct ifinfomsg *ifi = nlmsg_data(h);
	struct nlattr *tb[IFLA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(h, sizeof(*ifi), tb, IFLA_MAX, NULL))
		return -EBADMSG;
	*ret = (struct vz_link){ .index = ifi->ifi_index,
				 .flags = ifi->ifi_flags,
				 .lower_netns = -1 };
	copy_text(ret->name, sizeof(ret->name), tb[IFLA_IFNAME]);
	copy_text(ret->alias, sizeof(ret->alias), tb[IFLA_IFALIAS]);
	parse_kind(ret, tb[IFLA_LINKINFO]);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == VZ_MAC_LEN)
		memcpy(ret->mac, nla_data(tb[IFLA_ADDRESS]), VZ_MAC_LEN);
	if (tb[IFLA_MTU])
		ret->mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_MASTER])
		ret->master = nla_get_u32(tb[IFLA_MASTER]);
	if (tb[IFLA_LINK])
		ret->lower = nla_get_u32(tb[IFLA_LINK]);
	if (tb[IFLA_LINK_NETNSID])
		ret->lower_netns = nla_get_s32(tb[IFLA_LINK_NETNSID]);
	return 0;
}

static int one_link(struct nlmsghdr *h, void *data)
{
	return parse_link(h, data);
}

static struct nl_msg *ask_link(const char *name, int index, int flags)
{
	struct ifinfomsg ifi = { .ifi_index = index };
	struct nl_msg *msg = vz_rtnl_msg(RTM_GETLINK, flags, &ifi, sizeof(ifi));

	if (msg && ((name && nla_put_string(msg, IFLA_IFNAME, name)) ||
		    nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int vz_rtnl_link(struct vz_rtnl *nl, const char *name, struct vz_link *ret,
		 struct vz_err *err)
{
	struct vz_link link;
	int r;

	if (!*name || strlen(name) >= IFNAMSIZ)
		return vz_rtnl_fail(nl, err, -ENODEV, "no device '%s'", name);
	r = vz_rtnl_talk(nl, ask_link(name, 0, 0), one_link, &link);
	if (r)
		return vz_rtnl_fail(nl, err, r, "can't find the device %s", name);
	*ret = link;
	return 0;
}

int vz_rtnl_link_at(struct vz_rtnl *nl, int index, struct vz_link *ret,
		    struct vz_err *err)
{
	struct vz_link link;
	int r = vz_rtnl_talk(nl, ask_link(NULL, index, 0), one_link, &link);

	if (r)
		return vz_rtnl_fail(nl, err, r, "can't find the device of index %d",
				    index);
	*ret = link;
	return 0;
}

struct each_link {
	vz_link_fn fn;
	void *data;
};

static int next_link(struct nlmsghdr *h, void *data)
{
	struct each_link *each = data;
	struct vz_link link;
	int r = parse_link(h, &link);

	return r ? r : each->fn(&link, each->data);
}

static struct nl_msg *ask_links(const void *what)
{
	return ask_link(NULL, 0, NLM_F_DUMP);
}

int vz_rtnl_links(struct vz_rtnl *nl, vz_link_fn fn, void *data, struct vz_err *err)
{
	struct each_link each = { fn, data };
	int r = vz_rtnl_dump(nl, ask_links, NULL, next_link, &each);

	return r < 0 ? vz_rtnl_fail(nl, err, r, "can't list the devices") : r;
}

static int put_mac(struct rtnl_link *link, const unsigned char *mac)
{
	struct nl_addr *a = nl_addr_build(AF_LLC, mac, VZ_MAC_LEN);

	if (!a)
		return -ENOMEM;
	rtnl_link_set_addr(link, a);
	nl_addr_put(a);
	return 0;
}

static int fill(struct rtnl_link *link, const struct vz_link_new *new)
{
	rtnl_link_set_name(link, new->name);
	if (new->index)
		rtnl_link_set_ifindex(link, new->index);
	if (new->mtu)
		rtnl_link_set_mtu(link, new->mtu);
	if (new->flags)
		rtnl_link_set_flags(link, new->flags);
	if (new->netns >= 0)
		rtnl_link_set_ns_fd(link, new->netns);
	return new->mac ? put_mac(link, new->mac) : 0;
}

/* Long names are cut by nobody: they are refused. */
static int check_name(struct vz_rtnl *nl, const char *name, struct vz_err *err)
{
	return *name && strlen(name) < IFNAMSIZ
		       ? 0
		       : vz_rtnl_fail(nl, err, -EINVAL,
				      "bad device name '%s': expected 1 to %d characters",
				      name, IFNAMSIZ - 1);
}

static int add_link(struct vz_rtnl *nl, struct rtnl_link *link, struct vz_err *err)
{
	struct nl_msg *msg = NULL;
	int r;

	if (rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &msg))
		msg = NULL;
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	return r ? vz_rtnl_fail(nl, err, r, "can't make the device %s",
				rtnl_link_get_name(link))
		 : 0;
}

int vz_rtnl_veth_add(struct vz_rtnl *nl, const struct vz_link_new *end,
		     const struct vz_link_new *peer, struct vz_err *err)
{
	struct rtnl_link *link, *other;
	int r = check_name(nl, end->name, err);

	if (!r)
		r = check_name(nl, peer->name, err);
	if (r)
		return r;
	link = rtnl_link_veth_alloc();
	other = link ? rtnl_link_veth_get_peer(link) : NULL;
	if (!other || fill(link, end) || fill(other, peer))
		r = vz_rtnl_fail(nl, err, -ENOMEM, "can't make the device %s", end->name);
	else
		r = add_link(nl, link, err);
	if (other)
		rtnl_link_put(other);
	rtnl_link_put(link);
	return r;
}

int vz_rtnl_macvlan_add(struct vz_rtnl *nl, int lower, enum vz_macvlan_mode mode,
			const struct vz_link_new *new, struct vz_err *err)
{
	struct rtnl_link *link;
	int r = check_name(nl, new->name, err);

	if (r)
		return r;
	link = rtnl_link_macvlan_alloc();
	if (!link || fill(link, new) || rtnl_link_macvlan_set_mode(link, mode)) {
		r = vz_rtnl_fail(nl, err, -ENOMEM, "can't make the device %s", new->name);
	} else {
		rtnl_link_set_link(link, lower);
		r = add_link(nl, link, err);
	}
	rtnl_link_put(link);
	return r;
}

static int fill_set(struct rtnl_link *link, int index, const struct vz_link_set *set)
{
	rtnl_link_set_ifindex(link, index);
	rtnl_link_set_flags(link, set->flags & set->mask);
	rtnl_link_unset_flags(link, set->mask & ~set->flags);
	if (set->name)
		rtnl_link_set_name(link, set->name);
	if (set->alias)
		rtnl_link_set_ifalias(link, set->alias);
	if (set->mtu)
		rtnl_link_set_mtu(link, set->mtu);
	if (set->set_master)
		rtnl_link_set_master(link, set->master);
	if (set->set_netns)
		rtnl_link_set_ns_fd(link, set->netns);
	return set->mac ? put_mac(link, set->mac) : 0;
}

int vz_rtnl_link_set(struct vz_rtnl *nl, int index, const struct vz_link_set *set,
		     struct vz_err *err)
{
	struct rtnl_link *link;
	struct nl_msg *msg = NULL;
	int r = set->name ? check_name(nl, set->name, err) : 0;

	if (r)
		return r;
	link = rtnl_link_alloc();
	/* A request to add what is there, without NLM_F_CREATE, changes it. */
	if (!link || fill_set(link, index, set) ||
	    rtnl_link_build_add_request(link, 0, &msg))
		msg = NULL;
	rtnl_link_put(link);
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	return r ? vz_rtnl_fail(nl, err, r, "can't change the device of index %d", index)
		 : 0;
}

int vz_rtnl_link_del(struct vz_rtnl *nl, int index, struct vz_err *err)
{
	struct ifinfomsg ifi = { .ifi_index = index };
	int r = vz_rtnl_talk(nl, vz_rtnl_msg(RTM_DELLINK, 0, &ifi, sizeof(ifi)), NULL,
			     NULL);

	if (!r || r == -ENODEV)
		return 0;
	return vz_rtnl_fail(nl, err, r, "can't remove the device of index %d", index);
}

static struct nl_msg *build_vlan(int type, int port, uint16_t vlan, unsigned int flags)
{
	struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE, .ifi_index = port };
	struct bridge_vlan_info info = { .flags = flags, .vid = vlan };
	struct nl_msg *msg = vz_rtnl_msg(type, 0, &ifi, sizeof(ifi));
	struct nlattr *spec = msg ? nla_nest_start(msg, IFLA_AF_SPEC) : NULL;

	if (!spec || nla_put(msg, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info)) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, spec);
	return msg;
}

int vz_rtnl_port_vlan_add(struct vz_rtnl *nl, int port, uint16_t vlan, unsigned int flags,
			  struct vz_err *err)
{
	int r = vz_rtnl_talk(nl, build_vlan(RTM_SETLINK, port, vlan, flags), NULL, NULL);

	return r ? vz_rtnl_fail(nl, err, r,
				"can't put the bridge's port of index %d into VLAN %u",
				port, vlan)
		 : 0;
}

int vz_rtnl_port_vlan_del(struct vz_rtnl *nl, int port, uint16_t vlan, struct vz_err *err)
{
	int r = vz_rtnl_talk(nl, build_vlan(RTM_DELLINK, port, vlan, 0), NULL, NULL);

	if (!r || r == -ENODEV || r == -ENOENT)
		return 0;
	return vz_rtnl_fail(nl, err, r,
			    "can't take the bridge's port of index %d out of VLAN %u",
			    port, vlan);
}
