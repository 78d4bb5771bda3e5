/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links, addresses, routes, proxy neighbours, in network namespaces of the test's own. */
#include "sys/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "tests/unit/tap.h"

static struct vz_rtnl *host, *guest;
static int guest_ns;
static struct vz_err err;

static struct vz_ip ip(const char *text)
{
	struct vz_ip a = { 0 };

	vz_ip_parse(text, &a);
	return a;
}

/* 0, or the error's text as a comment. */
static void good(int r, const char *name)
{
	if (!tap_is_int(r, 0, name))
		printf("# %s\n", err.text);
	vz_err_clear(&err);
}

static void bad(int r, int want, const char *name)
{
	tap_is_int(r, want, name);
	tap_ok(err.status != VZ_OK && err.text[0], "%s: %s", name, err.text);
	vz_err_clear(&err);
}

static bool make_namespaces(void)
{
	int own;

	if (unshare(CLONE_NEWNET))
		return false;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET))
		return false;
	guest_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return !setns(own, CLONE_NEWNET);
}

static const unsigned char mac[6] = { 0, 0x18, 0x51, 1, 2, 3 };

static void links(void)
{
	struct vz_link_new end = { .name = "venet101",
				   .mac = mac,
				   .index = (1 << 30) + 1,
				   .mtu = 1400,
				   .flags = IFF_UP | IFF_NOARP,
				   .netns = -1 };
	struct vz_link_new peer = { .name = "venet0",
				    .mac = mac,
				    .index = 1 << 30,
				    .flags = IFF_NOARP,
				    .netns = guest_ns };
	struct vz_link_set up = { .flags = IFF_UP, .mask = IFF_UP, .alias = "vz 101" };
	struct vz_link a, b;

	bad(vz_rtnl_link(host, "venet101", &a, &err), -ENODEV, "no such device");
	good(vz_rtnl_veth_add(host, &end, &peer, &err), "both ends in one message");
	bad(vz_rtnl_veth_add(host, &end, &peer, &err), -EEXIST, "not twice");
	good(vz_rtnl_link(host, "venet101", &a, &err), "the host's end");
	good(vz_rtnl_link(guest, "venet0", &b, &err), "the VE's end");
	tap_is_int(b.index, 1 << 30, "of the index asked for");
	tap_ok(a.lower == b.index && b.lower == a.index && a.lower_netns >= 0,
	       "they are each other's peer");
	tap_ok(!memcmp(a.mac, mac, 6) && !memcmp(b.mac, mac, 6), "of one MAC");
	tap_is_int(a.mtu, 1400, "MTU");
	tap_is_str(a.kind, "veth", "kind");
	tap_ok((a.flags & (IFF_UP | IFF_NOARP)) == (IFF_UP | IFF_NOARP), "up, no ARP");
	tap_ok((b.flags & (IFF_UP | IFF_NOARP)) == IFF_NOARP, "the other is down");
	good(vz_rtnl_link_set(guest, b.index, &up, &err), "up and with an alias");
	good(vz_rtnl_link_at(guest, b.index, &b, &err), "found by its index");
	tap_is_str(b.alias, "vz 101", "alias");
	tap_ok((b.flags & (IFF_UP | IFF_NOARP)) == (IFF_UP | IFF_NOARP),
	       "up, other flags as they were");
	end.name = "a-name-too-long-for-a-device";
	bad(vz_rtnl_veth_add(host, &end, &peer, &err), -EINVAL, "a long name");
}

static int count_link(const struct vz_link *link, void *n)
{
	++*(int *)n;
	return 0;
}

static void more_links(void)
{
	struct vz_link_new end = { .name = "low", .netns = -1 };
	struct vz_link_new peer = { .name = "low1", .netns = -1 };
	struct vz_link_new mv = { .name = "mv", .netns = guest_ns };
	struct vz_link_set name = { .name = "other", .set_netns = true };
	struct vz_link low, l;
	int n = 0;

	good(vz_rtnl_veth_add(host, &end, &peer, &err), "a pair in one namespace");
	good(vz_rtnl_link(host, "low", &low, &err), "is there");
	tap_is_int(low.lower_netns, -1, "its peer is in the same namespace");
	good(vz_rtnl_macvlan_add(host, low.index, VZ_MACVLAN_BRIDGE, &mv, &err),
	     "a macvlan in the VE");
	good(vz_rtnl_link(guest, "mv", &l, &err), "is there");
	tap_is_str(l.kind, "macvlan", "of that kind");
	good(vz_rtnl_link(host, "low1", &l, &err), "the pair's other end");
	name.netns = guest_ns;
	good(vz_rtnl_link_set(host, l.index, &name, &err), "moves with another name");
	good(vz_rtnl_link(guest, "other", &l, &err), "is there");
	good(vz_rtnl_links(host, count_link, &n, &err), "list");
	tap_ok(n >= 3, "all of them (%d)", n);
	good(vz_rtnl_link_del(host, low.index, &err), "remove");
	good(vz_rtnl_link_del(host, low.index, &err), "remove what is gone");
	bad(vz_rtnl_link(guest, "other", &l, &err), -ENODEV, "so is the peer");
}

struct seen {
	int n, dev;
	struct vz_ip last;
};

static int see_addr(int dev, const struct vz_ip *a, void *data)
{
	struct seen *s = data;

	if (!vz_ip_link_local(a)) {
		s->n++;
		s->last = *a;
		s->dev = dev;
	}
	return 0;
}

static void addresses(void)
{
	static const char *const list[] = { "10.1.2.3", "10.1.3.3/24", "fd00::3",
					    "fd01::3/64" };
	struct seen s = { 0 };
	struct vz_link l;
	struct vz_ip a;

	vz_rtnl_link(guest, "venet0", &l, &err);
	for (size_t i = 0; i < 4; i++) {
		a = ip(list[i]);
		good(vz_rtnl_addr_add(guest, l.index, &a, VZ_RTNL_NEW, &err), list[i]);
		bad(vz_rtnl_addr_add(guest, l.index, &a, VZ_RTNL_NEW, &err), -EEXIST,
		    "not twice");
		good(vz_rtnl_addr_add(guest, l.index, &a, VZ_RTNL_PUT, &err),
		     "but it may be there");
	}
	good(vz_rtnl_addrs(guest, l.index, see_addr, &s, &err), "list");
	tap_is_int(s.n, 4, "all of them");
	tap_is_int(s.dev, l.index, "of the device");
	for (size_t i = 1; i < 4; i++) {
		a = ip(list[i]);
		good(vz_rtnl_addr_del(guest, l.index, &a, &err), "remove");
		good(vz_rtnl_addr_del(guest, l.index, &a, &err), "remove what is gone");
	}
	s.n = 0;
	vz_rtnl_addrs(guest, 0, see_addr, &s, &err);
	tap_ok(s.n >= 1 && !vz_ip_same(&s.last, &a), "the rest stays");
	bad(vz_rtnl_addr_add(guest, 9999, &a, VZ_RTNL_NEW, &err), -ENODEV, "no device");
}

static int see_route(const struct vz_route *route, void *data)
{
	struct seen *s = data;

	s->n++;
	s->last = route->dst;
	s->dev = route->dev;
	return 0;
}

static void routes(void)
{
	struct vz_route filter = { .protocol = VZ_ROUTE_PROTOCOL }, got;
	struct vz_route def = { .dst = { .family = AF_INET6 }, .metric = 7 };
	struct vz_route to = { .protocol = VZ_ROUTE_PROTOCOL };
	struct seen s = { 0 };
	struct vz_ip near = ip("10.9.9.9");
	struct vz_link l;

	vz_rtnl_link(host, "venet101", &l, &err);
	to.dev = l.index;
	good(vz_rtnl_addr_add(host, l.index, &near, VZ_RTNL_NEW, &err), "a source");
	for (int i = 0; i < 2; i++) {
		to.dst = ip(i ? "fd00::3" : "10.1.2.3");
		to.src = i ? (struct vz_ip){ 0 } : near;
		good(vz_rtnl_route_add(host, &to, VZ_RTNL_NEW, &err), "a route");
		bad(vz_rtnl_route_add(host, &to, VZ_RTNL_NEW, &err), -EEXIST,
		    "not twice");
		good(vz_rtnl_route_add(host, &to, VZ_RTNL_PUT, &err), "may be there");
		good(vz_rtnl_route_to(host, &to.dst, &got, &err), "look up");
		tap_ok(got.dev == l.index && got.type == 1, "goes there");
		tap_ok(i || vz_ip_same(&got.src, &near), "from the source asked for");
	}
	good(vz_rtnl_routes(host, &filter, see_route, &s, &err), "list ours");
	tap_is_int(s.n, 2, "two");
	for (int i = 0; i < 2; i++) {
		to.dst = ip(i ? "fd00::3" : "10.1.2.3");
		to.src = (struct vz_ip){ 0 };
		good(vz_rtnl_route_del(host, &to, &err), "remove");
		good(vz_rtnl_route_del(host, &to, &err), "remove what is gone");
	}
	s.n = 0;
	vz_rtnl_routes(host, &filter, see_route, &s, &err);
	tap_is_int(s.n, 0, "none of ours is left");
	bad(vz_rtnl_route_to(host, &to.dst, &got, &err), -ENETUNREACH, "unreachable");
	vz_rtnl_link(guest, "venet0", &l, &err);
	def.dev = l.index;
	good(vz_rtnl_route_add(guest, &def, VZ_RTNL_PUT, &err), "a default route");
	good(vz_rtnl_route_to(guest, &to.dst, &got, &err), "leads anywhere");
}

static void proxies(void)
{
	struct seen s = { 0 };
	struct vz_link l;
	struct vz_ip a;

	vz_rtnl_link(host, "venet101", &l, &err);
	for (int i = 0; i < 2; i++) {
		a = ip(i ? "fd00::3" : "10.1.2.3");
		good(vz_rtnl_proxy_add(host, l.index, &a, &err), "answer for it");
		good(vz_rtnl_proxy_add(host, l.index, &a, &err), "may be there");
	}
	good(vz_rtnl_proxies(host, see_addr, &s, &err), "list");
	tap_is_int(s.n, 2, "two");
	for (int i = 0; i < 2; i++) {
		a = ip(i ? "fd00::3" : "10.1.2.3");
		good(vz_rtnl_proxy_del(host, l.index, &a, &err), "remove");
		good(vz_rtnl_proxy_del(host, l.index, &a, &err), "remove what is gone");
	}
	s.n = 0;
	vz_rtnl_proxies(host, see_addr, &s, &err);
	tap_is_int(s.n, 0, "none is left");
}

static void statuses(void)
{
	struct vz_link l;

	vz_rtnl_fails_with(host, VZ_E_ADDIP);
	vz_rtnl_link_at(host, 9999, &l, &err);
	tap_is_int(err.status, VZ_E_ADDIP, "fails with the status asked for");
}

int main(void)
{
	if (geteuid() || !make_namespaces()) {
		printf("1..0 # SKIP needs root and network namespaces\n");
		return 0;
	}
	good(vz_rtnl_open(&host, &err), "a socket here");
	good(vz_rtnl_open_ns(guest_ns, &guest, &err), "a socket there");
	if (!host || !guest)
		return tap_done();
	links();
	addresses();
	routes();
	proxies();
	more_links();
	statuses();
	vz_rtnl_close(host);
	vz_rtnl_close(guest);
	return tap_done();
}
