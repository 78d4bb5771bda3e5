/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/rate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "res/rate.h"
#include "sys/rtnl.h"

struct job {
	struct vz_rtnl *nl;
	char name[IFNAMSIZ], mark[32], alias[64];
	int *ends; /* the node's ends of the VE's links */
	size_t n;
};

static void job_done(struct job *j)
{
	vz_rtnl_close(j->nl);
	free(j->ends);
}

static int job_init(struct job *j, const struct vz_ve *ve, struct vz_err *err)
{
	int r;

	*j = (struct job){ 0 };
	snprintf(j->name, sizeof(j->name), "vzifb%u", ve->id);
	snprintf(j->mark, sizeof(j->mark), "vz %u ", ve->id);
	snprintf(j->alias, sizeof(j->alias), "vz %u rate", ve->id);
	r = vz_rtnl_open(&j->nl, err);
	if (!r)
		vz_rtnl_fails_with(j->nl, VZ_E_NETDEV);
	return r;
}

static int note_end(const struct vz_link *link, void *data)
{
	struct job *j = data;
	int *ends;

	if (strncmp(link->alias, j->mark, strlen(j->mark)) || strcmp(link->kind, "veth"))
		return 0;
	ends = realloc(j->ends, (j->n + 1) * sizeof(*ends));
	if (!ends)
		return -ENOMEM;
	j->ends = ends;
	ends[j->n++] = link->index;
	return 0;
}

/* 0 when there is none, 1 with its index, or -errno. */
static int find_ifb(struct job *j, int *ret_dev, struct vz_err *err)
{
	struct vz_err quiet = { 0 };
	struct vz_link link;
	int r = vz_rtnl_link(j->nl, j->name, &link, &quiet);

	if (r == -ENODEV)
		return 0;
	if (!r && strcmp(link.alias, j->alias))
		r = vz_err_set(&quiet, VZ_E_NETDEV, EEXIST,
			       "the node has a device %s that is not the VE's: rename it",
			       j->name);
	if (r) {
		if (err)
			*err = quiet;
		return r;
	}
	*ret_dev = link.index;
	return 1;
}

static int need_ifb(struct job *j, int *ret_dev, struct vz_err *err)
{
	const struct vz_link_set mark = { .alias = j->alias,
					  .flags = IFF_UP,
					  .mask = IFF_UP };
	struct vz_link link;
	int r = find_ifb(j, ret_dev, err);

	if (r)
		return r < 0 ? r : 0;
	r = vz_rtnl_ifb_add(j->nl, j->name, err);
	if (!r)
		r = vz_rtnl_link(j->nl, j->name, &link, err);
	if (r)
		return r;
	*ret_dev = link.index;
	r = vz_rtnl_link_set(j->nl, link.index, &mark, err);
	if (r)
		vz_rtnl_link_del(j->nl, link.index, NULL);
	return r;
}

static int limit(struct job *j, const struct vz_rate *rate, struct vz_err *err)
{
	int ifb, r = need_ifb(j, &ifb, err);

	if (!r)
		r = vz_rtnl_shape(j->nl, ifb, rate->bytes, rate->burst, err);
	for (size_t i = 0; i < j->n && !r; i++) {
		r = vz_rtnl_shape(j->nl, j->ends[i], rate->bytes, rate->burst, err);
		if (!r)
			r = vz_rtnl_divert(j->nl, j->ends[i], ifb, err);
	}
	return r;
}

/* The ends first: what they lead to must not be gone before. */
static int lift(struct job *j, struct vz_err *err)
{
	int ifb, r = find_ifb(j, &ifb, err);

	if (r <= 0)
		return r;
	r = 0;
	for (size_t i = 0; i < j->n && !r; i++) {
		r = vz_rtnl_undivert(j->nl, j->ends[i], err);
		if (!r)
			r = vz_rtnl_unshape(j->nl, j->ends[i], err);
	}
	return r ? r : vz_rtnl_link_del(j->nl, ifb, err);
}

int vz_rate_set(const struct vz_ve *ve, const struct vz_cfg *cfg, struct vz_err *err)
{
	const char *text = vz_cfg_str(cfg, VZ_P_RATE);
	VZ_CLEANUP(job_done) struct job j = { 0 };
	struct vz_rate rate;
	int r = job_init(&j, ve, err);

	if (!r)
		r = vz_rtnl_links(j.nl, note_end, &j, err);
	if (r)
		return r;
	if (!text || !*text)
		return lift(&j, err);
	if (vz_rate_parse(text, &rate))
		return vz_err_set(err, VZ_E_VALUE, 0, "RATE=\"%.80s\" is none", text);
	return j.n ? limit(&j, &rate, err) : 0;
}

int vz_rate_remove(const struct vz_ve *ve, struct vz_err *err)
{
	VZ_CLEANUP(job_done) struct job j = { 0 };
	int ifb = 0, r = job_init(&j, ve, err);

	if (!r)
		r = find_ifb(&j, &ifb, err);
	return r > 0 ? vz_rtnl_link_del(j.nl, ifb, err) : r;
}
