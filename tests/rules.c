/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of netfilter that no tool would write, for tests of what a VE may set.
 *
 *   rules nft SHAPE [NAME]      a batch of nftables with an expression NAME
 *   rules table NAME [MATCH [SIZE]]   iptables' option, with a match
 *
 * Prints "refused" when it was EPERM, else "taken": by whom that looks at it, for
 * the kernel itself finds most of these wrong, later and with another error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char buf[65536];
static size_t len;

static size_t message(uint16_t type)
{
	struct nlmsghdr *h = (void *)(buf + len);
	struct nfgenmsg *g = NLMSG_DATA(h);
	size_t at = len;

	*h = (struct nlmsghdr){ .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST };
	*g = (struct nfgenmsg){ .nfgen_family = AF_INET };
	if (type < NLMSG_MIN_TYPE + 2)
		g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	len += NLMSG_HDRLEN + sizeof(*g);
	return at;
}

static void end_message(size_t at)
{
	((struct nlmsghdr *)(buf + at))->nlmsg_len = len - at;
	len = NLMSG_ALIGN(len);
}

static void attr(uint16_t type, const void *data, size_t n)
{
	struct nlattr *a = (void *)(buf + len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + n;
	memcpy(a + 1, data, n);
	len += NLA_ALIGN(a->nla_len);
}

static void text(uint16_t type, const char *s)
{
	attr(type, s, strlen(s) + 1);
}

static size_t nest(uint16_t type)
{
	attr(type | NLA_F_NESTED, "", 0);
	return len - NLA_HDRLEN;
}

static void end_nest(size_t at)
{
	((struct nlattr *)(buf + at))->nla_len = len - at;
}

static void number(uint16_t type, uint32_t v)
{
	v = htonl(v);
	attr(type, &v, sizeof(v));
}

static void plain(const char *name)
{
	size_t data;

	text(NFTA_EXPR_NAME, name);
	data = nest(NFTA_EXPR_DATA);
	number(1, 8);
	number(2, 0);
	end_nest(data);
}

static void compat(const char *name)
{
	size_t data;

	text(NFTA_EXPR_NAME, "match");
	data = nest(NFTA_EXPR_DATA);
	text(NFTA_MATCH_NAME, name);
	end_nest(data);
}

static void padded(const char *name)
{
	char room[12] = "";

	memcpy(room, name, strnlen(name, sizeof(room)));
	attr(NFTA_EXPR_NAME, room, sizeof(room));
}

static void unended(const char *name)
{
	attr(NFTA_EXPR_NAME, name, strlen(name));
	number(NFTA_EXPR_DATA, 0x41414141);
}

static void flagged(const char *name)
{
	text(NFTA_EXPR_NAME | NLA_F_NET_BYTEORDER, name);
}

/* The last one counts, to the kernel. */
static void twice(const char *name)
{
	plain("counter");
	text(NFTA_EXPR_NAME, name);
}

/* A match's name, given before it is said that it is a match. */
static void late(const char *name)
{
	size_t data = nest(NFTA_EXPR_DATA);

	text(NFTA_MATCH_NAME, name);
	end_nest(data);
	text(NFTA_EXPR_NAME, "match");
}

static void inner(const char *name)
{
	size_t data, list, elem;

	text(NFTA_EXPR_NAME, "dynset");
	data = nest(NFTA_EXPR_DATA);
	list = nest(NFTA_DYNSET_EXPRESSIONS);
	elem = nest(NFTA_LIST_ELEM);
	plain(name);
	end_nest(elem);
	end_nest(list);
	end_nest(data);
}

/* Something of that name that is no expression. */
static void value(const char *name)
{
	size_t data, cmp;

	text(NFTA_EXPR_NAME, "cmp");
	data = nest(NFTA_EXPR_DATA);
	number(NFTA_CMP_SREG, 1);
	cmp = nest(NFTA_CMP_DATA);
	text(NFTA_DATA_VALUE, name);
	end_nest(cmp);
	end_nest(data);
}

static void lookup(const char *name)
{
	size_t data;

	text(NFTA_EXPR_NAME, "lookup");
	data = nest(NFTA_EXPR_DATA);
	text(NFTA_LOOKUP_SET, name);
	end_nest(data);
}

static const struct {
	const char *name;
	void (*put)(const char *name);
} shapes[] = {
	{ "plain", plain },	{ "compat", compat },	{ "padded", padded },
	{ "unended", unended }, { "flagged", flagged }, { "twice", twice },
	{ "late", late },	{ "inner", inner },	{ "value", value },
	{ "lookup", lookup },
};

static void put_rule(void (*put)(const char *), const char *name)
{
	size_t msg = message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE), list, elem;

	text(NFTA_RULE_TABLE, "t");
	text(NFTA_RULE_CHAIN, "c");
	list = nest(NFTA_RULE_EXPRESSIONS);
	/* It need not be the first. */
	elem = nest(NFTA_LIST_ELEM);
	plain("counter");
	end_nest(elem);
	elem = nest(NFTA_LIST_ELEM);
	put(name);
	end_nest(elem);
	end_nest(list);
	end_message(msg);
}

static int put_other(const char *shape, const char *name)
{
	size_t msg, list, elem, inside;

	if (!strcmp(shape, "chain")) {
		msg = message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN);
		text(NFTA_CHAIN_TABLE, "t");
		text(NFTA_CHAIN_NAME, "nat");
		text(NFTA_CHAIN_TYPE, name);
	} else if (!strcmp(shape, "object")) {
		msg = message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWOBJ);
		text(NFTA_OBJ_TABLE, "t");
		number(NFTA_OBJ_TYPE, atoi(name));
	} else if (!strcmp(shape, "element")) {
		msg = message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM);
		text(NFTA_SET_ELEM_LIST_SET, "s");
		list = nest(NFTA_SET_ELEM_LIST_ELEMENTS);
		elem = nest(1);
		inside = nest(NFTA_SET_ELEM_EXPR);
		plain(name);
		end_nest(inside);
		end_nest(elem);
		end_nest(list);
	} else if (!strcmp(shape, "set")) {
		msg = message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET);
		inside = nest(NFTA_SET_EXPR);
		plain(name);
		end_nest(inside);
	} else if (!strcmp(shape, "conntrack")) {
		msg = message(NFNL_SUBSYS_CTNETLINK << 8);
	} else {
		return -1;
	}
	end_message(msg);
	return 0;
}

static int nft(const char *shape, const char *name)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);

	end_message(message(NFNL_MSG_BATCH_BEGIN));
	/* One before it that is in order. */
	put_rule(plain, "counter");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		if (!strcmp(shape, shapes[i].name)) {
			put_rule(shapes[i].put, name);
			goto send;
		}
	if (put_other(shape, name))
		return errno = EINVAL, -1;
send:
	end_message(message(NFNL_MSG_BATCH_END));
	return fd < 0 ? -1 : send(fd, buf, len, 0) < 0 ? -1 : 0;
}

/* struct ipt_replace, and a match in what is behind it. */
static int table(const char *name, const char *match, size_t size)
{
	int fd = socket(AF_INET, SOCK_RAW, 255);
	uint16_t n = 48;

	snprintf((char *)buf, 32, "%s", name);
	memcpy(buf + 208, &n, sizeof(n));
	snprintf((char *)buf + 210, 29, "%s", match);
	return fd < 0 ? -1 : setsockopt(fd, 0, 64, buf, size);
}

int main(int argc, char **argv)
{
	int r;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "nft"))
		r = nft(argv[2], argc > 3 ? argv[3] : "");
	else
		r = table(argv[2], argc > 3 ? argv[3] : "",
			  argc > 4 ? strtoul(argv[4], NULL, 10) : 1024);
	puts(r && errno == EPERM ? "refused" : "taken");
	return 0;
}
