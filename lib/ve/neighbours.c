/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/neighbours.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/neigh.h"

#define FILE_MAX (1 << 20)
/* A switch or a host may miss the first one just as it comes up. */
#define ANNOUNCEMENTS 2

void vz_neighbours_done(struct vz_neighbours *l)
{
	free(l->v);
	*l = (struct vz_neighbours){ 0 };
}

static int add(struct vz_neighbours *l, const struct vz_neighbour *n)
{
	struct vz_neighbour *v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	v[l->n++] = *n;
	return 0;
}

static bool has(const struct vz_neighbours *l, const struct vz_neighbour *n)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].dev == n->dev && vz_ip_same(&l->v[i].ip, &n->ip))
			return true;
	return false;
}

/* --- which devices --- */

/* What can be asked, and answered on, who has an address. */
static bool is_network(const struct vz_link *link)
{
	return link->flags & IFF_UP && !(link->flags & (IFF_LOOPBACK | IFF_NOARP)) &&
	       !link->master && strncmp(link->alias, "vz ", 3);
}

struct search {
	const struct vz_ips *ips;
	const struct vz_strv *names; /* NULL: any */
	struct vz_neighbours *found;
	bool failed;
};

static int add_for_all(struct search *s, const struct vz_link *link)
{
	for (size_t i = 0; i < s->ips->n; i++) {
		struct vz_neighbour n = { .ip = s->ips->v[i], .dev = link->index };

		snprintf(n.name, sizeof(n.name), "%s", link->name);
		memcpy(n.mac, link->mac, sizeof(n.mac));
		if (add(s->found, &n))
			return -ENOMEM;
	}
	return 0;
}

static int each_link(const struct vz_link *link, void *data)
{
	struct search *s = data;

	if (s->names ? !vz_strv_has(s->names, link->name) : !is_network(link))
		return 0;
	return add_for_all(s, link);
}

/* A device in whose network some of the addresses are. */
static int each_addr(int dev, const struct vz_ip *net, void *data)
{
	struct search *s = data;

	if (net->bits >= vz_ip_len(net) * 8 || vz_ip_link_local(net))
		return 0;
	for (size_t i = 0; i < s->ips->n; i++) {
		struct vz_neighbour n = { .ip = s->ips->v[i], .dev = dev };

		if (vz_ip_within(&n.ip, net) && !has(s->found, &n) && add(s->found, &n))
			return -ENOMEM;
	}
	return 0;
}

/* By address only the number is known; and not each device is a network. */
static int look_up(struct vz_rtnl *nl, struct vz_neighbours *l, struct vz_err *err)
{
	struct vz_link link = { 0 };
	size_t n = 0;
	int r;

	for (size_t i = 0; i < l->n; i++) {
		if (link.index != l->v[i].dev) {
			r = vz_rtnl_link_at(nl, l->v[i].dev, &link, err);
			if (r)
				return r;
		}
		if (!is_network(&link))
			continue;
		l->v[n] = l->v[i];
		snprintf(l->v[n].name, sizeof(l->v[n].name), "%s", link.name);
		memcpy(l->v[n++].mac, link.mac, sizeof(link.mac));
	}
	l->n = n;
	return 0;
}

int vz_neighbours_find(const struct vz_ve *ve, struct vz_rtnl *nl,
		       const struct vz_ips *ips, struct vz_neighbours *ret,
		       struct vz_err *err)
{
	const char *how = vz_cfg_str(ve->cfg, VZ_P_NEIGHBOUR_DEVS);
	vz_autoneighbours struct vz_neighbours found = { 0 };
	vz_autostrv struct vz_strv names = { 0 };
	struct search s = { .ips = ips, .found = &found };
	int r = 0;

	if (!ips->n) {
		*ret = (struct vz_neighbours){ 0 };
		return 0;
	}
	if (!how || !*how || !strcmp(how, "detect")) {
		r = vz_rtnl_addrs(nl, 0, each_addr, &s, err);
		if (!r)
			r = look_up(nl, &found, err);
	} else if (!strncmp(how, "list:", 5)) {
		s.names = &names;
		r = vz_strv_split(&names, how + 5, " \t,");
		if (!r && names.n)
			r = vz_rtnl_links(nl, each_link, &s, err);
	} else if (!strcmp(how, "all")) {
		r = vz_rtnl_links(nl, each_link, &s, err);
	} else {
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "NEIGHBOUR_DEVS=\"%s\": expected detect, all or "
				  "list:DEVICE…",
				  how);
	}
	if (r == -ENOMEM)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "the node's networks");
	if (r)
		return r;
	*ret = found;
	found = (struct vz_neighbours){ 0 };
	return 0;
}

/* --- talking --- */

/* One for each device and family among the list, where these stand in a row. */
struct vz_neighbours_socket {
	struct vz_neigh neigh;
	const struct vz_neighbour *v;
	size_t n;
};

void vz_neighbours_talk_done(struct vz_neighbours_talk *t)
{
	for (size_t i = 0; i < t->n; i++)
		vz_neigh_close(&t->v[i].neigh);
	free(t->v);
	*t = (struct vz_neighbours_talk){ 0 };
}

int vz_neighbours_open(const struct vz_neighbours *l, struct vz_neighbours_talk *t,
		       struct vz_err *err)
{
	t->v = calloc(l->n + 1, sizeof(*t->v));
	if (!t->v)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "the node's networks");
	for (size_t i = 0; i < l->n;) {
		struct vz_neighbours_socket *s = &t->v[t->n];
		const struct vz_neighbour *v = &l->v[i];
		int r = vz_neigh_open(v->dev, v->mac, v->ip.family, &s->neigh, err);

		if (r)
			return r;
		t->n++;
		s->v = v;
		do
			i++, s->n++;
		while (i < l->n && l->v[i].dev == v->dev &&
		       l->v[i].ip.family == v->ip.family);
	}
	return 0;
}

int vz_neighbours_ask(const struct vz_ve *ve, const struct vz_neighbours *l,
		      struct vz_neighbours_talk *ret, struct vz_err *err)
{
	vz_autotalk struct vz_neighbours_talk t = { 0 };
	int r = l->n ? vz_neighbours_open(l, &t, err) : 0;

	if (r)
		return r;
	/* A device that is down has nobody to answer. */
	if (!vz_cfg_bool(ve->cfg, VZ_P_SKIP_ARPDETECT))
		for (size_t i = 0; i < t.n; i++)
			for (size_t k = 0; k < t.v[i].n; k++)
				vz_neigh_ask(&t.v[i].neigh, &t.v[i].v[k].ip);
	*ret = t;
	t = (struct vz_neighbours_talk){ 0 };
	return 0;
}

static int taken(const struct vz_ve *ve, const struct vz_neighbour *v,
		 const unsigned char m[6], struct vz_err *err)
{
	char ip[VZ_IP_STRLEN];

	vz_ip_host_text(&v->ip, ip);
	if (vz_cfg_bool(ve->cfg, VZ_P_ERROR_ON_ARPFAIL))
		return vz_err_set(err, VZ_E_IPUSED, EADDRINUSE,
				  "the address %s is that of another machine, "
				  "%02x:%02x:%02x:%02x:%02x:%02x on %s",
				  ip, m[0], m[1], m[2], m[3], m[4], m[5], v->name);
	vz_warn(ve->ctx,
		"VE %u: the address %s is also that of another machine, "
		"%02x:%02x:%02x:%02x:%02x:%02x on %s",
		ve->id, ip, m[0], m[1], m[2], m[3], m[4], m[5], v->name);
	return 0;
}

static int hear(const struct vz_ve *ve, const struct vz_neighbours_socket *s, int wait_ms,
		struct vz_err *err)
{
	unsigned char mac[6];
	struct vz_ip ip;
	int r = 0;

	while (!r && vz_neigh_answer(&s->neigh, wait_ms, &ip, mac) > 0)
		for (size_t i = 0; i < s->n; i++)
			if (vz_ip_same(&ip, &s->v[i].ip)) {
				r = taken(ve, &s->v[i], mac, err);
				break;
			}
	return r;
}

int vz_neighbours_hear(const struct vz_ve *ve, const struct vz_neighbours_talk *t,
		       int wait_ms, struct vz_err *err)
{
	int r = 0;

	if (vz_cfg_bool(ve->cfg, VZ_P_SKIP_ARPDETECT))
		return 0;
	/* While the first is waited for, the others receive. */
	for (size_t i = 0; i < t->n && !r; i++)
		r = hear(ve, &t->v[i], i ? 0 : wait_ms, err);
	return r;
}

/* All descriptors but the talk's. */
static void close_others(const struct vz_neighbours_talk *t)
{
	int max = 0;

	for (size_t i = 0; i < t->n; i++)
		max = t->v[i].neigh.fd > max ? t->v[i].neigh.fd : max;
	close_range(max + 1, ~0U, 0);
	for (int fd = 0; fd < max; fd++) {
		bool own = false;

		for (size_t i = 0; i < t->n; i++)
			own |= t->v[i].neigh.fd == fd;
		if (!own)
			close(fd);
	}
}

static _Noreturn void announcer(const struct vz_neighbours_talk *t)
{
	const struct timespec pause = { .tv_sec = 1 };

	setsid();
	for (int i = 0; i < ANNOUNCEMENTS; i++) {
		if (i)
			nanosleep(&pause, NULL);
		for (size_t s = 0; s < t->n; s++)
			for (size_t k = 0; k < t->v[s].n; k++)
				vz_neigh_announce(&t->v[s].neigh, &t->v[s].v[k].ip);
	}
	_exit(0);
}

void vz_neighbours_announce(struct vz_neighbours_talk *t)
{
	pid_t pid = t->n ? fork() : -1;

	/*
	 * Its parent is init; neither a lock nor a pipe may live on in it, not even
	 * for as long as it takes to begin.
	 */
	if (!pid) {
		close_others(t);
		if (fork())
			_exit(0);
		announcer(t);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	vz_neighbours_talk_done(t);
}

/* --- the proxies' entries --- */

static char *file_path(const struct vz_ve *ve)
{
	return vz_strf("%s/%u/proxies", ve->ctx->rundir, ve->id);
}

/* A line: the device's name and number, the address. */
static int parse(char *line, struct vz_neighbours *l)
{
	struct vz_neighbour n = { 0 };
	char *at, *name = strtok_r(line, " ", &at);
	char *dev = name ? strtok_r(NULL, " ", &at) : NULL;
	char *ip = dev ? strtok_r(NULL, " ", &at) : NULL;

	if (!ip || vz_ip_parse(ip, &n.ip))
		return 0;
	n.dev = atoi(dev);
	snprintf(n.name, sizeof(n.name), "%s", name);
	return add(l, &n);
}

static int load(const struct vz_ve *ve, struct vz_neighbours *ret, struct vz_err *err)
{
	vz_autofree char *path = file_path(ve), *text = NULL;
	char *at, *line;
	int r = path ? vz_read_file(path, FILE_MAX, &text, NULL) : -ENOMEM;

	if (r == -ENOENT)
		return 0;
	for (line = r ? NULL : strtok_r(text, "\n", &at); line && !r;
	     line = strtok_r(NULL, "\n", &at))
		r = parse(line, ret);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path) : 0;
}

static int save(const struct vz_ve *ve, const struct vz_neighbours *a,
		const struct vz_neighbours *b, struct vz_err *err)
{
	vz_autofree char *path = file_path(ve);
	vz_autostr struct vz_str text = { 0 };
	char ip[VZ_IP_STRLEN];
	int r = path ? 0 : -ENOMEM;

	for (size_t i = 0; i < a->n + b->n; i++) {
		const struct vz_neighbour *n = i < a->n ? &a->v[i] : &b->v[i - a->n];

		vz_str_addf(&text, "%s %d %s\n", n->name, n->dev, vz_ip_text(&n->ip, ip));
	}
	if (text.failed)
		r = -ENOMEM;
	if (!r && !text.len)
		r = unlink(path) && errno != ENOENT ? -errno : 0;
	else if (!r)
		r = vz_replace_volatile(path, text.s, text.len);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write %s", path ? path : "")
		 : 0;
}

/* IPv6 has a switch of its own for that, IPv4 asks only for forwarding. */
static void let_answer(const struct vz_ve *ve, const struct vz_neighbour *n)
{
	vz_autofree char *path =
		vz_strf("%s/sys/net/ipv6/conf/%s/proxy_ndp", ve->ctx->procdir, n->name);
	char now[8];

	if (!vz_ip_v6(&n->ip) || !path ||
	    vz_read_small(AT_FDCWD, path, now, sizeof(now)) || !strcmp(now, "1"))
		return;
	if (vz_cfg_bool(ve->cfg, VZ_P_SKIP_SYSCTL_SETUP))
		vz_warn(ve->ctx,
			"%s is not 1: nobody on %s will find the VE's IPv6 addresses",
			path, n->name);
	else if (vz_write_small(AT_FDCWD, path, "1"))
		vz_warn(ve->ctx,
			"can't set %s to 1: nobody on %s will find the VE's IPv6 "
			"addresses",
			path, n->name);
	else
		vz_info(ve->ctx, "%s: set to 1", path);
}

/*
 * An entry that a VE left whose end nobody saw may be another one's by now: who
 * has the address has the route.
 */
static bool is_anothers(const struct vz_ve *ve, struct vz_rtnl *nl,
			const struct vz_ip *ip)
{
	struct vz_err quiet = { 0 };
	struct vz_route way;
	struct vz_link link;
	unsigned int veid;

	return !vz_rtnl_route_to(nl, ip, &way, &quiet) &&
	       !vz_rtnl_link_at(nl, way.dev, &link, &quiet) &&
	       sscanf(link.alias, "vz %u venet", &veid) == 1 && veid != ve->id;
}

int vz_neighbours_set(const struct vz_ve *ve, struct vz_rtnl *nl,
		      const struct vz_neighbours *want, struct vz_err *err)
{
	vz_autoneighbours struct vz_neighbours have = { 0 };
	static const struct vz_neighbours none;
	int r = load(ve, &have, err);

	if (!r && (have.n || want->n))
		r = save(ve, &have, want, err);
	for (size_t i = 0; i < have.n && !r; i++)
		if (!has(want, &have.v[i]) && !is_anothers(ve, nl, &have.v[i].ip))
			r = vz_rtnl_proxy_del(nl, have.v[i].dev, &have.v[i].ip, err);
	for (size_t i = 0; i < want->n && !r; i++) {
		r = vz_rtnl_proxy_add(nl, want->v[i].dev, &want->v[i].ip, err);
		if (!r)
			let_answer(ve, &want->v[i]);
	}
	return !r && (have.n || want->n) ? save(ve, want, &none, err) : r;
}
