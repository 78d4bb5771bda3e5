/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/nftdump.h"
#include "sys/ns.h"

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

static void count_one(const struct nlmsghdr *h, void *data)
{
	(void)h;
	++*(uint64_t *)data;
}

static int count_nftables(int fd, uint64_t *ret)
{
	static const struct timeval patience = { .tv_sec = 2 };
	uint64_t n = 0;
	const struct vz_nftdump rules = { .ask = NFT_MSG_GETRULE,
					  .answer = NFT_MSG_NEWRULE,
					  .family = AF_UNSPEC,
					  .each = count_one,
					  .data = &n };
	int r;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	r = vz_nftdump(fd, &rules);
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
	int own = vz_ns_enter_net(netns);
	vz_autofd int fd = -1;
	uint64_t n = 0;
	int r = 0;

	if (own < 0)
		return own;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		r = errno == EPROTONOSUPPORT ? 0 : -errno;
	count_tables("/proc/thread-self/net/ip_tables_names", AF_INET, SOL_IP, &n);
	count_tables("/proc/thread-self/net/ip6_tables_names", AF_INET6, SOL_IPV6, &n);
	vz_ns_leave_net(own);
	if (fd >= 0 && vz_rules_has_nftables())
		r = count_nftables(fd, &n);
	if (!r)
		*ret = n;
	return r;
}
