/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/nftdump.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define ROOM 65536

static int ask(int fd, const struct vz_nftdump *d)
{
	struct {
		struct nlmsghdr head;
		struct nfgenmsg family;
	} q = { { sizeof(q), NFNL_SUBSYS_NFTABLES << 8 | d->ask,
		  NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
		{ d->family, NFNETLINK_V0, 0 } };

	return send(fd, &q, sizeof(q), 0) == sizeof(q) ? 0 : -errno;
}

/* 1: there is more to come. */
static int take(const char *buf, size_t len, const struct vz_nftdump *d)
{
	for (const struct nlmsghdr *h = (const void *)buf; NLMSG_OK(h, len);
	     h = NLMSG_NEXT(h, len)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
		if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | d->answer))
			d->each(h, d->data);
	}
	return 1;
}

int vz_nftdump(int fd, const struct vz_nftdump *d)
{
	vz_autofree char *buf = malloc(ROOM);
	int r = buf ? ask(fd, d) : -ENOMEM;

	for (r = r ? r : 1; r > 0;) {
		ssize_t len = recv(fd, buf, ROOM, 0);

		r = len < 0 ? -errno : take(buf, len, d);
	}
	return r == -EINVAL || r == -EOPNOTSUPP ? 0 : r;
}
