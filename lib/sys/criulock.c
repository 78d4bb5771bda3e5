/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/criulock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/nftdump.h"
#include "sys/ns.h"
#include "sys/rules.h"

#define PREFIX "CRIU-"
#define NAME_SIZE 32
/* Each restore of before left one, at most. */
#define TABLES_MAX 16

struct tables {
	char name[TABLES_MAX][NAME_SIZE];
	size_t n;
};

static int open_socket(int netns)
{
	static const struct timeval patience = { .tv_sec = 5 };
	int own = vz_ns_enter_net(netns);
	int fd, r;

	if (own < 0)
		return own;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	r = fd < 0 ? -errno : fd;
	vz_ns_leave_net(own);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return r;
}

/* The VE's own tables have other names, or it may lose what looks like CRIU's. */
static void take_name(const struct nlmsghdr *h, void *data)
{
	struct tables *t = data;
	const struct nlattr *a = (const void *)((const char *)NLMSG_DATA(h) +
						NLMSG_ALIGN(sizeof(struct nfgenmsg)));
	const char *end = (const char *)h + h->nlmsg_len;

	while ((const char *)(a + 1) <= end && a->nla_len > sizeof(*a) &&
	       (const char *)a + a->nla_len <= end) {
		const char *name = (const char *)(a + 1);
		size_t len = a->nla_len - sizeof(*a), digits = sizeof(PREFIX) - 1;

		if ((a->nla_type & NLA_TYPE_MASK) == NFTA_TABLE_NAME &&
		    len <= NAME_SIZE && !name[len - 1] &&
		    !strncmp(name, PREFIX, digits) && name[digits] &&
		    !name[digits + strspn(name + digits, "0123456789")] &&
		    t->n < TABLES_MAX)
			memcpy(t->name[t->n++], name, len);
		a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len));
	}
}

/* A change is a batch, of one change here. */
static int drop(int fd, const char *name)
{
	struct {
		struct nlmsghdr begin;
		struct nfgenmsg begin_about;
		struct nlmsghdr head;
		struct nfgenmsg family;
		struct nlattr attr;
		char name[NAME_SIZE];
		struct nlmsghdr end;
		struct nfgenmsg end_about;
	} q = {
		.begin = { sizeof(q.begin) + sizeof(q.begin_about), NFNL_MSG_BATCH_BEGIN,
			   NLM_F_REQUEST, 1, 0 },
		.begin_about = { AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES) },
		.head = { sizeof(q.head) + sizeof(q.family) + sizeof(q.attr) + NAME_SIZE,
			  NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE,
			  NLM_F_REQUEST | NLM_F_ACK, 2, 0 },
		.family = { NFPROTO_INET, NFNETLINK_V0, 0 },
		.attr = { sizeof(q.attr) + NAME_SIZE, NFTA_TABLE_NAME },
		.end = { sizeof(q.end) + sizeof(q.end_about), NFNL_MSG_BATCH_END,
			 NLM_F_REQUEST, 3, 0 },
		.end_about = { AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES) },
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
		char rest[512];
	} answer;
	ssize_t len;

	snprintf(q.name, sizeof(q.name), "%s", name);
	if (send(fd, &q, sizeof(q), 0) != sizeof(q))
		return -errno;
	len = recv(fd, &answer, sizeof(answer), 0);
	if (len < 0)
		return -errno;
	return answer.head.nlmsg_type == NLMSG_ERROR ? answer.err.error : -EBADMSG;
}

int vz_criulock_clear(int netns)
{
	struct tables t = { .n = 0 };
	const struct vz_nftdump tables = { .ask = NFT_MSG_GETTABLE,
					   .answer = NFT_MSG_NEWTABLE,
					   .family = NFPROTO_INET,
					   .each = take_name,
					   .data = &t };
	vz_autofd int fd = -1;
	int r;

	if (!vz_rules_has_nftables())
		return 0;
	fd = open_socket(netns);
	if (fd < 0)
		return fd;
	r = vz_nftdump(fd, &tables);
	for (size_t i = 0; i < t.n && !r; i++)
		r = drop(fd, t.name[i]);
	return r;
}
