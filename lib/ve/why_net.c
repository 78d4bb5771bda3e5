/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VE's links dropped, and its rate made wait. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/rtnl.h"
#include "ve/traffic.h"
#include "ve/why_priv.h"

struct job {
	struct vz_why_facts *f;
	const char *mark; /* "vz 101 ": what the alias of its devices begins with */
	struct vz_rtnl *nl;
	struct vz_bucket *buckets;
	size_t n;
};

static int note_bucket(const struct vz_bucket *bucket, void *data)
{
	struct job *j = data;
	struct vz_bucket *v = realloc(j->buckets, (j->n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	j->buckets = v;
	v[j->n++] = *bucket;
	return 0;
}

static int add_link(const struct vz_link *link, void *data)
{
	struct job *j = data;

	if (strncmp(link->alias, j->mark, strlen(j->mark)))
		return 0;
	for (size_t i = 0; i < j->n; i++) {
		if (j->buckets[i].dev != link->index)
			continue;
		j->f->rate = j->buckets[i].rate;
		j->f->c.v[VZ_WHY_C_RATE_DROPPED] += j->buckets[i].dropped;
		j->f->c.v[VZ_WHY_C_RATE_WAITED] += j->buckets[i].waited;
	}
	return 0;
}

/* Most VEs have no rate, and so no device of that name: then no list is asked for. */
static void read_rate(struct job *j, uint32_t veid)
{
	struct vz_link ifb;
	char name[IFNAMSIZ];
	int r;

	snprintf(name, sizeof(name), "vzifb%u", veid);
	r = vz_rtnl_link(j->nl, name, &ifb, NULL);
	if (!r)
		r = vz_rtnl_buckets(j->nl, note_bucket, j, NULL);
	if (r)
		return;
	j->f->c.v[VZ_WHY_C_RATE_DROPPED] = j->f->c.v[VZ_WHY_C_RATE_WAITED] = 0;
	if (vz_rtnl_links(j->nl, add_link, j, NULL))
		j->f->c.v[VZ_WHY_C_RATE_DROPPED] = j->f->c.v[VZ_WHY_C_RATE_WAITED] =
			VZ_WHY_UNKNOWN;
}

void vz_why_read_net(const struct vz_ve *ve, struct vz_why_facts *f)
{
	vz_autortnl struct vz_rtnl *nl = NULL;
	char mark[32];
	struct job j = { .f = f, .mark = mark };
	uint64_t dropped;

	if (!vz_traffic_dropped(ve->ctx, ve->id, &dropped))
		f->c.v[VZ_WHY_C_NET_GUARD] = dropped;
	snprintf(mark, sizeof(mark), "vz %u ", ve->id);
	if (vz_rtnl_open(&nl, NULL))
		return;
	j.nl = nl;
	read_rate(&j, ve->id);
	free(j.buckets);
}
