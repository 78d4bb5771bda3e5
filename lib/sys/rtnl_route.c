/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/rtnl_priv.h"

static struct nl_addr *to_addr(const struct vz_ip *ip)
{
	struct nl_addr *a = nl_addr_build(ip->family, ip->a, vz_ip_len(ip));

	if (a)
		nl_addr_set_prefixlen(a, ip->bits);
	return a;
}

static struct vz_ip from_attr(int family, const struct nlattr *a, unsigned int bits)
{
	struct vz_ip ip = { .family = family, .bits = bits };

	if (a && (size_t)nla_len(a) == vz_ip_len(&ip))
		memcpy(ip.a, nla_data(a), vz_ip_len(&ip));
	return ip;
}

static bool known(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static int add_flags(enum vz_rtnl_add how)
{
	return NLM_F_CREATE | (how == VZ_RTNL_NEW ? NLM_F_EXCL : NLM_F_REPLACE);
}

/* --- addresses --- */

static struct rtnl_addr *make_addr(int dev, const struct vz_ip *ip)
{
	struct rtnl_addr *addr = rtnl_addr_alloc();
	struct nl_addr *local = to_addr(ip);

	if (addr && local && !rtnl_addr_set_local(addr, local)) {
		rtnl_addr_set_ifindex(addr, dev);
		rtnl_addr_set_prefixlen(addr, ip->bits);
		if (vz_ip_v6(ip))
			rtnl_addr_set_flags(addr, IFA_F_NODAD);
	} else if (addr) {
		rtnl_addr_put(addr);
		addr = NULL;
	}
	nl_addr_put(local);
	return addr;
}

int vz_rtnl_addr_add(struct vz_rtnl *nl, int dev, const struct vz_ip *ip,
		     enum vz_rtnl_add how, struct vz_err *err)
{
	struct rtnl_addr *addr = make_addr(dev, ip);
	struct nl_msg *msg = NULL;
	char text[VZ_IP_STRLEN];
	int r;

	if (addr && rtnl_addr_build_add_request(addr, add_flags(how), &msg))
		msg = NULL;
	if (addr)
		rtnl_addr_put(addr);
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	return r ? vz_rtnl_fail(nl, err, r, "can't set the address %s",
				vz_ip_text(ip, text))
		 : 0;
}

int vz_rtnl_addr_del(struct vz_rtnl *nl, int dev, const struct vz_ip *ip,
		     struct vz_err *err)
{
	struct rtnl_addr *addr = make_addr(dev, ip);
	struct nl_msg *msg = NULL;
	char text[VZ_IP_STRLEN];
	int r;

	if (addr && rtnl_addr_build_delete_request(addr, 0, &msg))
		msg = NULL;
	if (addr)
		rtnl_addr_put(addr);
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	if (!r || r == -EADDRNOTAVAIL || r == -ENODEV)
		return 0;
	return vz_rtnl_fail(nl, err, r, "can't remove the address %s",
			    vz_ip_text(ip, text));
}

struct each_addr {
	vz_addr_fn fn;
	void *data;
};

static int next_addr(struct nlmsghdr *h, void *data)
{
	const struct ifaddrmsg *ifa = nlmsg_data(h);
	struct nlattr *tb[IFA_MAX + 1], *a;
	struct each_addr *each = data;
	struct vz_ip ip;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(h, sizeof(*ifa), tb, IFA_MAX, NULL))
		return -EBADMSG;
	a = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!known(ifa->ifa_family) || !a)
		return 0;
	ip = from_attr(ifa->ifa_family, a, ifa->ifa_prefixlen);
	return each->fn(ifa->ifa_index, &ip, each->data);
}

static struct nl_msg *ask_addrs(const void *dev)
{
	struct ifaddrmsg ifa = { .ifa_index = *(const int *)dev };

	return vz_rtnl_msg(RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
}

int vz_rtnl_addrs(struct vz_rtnl *nl, int dev, vz_addr_fn fn, void *data,
		  struct vz_err *err)
{
	struct each_addr each = { fn, data };
	int r = vz_rtnl_dump(nl, ask_addrs, &dev, next_addr, &each);

	return r < 0 ? vz_rtnl_fail(nl, err, r, "can't list the addresses") : r;
}

/* --- routes --- */

static int set_hop(struct rtnl_route *to, const struct vz_route *route)
{
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *via;

	if (!hop)
		return -ENOMEM;
	rtnl_route_nh_set_ifindex(hop, route->dev);
	if (route->via.family) {
		via = to_addr(&route->via);
		rtnl_route_nh_set_gateway(hop, via);
		nl_addr_put(via);
	}
	rtnl_route_add_nexthop(to, hop);
	return 0;
}

static int fill_route(struct rtnl_route *to, const struct vz_route *route)
{
	struct nl_addr *dst = to_addr(&route->dst);
	struct nl_addr *src = route->src.family ? to_addr(&route->src) : NULL;
	int r = -ENOMEM;

	rtnl_route_set_family(to, route->dst.family);
	rtnl_route_set_protocol(to, route->protocol);
	rtnl_route_set_type(to, route->type ? route->type : RTN_UNICAST);
	rtnl_route_set_table(to, route->table ? route->table : RT_TABLE_MAIN);
	rtnl_route_set_scope(to, route->via.family || vz_ip_v6(&route->dst)
					 ? RT_SCOPE_UNIVERSE
					 : RT_SCOPE_LINK);
	if (route->metric)
		rtnl_route_set_priority(to, route->metric);
	if (dst && !rtnl_route_set_dst(to, dst) &&
	    (!src || !rtnl_route_set_pref_src(to, src)))
		r = route->dev ? set_hop(to, route) : 0;
	nl_addr_put(dst);
	nl_addr_put(src);
	return r;
}

static struct rtnl_route *make_route(const struct vz_route *route)
{
	struct rtnl_route *made = rtnl_route_alloc();

	if (made && fill_route(made, route)) {
		rtnl_route_put(made);
		return NULL;
	}
	return made;
}

int vz_rtnl_route_add(struct vz_rtnl *nl, const struct vz_route *route,
		      enum vz_rtnl_add how, struct vz_err *err)
{
	struct rtnl_route *made = make_route(route);
	struct nl_msg *msg = NULL;
	char text[VZ_IP_STRLEN];
	int r;

	if (made && rtnl_route_build_add_request(made, add_flags(how), &msg))
		msg = NULL;
	if (made)
		rtnl_route_put(made);
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	return r ? vz_rtnl_fail(nl, err, r, "can't add the route to %s",
				vz_ip_text(&route->dst, text))
		 : 0;
}

int vz_rtnl_route_del(struct vz_rtnl *nl, const struct vz_route *route,
		      struct vz_err *err)
{
	struct rtnl_route *made = make_route(route);
	struct nl_msg *msg = NULL;
	char text[VZ_IP_STRLEN];
	int r;

	if (made && rtnl_route_build_del_request(made, 0, &msg))
		msg = NULL;
	if (made)
		rtnl_route_put(made);
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	if (!r || r == -ESRCH || r == -ENODEV || r == -ENOENT)
		return 0;
	return vz_rtnl_fail(nl, err, r, "can't remove the route to %s",
			    vz_ip_text(&route->dst, text));
}

static int parse_route(struct nlmsghdr *h, struct vz_route *ret)
{
	const struct rtmsg *rt = nlmsg_data(h);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(h, sizeof(*rt), tb, RTA_MAX, NULL))
		return -EBADMSG;
	*ret = (struct vz_route){ .protocol = rt->rtm_protocol,
				  .type = rt->rtm_type,
				  .table = rt->rtm_table };
	if (!known(rt->rtm_family))
		return 0;
	ret->dst = from_attr(rt->rtm_family, tb[RTA_DST], rt->rtm_dst_len);
	if (tb[RTA_PREFSRC])
		ret->src = from_attr(rt->rtm_family, tb[RTA_PREFSRC], 0);
	if (tb[RTA_GATEWAY])
		ret->via = from_attr(rt->rtm_family, tb[RTA_GATEWAY], 0);
	ret->src.bits = vz_ip_len(&ret->src) * 8;
	ret->via.bits = vz_ip_len(&ret->via) * 8;
	if (tb[RTA_TABLE])
		ret->table = nla_get_u32(tb[RTA_TABLE]);
	if (tb[RTA_OIF])
		ret->dev = nla_get_u32(tb[RTA_OIF]);
	if (tb[RTA_PRIORITY])
		ret->metric = nla_get_u32(tb[RTA_PRIORITY]);
	return 0;
}

static int one_route(struct nlmsghdr *h, void *data)
{
	return parse_route(h, data);
}

int vz_rtnl_route_to(struct vz_rtnl *nl, const struct vz_ip *ip, struct vz_route *ret,
		     struct vz_err *err)
{
	struct rtmsg rt = { .rtm_family = ip->family, .rtm_dst_len = vz_ip_len(ip) * 8 };
	struct nl_msg *msg = vz_rtnl_msg(RTM_GETROUTE, 0, &rt, sizeof(rt));
	struct vz_route route = { 0 };
	char text[VZ_IP_STRLEN];
	int r;

	if (msg && nla_put(msg, RTA_DST, vz_ip_len(ip), ip->a)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	r = vz_rtnl_talk(nl, msg, one_route, &route);
	if (r)
		return vz_rtnl_fail(nl, err, r, "can't look up the route to %s",
				    vz_ip_host_text(ip, text));
	*ret = route;
	return 0;
}

struct each_route {
	const struct vz_route *filter;
	vz_route_fn fn;
	void *data;
};

/* Older kernels filter IPv6's routes less than IPv4's: look at each. */
static bool wanted(const struct vz_route *route, const struct vz_route *filter)
{
	return route->dst.family && (!filter->dev || filter->dev == route->dev) &&
	       (!filter->protocol || filter->protocol == route->protocol) &&
	       (!filter->table || filter->table == route->table);
}

static int next_route(struct nlmsghdr *h, void *data)
{
	struct each_route *each = data;
	struct vz_route route;
	int r = parse_route(h, &route);

	if (r || !wanted(&route, each->filter))
		return r;
	return each->fn(&route, each->data);
}

static struct nl_msg *ask_routes(const void *what)
{
	const struct vz_route *filter = what;
	struct rtmsg rt = { .rtm_family = filter->dst.family,
			    .rtm_protocol = filter->protocol };
	struct nl_msg *msg = vz_rtnl_msg(RTM_GETROUTE, NLM_F_DUMP, &rt, sizeof(rt));

	if (msg && ((filter->dev && nla_put_u32(msg, RTA_OIF, filter->dev)) ||
		    (filter->table && nla_put_u32(msg, RTA_TABLE, filter->table)))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int vz_rtnl_routes(struct vz_rtnl *nl, const struct vz_route *filter, vz_route_fn fn,
		   void *data, struct vz_err *err)
{
	struct vz_route of = *filter;
	struct each_route each = { &of, fn, data };
	int r = 0;

	for (int i = 0; i < 2 && !r; i++) {
		of.dst.family = i ? AF_INET6 : AF_INET;
		r = vz_rtnl_dump(nl, ask_routes, &of, next_route, &each);
		/* No such table or device, or no IPv6 at all: none of its routes. */
		if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP ||
		    r == -EAFNOSUPPORT)
			r = 0;
	}
	return r < 0 ? vz_rtnl_fail(nl, err, r, "can't list the routes") : r;
}

/* --- proxy neighbours --- */

static int change_proxy(struct vz_rtnl *nl, bool add, int dev, const struct vz_ip *ip)
{
	struct rtnl_neigh *neigh = rtnl_neigh_alloc();
	struct nl_addr *dst = to_addr(ip);
	struct nl_msg *msg = NULL;
	int r = neigh && dst ? rtnl_neigh_set_dst(neigh, dst) : -1;

	if (!r) {
		rtnl_neigh_set_ifindex(neigh, dev);
		rtnl_neigh_set_flags(neigh, NTF_PROXY);
		r = add ? rtnl_neigh_build_add_request(neigh, add_flags(VZ_RTNL_PUT),
						       &msg)
			: rtnl_neigh_build_delete_request(neigh, 0, &msg);
	}
	if (neigh)
		rtnl_neigh_put(neigh);
	nl_addr_put(dst);
	return vz_rtnl_talk(nl, r ? NULL : msg, NULL, NULL);
}

int vz_rtnl_proxy_add(struct vz_rtnl *nl, int dev, const struct vz_ip *ip,
		      struct vz_err *err)
{
	char text[VZ_IP_STRLEN];
	int r = change_proxy(nl, true, dev, ip);

	return r ? vz_rtnl_fail(nl, err, r, "can't answer for %s on the device %d",
				vz_ip_host_text(ip, text), dev)
		 : 0;
}

int vz_rtnl_proxy_del(struct vz_rtnl *nl, int dev, const struct vz_ip *ip,
		      struct vz_err *err)
{
	char text[VZ_IP_STRLEN];
	int r = change_proxy(nl, false, dev, ip);

	if (!r || r == -ENOENT || r == -ENODEV)
		return 0;
	return vz_rtnl_fail(nl, err, r, "can't stop answering for %s on the device %d",
			    vz_ip_host_text(ip, text), dev);
}

static int next_proxy(struct nlmsghdr *h, void *data)
{
	const struct ndmsg *nd = nlmsg_data(h);
	struct nlattr *tb[NDA_MAX + 1];
	struct each_addr *each = data;
	struct vz_ip ip;

	if (h->nlmsg_type != RTM_NEWNEIGH ||
	    nlmsg_parse(h, sizeof(*nd), tb, NDA_MAX, NULL))
		return -EBADMSG;
	if (!known(nd->ndm_family) || !(nd->ndm_flags & NTF_PROXY) || !tb[NDA_DST])
		return 0;
	ip = from_attr(nd->ndm_family, tb[NDA_DST], 0);
	ip.bits = vz_ip_len(&ip) * 8;
	return each->fn(nd->ndm_ifindex, &ip, each->data);
}

static struct nl_msg *ask_proxies(const void *what)
{
	struct ndmsg nd = { .ndm_family = AF_UNSPEC, .ndm_flags = NTF_PROXY };

	return vz_rtnl_msg(RTM_GETNEIGH, NLM_F_DUMP, &nd, sizeof(nd));
}

int vz_rtnl_proxies(struct vz_rtnl *nl, vz_addr_fn fn, void *data, struct vz_err *err)
{
	struct each_addr each = { fn, data };
	int r = vz_rtnl_dump(nl, ask_proxies, NULL, next_proxy, &each);

	return r < 0 ? vz_rtnl_fail(nl, err, r, "can't list the proxy neighbours") : r;
}
