/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

/* -- nftables -- */

/* Asking a kernel that has it as a module would load it. */
bool vz_rules_has_nftables(void)
{
	vz_autofree char *path = NULL, *text = NULL;
	struct utsname u;

	if (!access("/sys/module/nf_tables", F_OK))
		return true;
	path = uname(&u) ? NULL : vz_strf("/lib/modules/%s/modules.builtin", u.release);
	/* A kernel without modules has what it has. */
	if (!path || vz_read_file(path, 1 << 20, &text, NULL))
		return true;
	return strstr(text, "/nf_tables.ko") != NULL;
}

static int ask(int fd)
{
	struct {
		struct nlmsghdr head;
		struct nfgenmsg family;
	} q = { { sizeof(q), NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE,
		  NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
		{ AF_UNSPEC, NFNETLINK_V0, 0 } };

	return send(fd, &q, sizeof(q), 0) == sizeof(q) ? 0 : -errno;
}

/* 1: there is more to come. */
static int count_answer(const char *buf, size_t len, uint64_t *n)
{
	for (const struct nlmsghdr *h = (const void *)buf; NLMSG_OK(h, len);
	     h = NLMSG_NEXT(h, len)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
		if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
			++*n;
	}
	return 1;
}

static int count_nftables(int fd, uint64_t *ret)
{
	static const struct timeval patience = { .tv_sec = 2 };
	vz_autofree char *buf = malloc(65536);
	uint64_t n = 0;
	int r = buf ? ask(fd) : -ENOMEM;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (r = r ? r : 1; r > 0;) {
		ssize_t len = recv(fd, buf, 65536, 0);

		r = len < 0 ? -errno : count_answer(buf, len, &n);
	}
	/* The kernel has no nftables, so there are no rules of it. */
	if (r == -EINVAL || r == -EOPNOTSUPP)
		r = 0;
	if (!r)
		*ret += n;
	return r;
}

/* -- the older tables: whose names the kernel tells, where there are any -- */

_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo) &&
		       IPT_SO_GET_INFO == IP6T_SO_GET_INFO,
	       "both families are asked alike");

static void count_tables(const char *names, int family, int level, uint64_t *ret)
{
	vz_autofd int fd = -1;
	char text[512] = "";

	if (vz_read_small(AT_FDCWD, names, text, sizeof(text)) || !*text)
		return;
	fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	for (char *save, *name = strtok_r(text, "\n", &save); fd >= 0 && name;
	     name = strtok_r(NULL, "\n", &save)) {
		struct ipt_getinfo info = { .name = "" };
		socklen_t len = sizeof(info);

		snprintf(info.name, sizeof(info.name), "%s", name);
		if (!getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len))
			*ret += info.num_entries;
	}
}

int vz_rules_count(int netns, uint64_t *ret)
{
	vz_autofd int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	vz_autofd int fd = -1;
	uint64_t n = 0;
	int r = 0;

	if (own < 0 || setns(netns, CLONE_NEWNET))
		return -errno;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		r = errno == EPROTONOSUPPORT ? 0 : -errno;
	count_tables("/proc/thread-self/net/ip_tables_names", AF_INET, SOL_IP, &n);
	count_tables("/proc/thread-self/net/ip6_tables_names", AF_INET6, SOL_IPV6, &n);
	/* What follows would be done to the VE in place of the host. */
	if (setns(own, CLONE_NEWNET))
		abort();
	if (fd >= 0 && vz_rules_has_nftables())
		r = count_nftables(fd, &n);
	if (!r)
		*ret = n;
	return r;
}
