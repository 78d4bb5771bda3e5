/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/veth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "res/netif.h"
#include "sys/netguard.h"
#include "sys/rtnl.h"
#include "ve/netclass.h"
#include "ve/traffic.h"

#define JOURNAL_MAX (64 << 10)
#define NO_HOST_END "-" /* in the journal: a macvlan */

/* One change of a VE's interfaces. */
struct job {
	const struct vz_ve *ve;
	struct vz_rtnl *host, *in;
	struct vz_netguard guard;
	int netns;
	struct vz_strv journal; /* "HOST_IFNAME IFNAME INDEX" */
};

static void job_done(struct job *j)
{
	vz_rtnl_close(j->host);
	vz_rtnl_close(j->in);
	vz_netguard_close(&j->guard);
	vz_strv_done(&j->journal);
}
#define autojob VZ_CLEANUP(job_done)

/* --- the journal --- */

static char *journal_path(const struct vz_ve *ve)
{
	return vz_strf("%s/%u/veth", ve->ctx->rundir, ve->id);
}

static int read_journal(struct job *j, struct vz_err *err)
{
	vz_autofree char *path = journal_path(j->ve), *text = NULL;
	int r = path ? vz_read_file(path, JOURNAL_MAX, &text, NULL) : -ENOMEM;

	if (r == -ENOENT)
		return 0;
	if (!r)
		r = vz_strv_split(&j->journal, text, "\n");
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path) : 0;
}

static int write_journal(struct job *j, struct vz_err *err)
{
	vz_autofree char *path = journal_path(j->ve), *text = NULL;
	int r;

	if (!j->journal.n)
		return path && !unlink(path) ? 0 : errno == ENOENT ? 0 : -errno;
	text = vz_strv_join(&j->journal, "\n");
	r = path && text ? vz_replace_volatile(path, text, strlen(text)) : -ENOMEM;
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write %s", path) : 0;
}

struct entry {
	char host[IFNAMSIZ], ifname[IFNAMSIZ];
	int index; /* of the node's end; 0: not made yet */
};

static int parse_entry(const char *line, struct entry *ret)
{
	return sscanf(line, "%15s %15s %d", ret->host, ret->ifname, &ret->index) == 3
		       ? 0
		       : -EINVAL;
}

static const char *host_end(const struct vz_netif *n)
{
	return n->type == VZ_NETIF_MACVLAN ? NO_HOST_END : n->host_ifname;
}

static bool is_of(const struct entry *e, const struct vz_netif *n)
{
	return !strcmp(e->host, host_end(n)) && !strcmp(e->ifname, n->ifname);
}

static void strike(struct job *j, size_t at)
{
	free(j->journal.v[at]);
	memmove(j->journal.v + at, j->journal.v + at + 1,
		(j->journal.n - at) * sizeof(*j->journal.v));
	j->journal.n--;
}

/* index 0: as it was noted before. */
static int note(struct job *j, const struct vz_netif *n, int index, struct vz_err *err)
{
	vz_autofree char *line = NULL;
	struct entry e;

	for (size_t i = j->journal.n; i--;) {
		if (parse_entry(j->journal.v[i], &e) || !is_of(&e, n))
			continue;
		if (!index || index == e.index)
			return 0;
		/* The VE may have removed its end, and the node's with it. */
		if (e.index)
			vz_netguard_forget(&j->guard, e.index);
		strike(j, i);
	}
	line = vz_strf("%s %s %d", host_end(n), n->ifname, index);
	return line && !vz_strv_add(&j->journal, line)
		       ? 0
		       : vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't note %s",
				    n->ifname);
}

static bool noted(const struct job *j, const char *host)
{
	struct entry e;

	for (size_t i = 0; i < j->journal.n; i++)
		if (!parse_entry(j->journal.v[i], &e) && !strcmp(e.host, host))
			return true;
	return false;
}

/* --- which devices are ours --- */

static void make_alias(const struct job *j, const char *ifname, char alias[VZ_ALIAS_LEN])
{
	snprintf(alias, VZ_ALIAS_LEN, "vz %u %s", j->ve->id, ifname);
}

enum whose {
	ABSENT,
	OURS, /* this VE's interface of that name */
	LEFT, /* ours, of another name, or begun by a command that was killed */
	FOREIGN,
};

static enum whose look(struct job *j, const char *name, const char *ifname,
		       struct vz_link *ret)
{
	char alias[VZ_ALIAS_LEN];

	if (vz_rtnl_link(j->host, name, ret, NULL))
		return ABSENT;
	make_alias(j, ifname, alias);
	if (!strcmp(ret->alias, alias))
		return OURS;
	make_alias(j, "", alias);
	if (!strncmp(ret->alias, alias, strlen(alias)) && !strcmp(ret->kind, "veth"))
		return LEFT;
	/* A name that was free when we noted it, and the other end elsewhere. */
	if (!*ret->alias && !strcmp(ret->kind, "veth") && ret->lower_netns >= 0 &&
	    noted(j, name))
		return LEFT;
	return FOREIGN;
}

static int refuse(const struct vz_link *link, const struct vz_netif *n,
		  struct vz_err *err)
{
	unsigned int veid;

	if (sscanf(link->alias, "vz %u ", &veid) == 1)
		return vz_err_set(err, VZ_E_VETH, 0,
				  "%s: the device %s belongs to VE %u: give another "
				  "host_ifname",
				  n->ifname, link->name, veid);
	return vz_err_set(err, VZ_E_VETH, 0,
			  "%s: the node has a device %s, which is not ours: give another "
			  "host_ifname",
			  n->ifname, link->name);
}

/* --- the node's end --- */

static int find_bridge(struct job *j, const struct vz_netif *n, struct vz_link *ret,
		       struct vz_err *err)
{
	*ret = (struct vz_link){ 0 };
	if (!*n->bridge)
		return !n->vlan ? 0
				: vz_err_set(err, VZ_E_VETH, 0,
					     "%s: a VLAN needs a bridge (--bridge)",
					     n->ifname);
	if (vz_rtnl_link(j->host, n->bridge, ret, NULL))
		return vz_err_set(err, VZ_E_VETH, 0,
				  "%s: the node has no bridge %s: make it first (ip link "
				  "add %s type bridge)",
				  n->ifname, n->bridge, n->bridge);
	if (strcmp(ret->kind, "bridge"))
		return vz_err_set(err, VZ_E_VETH, 0, "%s: %s is no bridge", n->ifname,
				  n->bridge);
	if (n->vlan && !ret->vlan_filtering)
		return vz_err_set(err, VZ_E_VETH, 0,
				  "%s: the bridge %s does not tell VLANs apart: ip link "
				  "set %s type bridge vlan_filtering 1",
				  n->ifname, n->bridge, n->bridge);
	return 0;
}

/* In its VLAN only: a port begins in the bridge's default one. */
static int put_into_vlan(struct job *j, const struct vz_netif *n, int index,
			 const struct vz_link *bridge, struct vz_err *err)
{
	int r = 0;

	if (!n->vlan)
		return 0;
	if (bridge->default_vlan && n->vlan != bridge->default_vlan)
		r = vz_rtnl_port_vlan_del(j->host, index, bridge->default_vlan, err);
	return r ? r
		 : vz_rtnl_port_vlan_add(j->host, index, n->vlan,
					 VZ_VLAN_PVID | VZ_VLAN_UNTAGGED, err);
}

/* --- the guard --- */

/* What passes before it is there would pass unseen, so the link is down. */
static int guard(struct job *j, const struct vz_netif *n, const struct vz_link *link,
		 struct vz_err *err)
{
	struct vz_guard_link how = {
		.veid = j->ve->id,
		.kind = VZ_LINK_VETH,
		.mac_filter = !n->no_mac_filter,
	};
	struct vz_guard_traffic base;
	int r = vz_traffic_saved(j->ve->ctx, j->ve->id, &base, err);

	memcpy(how.mac, n->mac, sizeof(how.mac));
	if (!r)
		r = vz_netguard_attach(&j->guard, link->index, &how, &base, err);
	if (!r)
		vz_traffic_started(j->ve->ctx, j->ve->id, &j->guard);
	return r;
}

static int remove_link(struct job *j, const struct vz_link *link, struct vz_err *err)
{
	int r = vz_rtnl_link_del(j->host, link->index, err);

	if (!r)
		vz_netguard_forget(&j->guard, link->index);
	return r;
}

/* From any bridge to this one. Nothing passes before its VLAN is the right one. */
static int plug(struct job *j, const struct vz_netif *n, const struct vz_link *link,
		const struct vz_link *bridge, struct vz_err *err)
{
	struct vz_link_set off = { .mask = IFF_UP, .set_master = true };
	struct vz_link_set on = { .set_master = true, .master = bridge->index };
	struct vz_link_set up = { .flags = IFF_UP, .mask = IFF_UP };
	int r = 0;

	if (link->master || link->flags & IFF_UP)
		r = vz_rtnl_link_set(j->host, link->index, &off, err);
	if (!r && bridge->index)
		r = vz_rtnl_link_set(j->host, link->index, &on, err);
	if (!r)
		r = put_into_vlan(j, n, link->index, bridge, err);
	return r ? r : vz_rtnl_link_set(j->host, link->index, &up, err);
}

static int make(struct job *j, const struct vz_netif *n, const struct vz_link *bridge,
		struct vz_err *err)
{
	struct vz_link_new host = { .name = n->host_ifname,
				    .mac = n->host_mac,
				    .netns = -1 };
	struct vz_link_new guest = { .name = n->ifname,
				     .mac = n->mac,
				     .netns = j->netns };
	char alias[VZ_ALIAS_LEN];
	struct vz_link_set mark = { .alias = alias };
	struct vz_link link;
	int r = vz_rtnl_veth_add(j->host, &host, &guest, err);

	if (r)
		return r;
	make_alias(j, n->ifname, alias);
	r = vz_rtnl_link(j->host, n->host_ifname, &link, err);
	if (!r)
		r = vz_rtnl_link_set(j->host, link.index, &mark, err);
	if (!r)
		r = note(j, n, link.index, err);
	if (!r)
		r = guard(j, n, &link, err);
	return r ? r : plug(j, n, &link, bridge, err);
}

static int rename_host(struct job *j, const struct vz_netif *n, struct vz_link *link,
		       struct vz_err *err)
{
	struct vz_link_set down = { .mask = IFF_UP };
	struct vz_link_set name = { .name = n->host_ifname };
	int r = vz_rtnl_link_set(j->host, link->index, &down, err);

	link->flags &= ~IFF_UP;
	return r ? r : vz_rtnl_link_set(j->host, link->index, &name, err);
}

/* The VE may have given its end another name, but not another number. */
static int set_guest_mac(struct job *j, const struct vz_netif *n,
			 const struct vz_link *host, struct vz_err *err)
{
	struct vz_link_set set = { .mac = n->mac };
	struct vz_link link;
	int r = vz_rtnl_link_at(j->in, host->lower, &link, err);

	if (r || !memcmp(link.mac, n->mac, VZ_MAC_LEN))
		return r;
	return vz_rtnl_link_set(j->in, link.index, &set, err);
}

static int adjust(struct job *j, const struct vz_netif *n, struct vz_link *link,
		  const struct vz_link *bridge, struct vz_err *err)
{
	struct vz_link_set mac = { .mac = n->host_mac };
	bool named = !strcmp(link->name, n->host_ifname);
	int r = named ? 0 : rename_host(j, n, link, err);

	if (!r && memcmp(link->mac, n->host_mac, VZ_MAC_LEN))
		r = vz_rtnl_link_set(j->host, link->index, &mac, err);
	if (!r)
		r = note(j, n, link->index, err);
	if (!r)
		r = guard(j, n, link, err);
	if (!r)
		r = set_guest_mac(j, n, link, err);
	if (r || (link->flags & IFF_UP && link->master == bridge->index &&
		  !bridge->vlan_filtering))
		return r;
	/* What VLANs a port was in is forgotten when it leaves. */
	return plug(j, n, link, bridge, err);
}

/* The device under the name that the interface had until now. */
static enum whose look_renamed(struct job *j, const struct vz_netif *n,
			       struct vz_link *ret)
{
	struct entry e;

	for (size_t i = 0; i < j->journal.n; i++)
		if (!parse_entry(j->journal.v[i], &e) && !strcmp(e.ifname, n->ifname) &&
		    strcmp(e.host, n->host_ifname) &&
		    look(j, e.host, n->ifname, ret) == OURS)
			return OURS;
	return ABSENT;
}

static int set_veth(struct job *j, const struct vz_netif *n, bool same,
		    struct vz_err *err)
{
	struct vz_link link, bridge;
	int r = find_bridge(j, n, &bridge, err);
	enum whose whose = look(j, n->host_ifname, n->ifname, &link);

	if (r)
		return r;
	if (whose == FOREIGN)
		return refuse(&link, n, err);
	if (whose == LEFT) {
		r = remove_link(j, &link, err);
		whose = ABSENT;
	}
	if (!r && whose == ABSENT)
		whose = look_renamed(j, n, &link);
	if (!r)
		r = note(j, n, 0, err);
	if (!r)
		r = write_journal(j, err);
	if (r)
		return r;
	if (whose == ABSENT)
		return make(j, n, &bridge, err);
	return same && link.flags & IFF_UP && link.master == bridge.index
		       ? 0
		       : adjust(j, n, &link, &bridge, err);
}

/* --- macvlans --- */

static const enum vz_macvlan_mode modes[] = {
	[VZ_NETIF_PRIVATE] = VZ_MACVLAN_PRIVATE,
	[VZ_NETIF_VEPA] = VZ_MACVLAN_VEPA,
	[VZ_NETIF_BRIDGE] = VZ_MACVLAN_BRIDGE,
	[VZ_NETIF_PASSTHRU] = VZ_MACVLAN_PASSTHRU,
};

static bool has_macvlan(struct job *j, const char *ifname, struct vz_link *ret)
{
	return !vz_rtnl_link(j->in, ifname, ret, NULL) && !strcmp(ret->kind, "macvlan");
}

static int set_macvlan(struct job *j, const struct vz_netif *n, bool same,
		       struct vz_err *err)
{
	struct vz_link_new new = { .name = n->ifname, .mac = n->mac, .netns = j->netns };
	struct vz_link link, lower;
	int r;

	if (vz_rtnl_link(j->host, n->link, &lower, NULL))
		return vz_err_set(err, VZ_E_VETH, 0,
				  "%s: the node has no device %s for a macvlan",
				  n->ifname, n->link);
	if (has_macvlan(j, n->ifname, &link)) {
		if (same && link.lower == lower.index)
			return 0;
		r = vz_rtnl_link_del(j->in, link.index, err);
		if (r)
			return r;
	}
	r = note(j, n, 0, err);
	if (!r)
		r = write_journal(j, err);
	return r ? r
		 : vz_rtnl_macvlan_add(j->host, lower.index, modes[n->mode], &new, err);
}

/* --- all of them --- */

static int remove_entry(struct job *j, const struct entry *e, struct vz_err *err)
{
	struct vz_link link;
	enum whose whose;

	if (!strcmp(e->host, NO_HOST_END))
		return j->in && has_macvlan(j, e->ifname, &link)
			       ? vz_rtnl_link_del(j->in, link.index, err)
			       : 0;
	whose = look(j, e->host, e->ifname, &link);
	if (whose == OURS || whose == LEFT)
		return remove_link(j, &link, err);
	/* The kernel was faster: it goes with the VE's end. */
	if (e->index)
		vz_netguard_forget(&j->guard, e->index);
	return 0;
}

static const char *find_in(const struct vz_cfg *cfg, const char *ifname,
			   struct vz_netif *ret)
{
	const struct vz_strv *list = cfg ? vz_cfg_list(cfg, VZ_P_NETIF) : NULL;

	for (size_t i = 0; list && i < list->n; i++)
		if (!vz_netif_parse(list->v[i], ret) && !strcmp(ret->ifname, ifname))
			return list->v[i];
	return NULL;
}

/* Interfaces that are to go, or to come back as another kind. */
static int remove_others(struct job *j, const struct vz_cfg *new, struct vz_err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < j->journal.n; i++) {
		bool macvlan, stays;
		struct vz_netif n;
		struct entry e;

		if (parse_entry(j->journal.v[i], &e))
			continue;
		macvlan = !strcmp(e.host, NO_HOST_END);
		stays = find_in(new, e.ifname, &n) &&
			macvlan == (n.type == VZ_NETIF_MACVLAN);
		if (!stays)
			r = remove_entry(j, &e, err);
	}
	return r;
}

/* Nothing else is there any more. */
static int note_only(struct job *j, const struct vz_cfg *new, struct vz_err *err)
{
	struct vz_netif n;
	struct entry e;

	for (size_t i = j->journal.n; i--;)
		if (parse_entry(j->journal.v[i], &e) || !find_in(new, e.ifname, &n) ||
		    !is_of(&e, &n))
			strike(j, i);
	return write_journal(j, err);
}

static int job_open(struct job *j, struct vz_err *err)
{
	int r = vz_rtnl_open(&j->host, err);

	if (!r)
		vz_rtnl_fails_with(j->host, VZ_E_VETH);
	if (!r && j->netns >= 0)
		r = vz_rtnl_open_ns(j->netns, &j->in, err);
	if (!r && j->in) {
		vz_rtnl_fails_with(j->in, VZ_E_VETH);
		r = vz_netclass_open_guard(j->ve->ctx, &j->guard, err);
	} else if (!r) {
		vz_netguard_find(j->ve->ctx, &j->guard);
	}
	return r ? r : read_journal(j, err);
}

int vz_veth_set(const struct vz_ve *ve, int netns, const struct vz_cfg *old,
		const struct vz_cfg *new, bool all, struct vz_err *err)
{
	autojob struct job j = { .ve = ve, .netns = netns, .guard = VZ_NETGUARD_NONE };
	const struct vz_strv *list = vz_cfg_list(new, VZ_P_NETIF);
	int r = vz_netif_check(list, err);

	if (!r)
		r = job_open(&j, err);
	if (!r)
		r = remove_others(&j, new, err);
	for (size_t i = 0; !r && i < list->n; i++) {
		struct vz_netif n = { 0 }, was;
		const char *before;
		bool same;

		vz_netif_parse(list->v[i], &n);
		before = find_in(old, n.ifname, &was);
		same = !all && before && !strcmp(before, list->v[i]);
		r = n.type == VZ_NETIF_MACVLAN ? set_macvlan(&j, &n, same, err)
					       : set_veth(&j, &n, same, err);
	}
	return r ? r : note_only(&j, new, err);
}

int vz_veth_remove(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autofree char *path = journal_path(ve);
	autojob struct job j = { .ve = ve, .netns = -1, .guard = VZ_NETGUARD_NONE };
	struct entry e;
	int r;

	if (path && access(path, F_OK))
		return 0;
	r = job_open(&j, err);
	for (size_t i = 0; !r && i < j.journal.n; i++)
		if (!parse_entry(j.journal.v[i], &e))
			r = remove_entry(&j, &e, err);
	vz_strv_done(&j.journal);
	return r ? r : write_journal(&j, err);
}
