/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/venet.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/netguard.h"
#include "sys/procfiles.h"
#include "sys/rtnl.h"
#include "ve/neighbours.h"
#include "ve/netclass.h"
#include "ve/traffic.h"

#define INNER "venet0"
#define RECORD_MAX (1 << 20)
/* How long somebody on the network has to say that an address is his. */
#define ANSWER_MS 200

void vz_ips_done(struct vz_ips *ips)
{
	free(ips->v);
	*ips = (struct vz_ips){ 0 };
}

int vz_ips_read(const struct vz_cfg *cfg, struct vz_ips *ret, size_t *ret_skipped,
		struct vz_err *err)
{
	const struct vz_strv *words = vz_cfg_list(cfg, VZ_P_IP_ADDRESS);
	vz_autoips struct vz_ips ips = { .v = calloc(words->n + 1, sizeof(*ips.v)) };
	bool v6 = vz_cfg_bool(cfg, VZ_P_IPV6);
	size_t skipped = 0;

	if (!ips.v)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "the VE's addresses");
	for (size_t i = 0; i < words->n; i++) {
		struct vz_ip *ip = &ips.v[ips.n];

		if (vz_ip_parse(words->v[i], ip) || !vz_ip_usable(ip))
			return vz_err_set(err, VZ_E_IP, 0, "%s can't be a VE's address",
					  words->v[i]);
		if (vz_ip_v6(ip) && !v6)
			skipped++;
		else
			ips.n++;
	}
	if (ret_skipped)
		*ret_skipped = skipped;
	*ret = ips;
	ips = (struct vz_ips){ 0 };
	return 0;
}

static bool has(const struct vz_ips *ips, const struct vz_ip *ip)
{
	for (size_t i = 0; i < ips->n; i++)
		if (vz_ip_same(&ips->v[i], ip))
			return true;
	return false;
}

static struct vz_ip single(const struct vz_ip *ip)
{
	struct vz_ip host = *ip;

	host.bits = vz_ip_len(ip) * 8;
	return host;
}

/* One change under way: a socket on the node and one in the VE. */
struct job {
	const struct vz_ve *ve;
	struct vz_rtnl *node, *guest;
	struct vz_netguard guard;
	char name[IFNAMSIZ], alias[64];
	unsigned char mac[VZ_MAC_LEN]; /* says whose it is, from the first */
	int dev; /* venetVEID */
	int inner; /* venet0 */
	bool made; /* just now: nothing is on it yet */
};

static void job_done(struct job *j)
{
	vz_rtnl_close(j->node);
	vz_rtnl_close(j->guest);
	vz_netguard_close(&j->guard);
}

static int job_init(struct job *j, const struct vz_ve *ve, struct vz_err *err)
{
	int r;

	*j = (struct job){ .ve = ve, .guard = VZ_NETGUARD_NONE };
	snprintf(j->name, sizeof(j->name), "venet%u", ve->id);
	snprintf(j->alias, sizeof(j->alias), "vz %u " INNER, ve->id);
	memcpy(j->mac,
	       (unsigned char[]){ 2, 'v', ve->id >> 24, ve->id >> 16, ve->id >> 8,
				  ve->id },
	       VZ_MAC_LEN);
	r = vz_rtnl_open(&j->node, err);
	if (!r)
		vz_rtnl_fails_with(j->node, VZ_E_ADDIP);
	return r;
}

/* By its alias, or, when whoever made it was killed before it got that, by its MAC. */
static bool is_ours(const struct job *j, const struct vz_link *link)
{
	return !strcmp(link->kind, "veth") &&
	       (!strcmp(link->alias, j->alias) ||
		(!*link->alias && !memcmp(link->mac, j->mac, VZ_MAC_LEN)));
}

static int enter(struct job *j, int netns, struct vz_err *err)
{
	int r = vz_rtnl_open_ns(netns, &j->guest, err);

	if (r)
		return r;
	vz_rtnl_fails_with(j->guest, VZ_E_ADDIP);
	return vz_netclass_open_guard(j->ve->ctx, &j->guard, err);
}

/* --- the devices --- */

/*
 * The node's end, if there is one and its peer is in this VE. One of a VE
 * before it, or one that isn't ours, is in the way.
 */
static int find_devices(struct job *j, bool *ret_found, struct vz_err *err)
{
	struct vz_err quiet = { 0 };
	struct vz_link link, peer;
	int r = vz_rtnl_link(j->node, j->name, &link, &quiet);

	*ret_found = false;
	if (r == -ENODEV)
		return 0;
	if (r) {
		*err = quiet;
		return r;
	}
	if (!is_ours(j, &link))
		return vz_err_set(err, VZ_E_ADDIP, EEXIST,
				  "the node has a device %s that is not the VE's: rename "
				  "it",
				  j->name);
	if (!vz_rtnl_link_at(j->guest, link.lower, &peer, &quiet) &&
	    !strcmp(peer.kind, "veth") && peer.lower == link.index) {
		j->dev = link.index;
		j->inner = peer.index;
		*ret_found = true;
		return 0;
	}
	return vz_rtnl_link_del(j->node, link.index, err);
}

/* Both ends have one MAC, so that none asks for the other's. */
static int make_devices(struct job *j, int netns, struct vz_err *err)
{
	const struct vz_link_new ends[] = {
		{ .name = j->name, .mac = j->mac, .flags = IFF_NOARP, .netns = -1 },
		{ .name = INNER, .mac = j->mac, .flags = IFF_NOARP, .netns = netns },
	};
	struct vz_link link;
	int r = vz_rtnl_veth_add(j->node, &ends[0], &ends[1], err);

	if (r == -EEXIST)
		vz_err_set(err, VZ_E_ADDIP, EEXIST,
			   "the VE has a device " INNER " that is not ours");
	if (!r)
		r = vz_rtnl_link(j->node, j->name, &link, err);
	if (r)
		return r;
	j->dev = link.index;
	j->inner = link.lower;
	j->made = true;
	return 0;
}

/* Before it is up: a link without its guard would send what it likes. */
static int guard(struct job *j, struct vz_err *err)
{
	const struct vz_guard_link link = { .veid = j->ve->id, .kind = VZ_LINK_VENET };
	struct vz_guard_traffic base;
	int r = vz_traffic_saved(j->ve->ctx, j->ve->id, &base, err);

	if (!r)
		r = vz_netguard_attach(&j->guard, j->dev, &link, &base, err);
	if (!r)
		vz_traffic_started(j->ve->ctx, j->ve->id, &j->guard);
	return r;
}

static int set_up(struct job *j, struct vz_err *err)
{
	struct vz_link_set up = { .flags = IFF_UP, .mask = IFF_UP, .alias = j->alias };
	int r = vz_rtnl_link_set(j->node, j->dev, &up, err);

	up.alias = NULL;
	return r ? r : vz_rtnl_link_set(j->guest, j->inner, &up, err);
}

static int need_devices(struct job *j, int netns, struct vz_err *err)
{
	bool found;
	int r = find_devices(j, &found, err);

	if (!r && !found)
		r = make_devices(j, netns, err);
	if (!r)
		r = guard(j, err);
	return r ? r : set_up(j, err);
}

/* --- the node's routes --- */

/* Those whose address the VE is not to have. */
struct stale {
	const struct vz_ips *keep;
	struct vz_route *v;
	size_t n;
};

static int note_stale(const struct vz_route *route, void *data)
{
	struct stale *s = data;
	struct vz_route *v;

	if (has(s->keep, &route->dst))
		return 0;
	v = realloc(s->v, (s->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->v = v;
	v[s->n++] = *route;
	return 0;
}

/* *ret_gone: the addresses of routes that were there and are not to be. */
static int drop_routes(struct job *j, const struct vz_ips *keep, struct vz_ips *ret_gone,
		       struct vz_err *err)
{
	const struct vz_route ours = { .dev = j->dev, .protocol = VZ_ROUTE_PROTOCOL };
	struct stale stale = { .keep = keep };
	int r = j->made ? 0 : vz_rtnl_routes(j->node, &ours, note_stale, &stale, err);

	ret_gone->v = calloc(stale.n + 1, sizeof(*ret_gone->v));
	if (!r && !ret_gone->v)
		r = vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "routes");
	for (size_t i = 0; i < stale.n && !r; i++) {
		r = vz_rtnl_route_del(j->node, &stale.v[i], err);
		ret_gone->v[ret_gone->n++] = stale.v[i].dst;
	}
	free(stale.v);
	return r;
}

/* The address that the node has on VE_ROUTE_SRC_DEV, for each family. */
struct sources {
	struct vz_ip v4, v6;
};

static int each_source(int dev, const struct vz_ip *ip, void *data)
{
	struct sources *s = data;
	struct vz_ip *to = vz_ip_v6(ip) ? &s->v6 : &s->v4;

	if (!to->family && !vz_ip_link_local(ip))
		*to = single(ip);
	return 0;
}

static int find_sources(struct job *j, struct sources *ret, struct vz_err *err)
{
	const char *dev = vz_cfg_str(j->ve->cfg, VZ_P_VE_ROUTE_SRC_DEV);
	struct vz_link link;
	int r;

	*ret = (struct sources){ 0 };
	if (!dev || !*dev)
		return 0;
	r = vz_rtnl_link(j->node, dev, &link, err);
	if (r)
		return vz_err_prefix(err, "VE_ROUTE_SRC_DEV"), r;
	return vz_rtnl_addrs(j->node, link.index, each_source, ret, err);
}

struct rival {
	const struct vz_ip *ip;
	struct vz_route found;
};

static int same_target(const struct vz_route *route, void *data)
{
	struct rival *rival = data;

	if (route->dst.bits != vz_ip_len(rival->ip) * 8 ||
	    !vz_ip_same(&route->dst, rival->ip))
		return 0;
	rival->found = *route;
	return 1;
}

/* Whose is the route that the kernel would not have beside ours? */
static int explain_rival(struct job *j, const struct vz_ip *ip, struct vz_err *err)
{
	static const struct vz_route main_table = { .table = RT_TABLE_MAIN };
	struct rival rival = { .ip = ip };
	struct vz_link link = { .name = "?" };
	char text[VZ_IP_STRLEN];
	unsigned int other;

	vz_rtnl_routes(j->node, &main_table, same_target, &rival, NULL);
	if (rival.found.dev)
		vz_rtnl_link_at(j->node, rival.found.dev, &link, NULL);
	vz_ip_host_text(ip, text);
	if (sscanf(link.alias, "vz %u ", &other) == 1)
		return vz_err_set(err, VZ_E_IPUSED, EADDRINUSE,
				  "VE %u has the address %s", other, text);
	return vz_err_set(err, VZ_E_ADDIP, EEXIST,
			  "the node has a route to %s already, by %s: FORCE_ROUTE=yes "
			  "replaces it",
			  text, link.name);
}

static int is_nodes_own(struct job *j, const struct vz_ip *ip, struct vz_err *err)
{
	struct vz_err quiet = { 0 };
	struct vz_route way;
	char text[VZ_IP_STRLEN];

	/* No way to it at all is no obstacle. */
	if (vz_rtnl_route_to(j->node, ip, &way, &quiet) || way.type != RTN_LOCAL)
		return 0;
	return vz_err_set(err, VZ_E_IPUSED, EADDRINUSE, "%s is the node's own address",
			  vz_ip_host_text(ip, text));
}

static int add_route(struct job *j, const struct vz_ip *ip, const struct sources *src,
		     struct vz_err *err)
{
	struct vz_route route = {
		.dst = single(ip),
		.src = vz_ip_v6(ip) ? src->v6 : src->v4,
		.dev = j->dev,
		.protocol = VZ_ROUTE_PROTOCOL,
	};
	bool force = vz_cfg_bool(j->ve->cfg, VZ_P_FORCE_ROUTE);
	struct vz_err why = { 0 };
	int r = is_nodes_own(j, ip, err);

	if (r)
		return r;
	r = vz_rtnl_route_add(j->node, &route, VZ_RTNL_NEW, &why);
	if (r == -EEXIST) {
		r = explain_rival(j, ip, &why);
		if (force && why.status != VZ_E_IPUSED)
			r = vz_rtnl_route_add(j->node, &route, VZ_RTNL_PUT, &why);
	}
	if (r && err)
		*err = why;
	return r;
}

/* Which addresses have their route? */
struct present {
	const struct vz_ips *ips;
	bool *is;
};

static int mark_present(const struct vz_route *route, void *data)
{
	struct present *p = data;

	for (size_t i = 0; i < p->ips->n; i++)
		p->is[i] |= vz_ip_same(&p->ips->v[i], &route->dst);
	return 0;
}

static int add_routes(struct job *j, const struct vz_ips *ips, struct vz_err *err)
{
	const struct vz_route ours = { .dev = j->dev, .protocol = VZ_ROUTE_PROTOCOL };
	vz_autofree bool *is = calloc(ips->n + 1, sizeof(*is));
	struct present p = { ips, is };
	struct sources src;
	int r = is ? find_sources(j, &src, err)
		   : vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "routes");

	if (!r && !j->made)
		r = vz_rtnl_routes(j->node, &ours, mark_present, &p, err);
	for (size_t i = 0; i < ips->n && !r; i++)
		if (!is[i])
			r = add_route(j, &ips->v[i], &src, err);
	return r;
}

/* --- what may come in --- */

/*
 * RUNDIR/VEID/venet: the device and the addresses that the guard may know, written before it
 * is told, so that none stays when it is another VE's.
 */
static char *record_path(const struct vz_ve *ve)
{
	return vz_strf("%s/%u/venet", ve->ctx->rundir, ve->id);
}

static int record(const struct job *j, const struct vz_ips *a, const struct vz_ips *b,
		  struct vz_err *err)
{
	vz_autofree char *path = record_path(j->ve);
	vz_autostr struct vz_str text = { 0 };
	char ip[VZ_IP_STRLEN];
	int r = path ? 0 : -ENOMEM;

	vz_str_addf(&text, "device %d\n", j->dev);
	for (size_t i = 0; i < a->n + b->n; i++)
		vz_str_addf(&text, "%s\n",
			    vz_ip_text(i < a->n ? &a->v[i] : &b->v[i - a->n], ip));
	if (text.failed)
		r = -ENOMEM;
	if (!r)
		r = vz_replace_volatile(path, text.s ? text.s : "", text.len);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write %s", path ? path : "")
		 : 0;
}

static int let_through(struct job *j, const struct vz_ips *old, const struct vz_ips *new,
		       struct vz_err *err)
{
	int r = record(j, old, new, err);

	for (size_t i = 0; i < new->n && !r; i++)
		r = vz_netguard_allow(&j->guard, j->ve->id, &new->v[i], err);
	return r;
}

static int let_no_more(struct job *j, const struct vz_ips *old, const struct vz_ips *new,
		       struct vz_err *err)
{
	static const struct vz_ips none;

	for (size_t i = 0; i < old->n; i++)
		if (!has(new, &old->v[i]))
			vz_netguard_forbid(&j->guard, j->ve->id, &old->v[i]);
	return record(j, new, &none, err);
}

/* All that the record has; of the device, which may be gone by itself, too. */
static void forbid_all(struct job *j)
{
	vz_autofree char *path = record_path(j->ve), *text = NULL;
	char *at, *line;
	struct vz_ip ip;
	int dev;

	if (!path || vz_read_file(path, RECORD_MAX, &text, NULL))
		return;
	for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
		if (sscanf(line, "device %d", &dev) == 1)
			vz_netguard_forget(&j->guard, dev);
		else if (!vz_ip_parse(line, &ip))
			vz_netguard_forbid(&j->guard, j->ve->id, &ip);
	unlink(path);
}

/* --- in the VE --- */

static int set_default(struct job *j, int family, bool wanted, struct vz_err *err)
{
	const struct vz_route way = {
		.dst = { .family = family },
		.dev = j->inner,
		.protocol = VZ_ROUTE_PROTOCOL,
	};

	return wanted ? vz_rtnl_route_add(j->guest, &way, VZ_RTNL_PUT, err)
		      : vz_rtnl_route_del(j->guest, &way, err);
}

/* With their bits, as the VE has them. */
struct inside {
	const struct vz_ips *gone;
	struct vz_ips found;
};

static int see_inside(int dev, const struct vz_ip *ip, void *data)
{
	struct inside *in = data;
	struct vz_ip *v;

	if (!has(in->gone, ip))
		return 0;
	v = reallocarray(in->found.v, in->found.n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	in->found.v = v;
	v[in->found.n++] = *ip;
	return 0;
}

/* What a command that was killed half-way had begun to give it. */
static int drop_inside(struct job *j, const struct vz_ips *gone, struct vz_err *err)
{
	struct inside in = { .gone = gone };
	int r = gone->n ? vz_rtnl_addrs(j->guest, j->inner, see_inside, &in, err) : 0;

	for (size_t i = 0; i < in.found.n && !r; i++)
		r = vz_rtnl_addr_del(j->guest, j->inner, &in.found.v[i], err);
	vz_ips_done(&in.found);
	return r;
}

static int set_inside(struct job *j, const struct vz_ips *old, const struct vz_ips *new,
		      struct vz_err *err)
{
	bool v4 = false, v6 = false;
	int r = 0;

	for (size_t i = 0; i < old->n && !r; i++)
		if (!has(new, &old->v[i]))
			r = vz_rtnl_addr_del(j->guest, j->inner, &old->v[i], err);
	for (size_t i = 0; i < new->n && !r; i++) {
		r = vz_rtnl_addr_add(j->guest, j->inner, &new->v[i], VZ_RTNL_PUT, err);
		*(vz_ip_v6(&new->v[i]) ? &v6 : &v4) = true;
	}
	if (!r)
		r = set_default(j, AF_INET, v4, err);
	return r ? r : set_default(j, AF_INET6, v6, err);
}

/* --- all of it --- */

/* Those of new that are not among old: nobody was asked about them yet. */
static int find_fresh(const struct vz_neighbours *all, const struct vz_ips *old,
		      struct vz_neighbours *ret, struct vz_err *err)
{
	ret->v = calloc(all->n + 1, sizeof(*ret->v));
	if (!ret->v)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "the node's networks");
	for (size_t i = 0; i < all->n; i++)
		if (!has(old, &all->v[i].ip))
			ret->v[ret->n++] = all->v[i];
	return 0;
}

static int set_addresses(struct job *j, int netns, const struct vz_ips *old,
			 const struct vz_ips *new, struct vz_err *err)
{
	vz_autoneighbours struct vz_neighbours near = { 0 }, fresh = { 0 };
	vz_autotalk struct vz_neighbours_talk talk = { 0 };
	vz_autoips struct vz_ips gone = { 0 };
	int wait = vz_cfg_bool(j->ve->cfg, VZ_P_ERROR_ON_ARPFAIL) ? ANSWER_MS : 0;
	int r = vz_neighbours_find(j->ve, j->node, new, &near, err);

	if (!r)
		r = find_fresh(&near, old, &fresh, err);
	if (!r)
		r = vz_neighbours_ask(j->ve, &fresh, &talk, err);
	if (!r)
		r = need_devices(j, netns, err);
	if (!r)
		r = drop_routes(j, new, &gone, err);
	if (!r)
		r = let_through(j, old, new, err);
	if (!r)
		r = add_routes(j, new, err);
	if (!r)
		r = drop_inside(j, &gone, err);
	if (!r)
		r = set_inside(j, old, new, err);
	/* Before anybody is told that it is here. */
	if (!r)
		r = vz_neighbours_hear(j->ve, &talk, wait, err);
	if (!r)
		r = let_no_more(j, old, new, err);
	if (!r)
		r = vz_neighbours_set(j->ve, j->node, &near, err);
	if (!r)
		vz_neighbours_announce(&talk);
	return r;
}

int vz_venet_set(const struct vz_ve *ve, int netns, const struct vz_cfg *old,
		 const struct vz_cfg *new, struct vz_err *err)
{
	vz_autoips struct vz_ips before = { 0 }, after = { 0 };
	VZ_CLEANUP(job_done) struct job j = { 0 };
	size_t skipped = 0;
	int r = old ? vz_ips_read(old, &before, NULL, err) : 0;

	if (!r)
		r = vz_ips_read(new, &after, &skipped, err);
	if (!r && skipped)
		vz_warn(ve->ctx, "VE %u: its %zu IPv6 addresses are not set: IPV6=no",
			ve->id, skipped);
	if (!r && !before.n && !after.n)
		return 0;
	if (!r)
		r = job_init(&j, ve, err);
	if (!r)
		r = enter(&j, netns, err);
	if (!r)
		r = set_addresses(&j, netns, &before, &after, err);
	if (!r)
		vz_procfiles_addresses(ve->ctx, ve->id, after.v, after.n);
	return r;
}

int vz_venet_remove(const struct vz_ve *ve, struct vz_err *err)
{
	static const struct vz_neighbours none;
	VZ_CLEANUP(job_done) struct job j = { 0 };
	struct vz_err quiet = { 0 };
	struct vz_link link;
	bool guarded;
	int r = job_init(&j, ve, err);

	if (!r)
		r = vz_neighbours_set(ve, j.node, &none, err);
	if (r)
		return r;
	guarded = !vz_netguard_find(ve->ctx, &j.guard);
	if (guarded)
		forbid_all(&j);
	r = vz_rtnl_link(j.node, j.name, &link, &quiet);
	if (r == -ENODEV)
		return 0;
	if (r) {
		if (err)
			*err = quiet;
		return r;
	}
	if (!is_ours(&j, &link))
		return 0;
	r = vz_rtnl_link_del(j.node, link.index, err);
	if (!r && guarded)
		vz_netguard_forget(&j.guard, link.index);
	return r;
}
