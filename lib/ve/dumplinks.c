/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/dumplinks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sys/rtnl.h"
#include "ve/dumpdir.h"
#include "ve/rate.h"
#include "ve/state.h"

#define FILE_NAME "links"

/* A node's end, as it is or is to be. */
struct end {
	char name[IFNAMSIZ], ifname[IFNAMSIZ];
	unsigned char mac[VZ_MAC_LEN];
	bool noarp;
};

/* "vz VEID IFNAME" is how vz marks what is a VE's. */
static bool is_ours(const struct vz_ve *ve, const struct vz_link *link)
{
	unsigned int veid;

	return !strcmp(link->kind, "veth") && sscanf(link->alias, "vz %u ", &veid) == 1 &&
	       veid == ve->id;
}

/* -- save -- */

struct saver {
	const struct vz_ve *ve;
	struct vz_rtnl *node;
	struct vz_str out;
	struct vz_strv *external;
	char bad[IFNAMSIZ], bad_kind[IFNAMSIZ];
};

static int save_veth(struct saver *s, const struct vz_link *link)
{
	vz_autofree char *ext = NULL;
	struct vz_link end;

	/* Its peer is in the VE itself, or somebody else's. */
	if (link->lower_netns < 0 || vz_rtnl_link_at(s->node, link->lower, &end, NULL) ||
	    !is_ours(s->ve, &end) || end.lower != link->index)
		return 0;
	ext = vz_strf("veth[%s]:%s", link->name, end.name);
	vz_str_addf(&s->out, "%s %02x:%02x:%02x:%02x:%02x:%02x %d %s\n", end.name,
		    end.mac[0], end.mac[1], end.mac[2], end.mac[3], end.mac[4],
		    end.mac[5], !!(end.flags & IFF_NOARP), link->name);
	return ext && !vz_strv_add(s->external, ext) ? 0 : -ENOMEM;
}

/* Names in the VE are its own words. */
static int save_link(const struct vz_link *link, void *data)
{
	struct saver *s = data;

	if (!strcmp(link->kind, "veth"))
		return strpbrk(link->name, "[]: ") ? 0 : save_veth(s, link);
	/* Hardware, and macvlans, whose lower device is the node's. */
	if ((!*link->kind && strcmp(link->name, "lo")) ||
	    (!strcmp(link->kind, "macvlan") && link->lower_netns >= 0)) {
		snprintf(s->bad, sizeof(s->bad), "%s", link->name);
		snprintf(s->bad_kind, sizeof(s->bad_kind), "%s", link->kind);
	}
	return 0;
}

static int open_netns(const struct vz_ve *ve, pid_t init)
{
	vz_autofree char *path = vz_strf("%s/%d/ns/net", ve->ctx->procdir, init);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return fd < 0 ? -errno : fd;
}

int vz_dumplinks_save(const struct vz_ve *ve, pid_t init, int dir,
		      struct vz_strv *external, struct vz_err *err)
{
	vz_autortnl struct vz_rtnl *node = NULL, *guest = NULL;
	struct saver s = { .ve = ve, .external = external };
	vz_autofd int netns = open_netns(ve, init);
	int r;

	if (netns < 0)
		return vz_err_set(err, VZ_E_CHECKPOINT, -netns,
				  "can't open the VE's network namespace");
	r = vz_rtnl_open(&node, err);
	if (!r)
		r = vz_rtnl_open_ns(netns, &guest, err);
	s.node = node;
	if (!r)
		r = vz_rtnl_links(guest, save_link, &s, err);
	if (!r && *s.bad)
		r = vz_err_set(err, VZ_E_CHECKPOINT, 0,
			       "the VE has the %s %s of the node, which can't be kept: "
			       "take it away (%s)",
			       *s.bad_kind ? s.bad_kind : "device", s.bad,
			       *s.bad_kind ? "--netif_del" : "--netdev_del");
	if (!r)
		r = vz_dumpdir_write(dir, FILE_NAME, &s.out, err);
	vz_str_done(&s.out);
	return r;
}

/* -- hold back -- */

/* The node's ends, or the VE's. */
struct holder {
	const struct vz_ve *ve;
	struct vz_rtnl *node;
	bool guest;
	int index[256];
	size_t n;
};

static bool leads_to_ours(const struct holder *h, const struct vz_link *link)
{
	struct vz_link end;

	return !strcmp(link->kind, "veth") && link->lower_netns >= 0 &&
	       !vz_rtnl_link_at(h->node, link->lower, &end, NULL) &&
	       is_ours(h->ve, &end) && end.lower == link->index;
}

static int note_link(const struct vz_link *link, void *data)
{
	struct holder *h = data;

	if (h->guest ? !leads_to_ours(h, link) : !is_ours(h->ve, link))
		return 0;
	if (h->n == VZ_ARRAY_SIZE(h->index))
		return -E2BIG;
	h->index[h->n++] = link->index;
	return 0;
}

typedef int (*change_fn)(struct vz_rtnl *nl, int dev, struct vz_err *err);

static int change_links(struct holder *h, struct vz_rtnl *nl, change_fn change,
			struct vz_err *err)
{
	int r;

	h->n = 0;
	vz_rtnl_fails_with(nl, VZ_E_CHECKPOINT);
	r = vz_rtnl_links(nl, note_link, h, err);
	for (size_t i = 0; i < h->n && r >= 0; i++)
		r = change(nl, h->index[i], err);
	return r;
}

static int change_all(const struct vz_ve *ve, change_fn change, struct vz_err *err)
{
	vz_autortnl struct vz_rtnl *node = NULL, *guest = NULL;
	struct holder h = { .ve = ve };
	vz_autofd int netns = -1;
	struct vz_state st;
	int r = vz_rtnl_open(&node, err);

	if (r)
		return r;
	h.node = node;
	r = change_links(&h, node, change, err);
	if (r || vz_state_open_init(ve->ctx, ve->id, &st, NULL, NULL))
		return r;
	netns = open_netns(ve, st.init);
	if (netns < 0)
		return 0;
	h.guest = true;
	r = vz_rtnl_open_ns(netns, &guest, err);
	return r ? r : change_links(&h, guest, change, err);
}

int vz_dumplinks_hold(const struct vz_ve *ve, struct vz_err *err)
{
	return change_all(ve, vz_rtnl_blackhole, err);
}

int vz_dumplinks_release(const struct vz_ve *ve, struct vz_err *err)
{
	const char *rate = vz_cfg_str(ve->cfg, VZ_P_RATE);
	int r = change_all(ve, vz_rtnl_unshape, err);

	return r || !rate || !*rate ? r : vz_rate_set(ve, ve->cfg, err);
}

/* -- make them again -- */

static bool parse_end(const char *line, struct end *ret)
{
	unsigned char *m = ret->mac;
	int noarp;

	if (sscanf(line, "%15s %hhx:%hhx:%hhx:%hhx:%hhx:%hhx %d %15s", ret->name, &m[0],
		   &m[1], &m[2], &m[3], &m[4], &m[5], &noarp, ret->ifname) != 9)
		return false;
	ret->noarp = noarp;
	return true;
}

/* What a VE of before it left, or a restore that was killed. */
static int make_room(struct vz_rtnl *nl, const struct vz_ve *ve, const char *name,
		     bool temporary, struct vz_err *err)
{
	struct vz_link link;

	if (vz_rtnl_link(nl, name, &link, NULL))
		return 0;
	if (!is_ours(ve, &link) && !temporary)
		return vz_err_set(err, VZ_E_RESTORE, EEXIST,
				  "the node has a device %s that is not the VE's: rename "
				  "it",
				  name);
	return vz_rtnl_link_del(nl, link.index, err);
}

static void temporary_name(const struct vz_ve *ve, size_t i, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "vzr%x.%zx", ve->id, i & 0xff);
}

static int make_pair(struct vz_rtnl *nl, const struct vz_ve *ve, const struct end *e,
		     const char *temporary, struct vz_err *err)
{
	unsigned int flags = e->noarp ? IFF_NOARP : 0;
	struct vz_link_new node = {
		.name = e->name, .mac = e->mac, .flags = flags, .netns = -1
	};
	struct vz_link_new guest = { .name = temporary, .flags = flags, .netns = -1 };
	vz_autofree char *alias = vz_strf("vz %u %s", ve->id, e->ifname);
	struct vz_link_set mark = { .alias = alias };
	struct vz_link link;
	int r = make_room(nl, ve, e->name, false, err);

	if (!r)
		r = make_room(nl, ve, temporary, true, err);
	if (!r)
		r = vz_rtnl_veth_add(nl, &node, &guest, err);
	if (!r)
		r = vz_rtnl_link(nl, e->name, &link, err);
	return r ? r : vz_rtnl_link_set(nl, link.index, &mark, err);
}

int vz_dumplinks_make(const struct vz_ve *ve, int dir, struct vz_strv *external,
		      struct vz_err *err)
{
	vz_autortnl struct vz_rtnl *nl = NULL;
	vz_autofree char *text = NULL;
	char *at, *line;
	size_t i = 0;
	int r = vz_dumpdir_read(dir, FILE_NAME, &text, err);

	if (!r && *text)
		r = vz_rtnl_open(&nl, err);
	if (r || !*text)
		return r;
	vz_rtnl_fails_with(nl, VZ_E_RESTORE);
	for (line = strtok_r(text, "\n", &at); line && !r;
	     line = strtok_r(NULL, "\n", &at)) {
		vz_autofree char *ext = NULL;
		char temporary[IFNAMSIZ];
		struct end e = { 0 };

		if (!parse_end(line, &e))
			return vz_err_set(err, VZ_E_RESTORE, 0,
					  "the dump has a bad line about links: '%s'",
					  line);
		temporary_name(ve, i++, temporary);
		r = make_pair(nl, ve, &e, temporary, err);
		ext = vz_strf("netdev[%s]:%s", e.ifname, temporary);
		if (!r && (!ext || vz_strv_add(external, ext)))
			r = vz_err_set(err, VZ_E_RESTORE, ENOMEM, "links");
	}
	return r;
}

void vz_dumplinks_drop(const struct vz_ve *ve, int dir)
{
	vz_autortnl struct vz_rtnl *nl = NULL;
	vz_autofree char *text = NULL;
	char *at, *line;
	struct end e = { 0 };

	if (vz_dumpdir_read(dir, FILE_NAME, &text, NULL) || vz_rtnl_open(&nl, NULL))
		return;
	for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
		if (parse_end(line, &e))
			make_room(nl, ve, e.name, false, NULL);
}
