/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/sockbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "sys/ns.h"
#include "ve/state.h"

/* Smaller ones would not let a connection be made. */
#define BUFFER_MIN 4608

static const struct direction {
	enum vz_param_id param;
	const char *sysctl;
} directions[] = {
	{ VZ_P_TCPSNDBUF, "/proc/sys/net/ipv4/tcp_wmem" },
	{ VZ_P_TCPRCVBUF, "/proc/sys/net/ipv4/tcp_rmem" },
};
#define N VZ_ARRAY_SIZE(directions)

struct sizes {
	char text[N][96]; /* "": is left as it is */
};

static uint64_t limit_of(const struct vz_cfg *cfg, enum vz_param_id id)
{
	uint64_t limit = cfg ? vz_cfg_limit(cfg, id).limit : VZ_UNLIMITED;

	return limit < BUFFER_MIN ? BUFFER_MIN : limit;
}

/* The node's own least, first and greatest size, and none above the limit. */
static int bound_sizes(const struct direction *d, uint64_t limit, char *ret, size_t size)
{
	uint64_t v[3];
	char text[96];
	int r = vz_read_small(AT_FDCWD, d->sysctl, text, sizeof(text));

	if (r)
		return r;
	if (sscanf(text, "%" SCNu64 "%" SCNu64 "%" SCNu64, &v[0], &v[1], &v[2]) != 3)
		return -EINVAL;
	for (size_t i = 0; i < 3; i++)
		v[i] = v[i] > limit ? limit : v[i];
	snprintf(ret, size, "%" PRIu64 " %" PRIu64 " %" PRIu64, v[0], v[1], v[2]);
	return 0;
}

/* They are the network namespace's that this process is in for that moment. */
static int write_sizes(int netns, const struct sizes *s)
{
	int own = vz_ns_enter_net(netns);
	int r = 0;

	if (own < 0)
		return own;
	for (size_t i = 0; i < N && !r; i++)
		if (*s->text[i])
			r = vz_write_small(AT_FDCWD, directions[i].sysctl, s->text[i]);
	vz_ns_leave_net(own);
	return r;
}

static int limit_sizes(const struct vz_ve *ve, int netns, const struct vz_cfg *old,
		       const struct vz_cfg *cfg, struct vz_err *err)
{
	struct sizes s = { 0 };
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < N && !r; i++) {
		uint64_t limit = limit_of(cfg, directions[i].param);

		if (limit == limit_of(old, directions[i].param))
			continue;
		any = true;
		r = bound_sizes(&directions[i], limit, s.text[i], sizeof(s.text[i]));
	}
	if (!any)
		return 0;
	if (!r)
		r = write_sizes(netns, &s);
	return r ? vz_err_set(err, VZ_E_UBC, -r, "can't limit VE %u's TCP buffers",
			      ve->id)
		 : 0;
}

void vz_sockbuf_begin(const struct vz_ve *ve, int netns)
{
	struct vz_err err = { 0 };

	if (limit_sizes(ve, netns, NULL, ve->cfg, &err))
		vz_warn(ve->ctx, "%s", err.text);
}

int vz_sockbuf_apply(const struct vz_ve *ve, const struct vz_cfg *old,
		     const struct vz_cfg *cfg, struct vz_err *err)
{
	vz_autofd int pidfd = -1;
	struct vz_state st;
	int r = vz_state_open_init(ve->ctx, ve->id, &st, &pidfd, err);

	/* One that ends just now has no use for it. */
	if (r)
		return r == -ESRCH ? 0 : r;
	return limit_sizes(ve, pidfd, old, cfg, err);
}
