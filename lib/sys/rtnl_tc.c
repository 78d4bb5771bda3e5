/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <netlink/route/act/mirred.h>
#include <netlink/route/action.h>
#include <netlink/route/classifier.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/link.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>
#include <string.h>

#include "sys/rtnl_priv.h"

/* How long a packet may wait for its turn, in microseconds. */
#define LATENCY 100000
/* After the guard's filter, which is the first. */
#define PRIORITY 2
#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

static struct rtnl_qdisc *root_qdisc(int dev, const char *kind)
{
	struct rtnl_qdisc *q = rtnl_qdisc_alloc();

	if (!q)
		return NULL;
	rtnl_tc_set_ifindex(TC_CAST(q), dev);
	rtnl_tc_set_parent(TC_CAST(q), TC_H_ROOT);
	if (!kind || !rtnl_tc_set_kind(TC_CAST(q), kind))
		return q;
	rtnl_qdisc_put(q);
	return NULL;
}

int vz_rtnl_shape(struct vz_rtnl *nl, int dev, uint64_t bytes, uint32_t burst,
		  struct vz_err *err)
{
	struct rtnl_qdisc *q = root_qdisc(dev, "tbf");
	struct nl_msg *msg = NULL;
	int r;

	if (q) {
		rtnl_tc_set_handle(TC_CAST(q), TC_HANDLE(1, 0));
		rtnl_qdisc_tbf_set_rate(q, bytes, burst, 0);
		if (rtnl_qdisc_tbf_set_limit_by_latency(q, LATENCY) ||
		    rtnl_qdisc_build_add_request(q, NLM_F_CREATE | NLM_F_REPLACE, &msg))
			msg = NULL;
		rtnl_qdisc_put(q);
	}
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	return r ? vz_rtnl_fail(nl, err, r, "can't limit the rate on the device %d", dev)
		 : 0;
}

int vz_rtnl_blackhole(struct vz_rtnl *nl, int dev, struct vz_err *err)
{
	struct rtnl_qdisc *q;
	struct nl_msg *msg = NULL;
	int r = vz_rtnl_unshape(nl, dev, err);

	if (r)
		return r;
	q = root_qdisc(dev, "blackhole");
	if (q) {
		rtnl_tc_set_handle(TC_CAST(q), TC_HANDLE(1, 0));
		if (rtnl_qdisc_build_add_request(q, NLM_F_CREATE | NLM_F_REPLACE, &msg))
			msg = NULL;
		rtnl_qdisc_put(q);
	}
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	return r ? vz_rtnl_fail(nl, err, r, "can't hold back what goes to the device %d",
				dev)
		 : 0;
}

int vz_rtnl_unshape(struct vz_rtnl *nl, int dev, struct vz_err *err)
{
	struct rtnl_qdisc *q = root_qdisc(dev, NULL);
	struct nl_msg *msg = NULL;
	int r;

	if (q) {
		rtnl_tc_set_handle(TC_CAST(q), TC_HANDLE(1, 0));
		if (rtnl_qdisc_build_delete_request(q, &msg))
			msg = NULL;
		rtnl_qdisc_put(q);
	}
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	if (!r || r == -ENOENT || r == -EINVAL)
		return 0;
	return vz_rtnl_fail(nl, err, r, "can't lift the rate on the device %d", dev);
}

struct each_bucket {
	vz_bucket_fn fn;
	void *data;
};

static void parse_rate(struct nlattr *options, struct vz_bucket *ret)
{
	struct nlattr *tb[TCA_TBF_MAX + 1];
	struct tc_tbf_qopt opt;

	if (!options || nla_parse_nested(tb, TCA_TBF_MAX, options, NULL))
		return;
	if (tb[TCA_TBF_PARMS] && nla_len(tb[TCA_TBF_PARMS]) >= (int)sizeof(opt)) {
		memcpy(&opt, nla_data(tb[TCA_TBF_PARMS]), sizeof(opt));
		ret->rate = opt.rate.rate;
	}
	if (tb[TCA_TBF_RATE64])
		ret->rate = nla_get_u64(tb[TCA_TBF_RATE64]);
}

static void parse_queue(struct nlattr *stats, struct vz_bucket *ret)
{
	struct nlattr *tb[TCA_STATS_MAX + 1];
	struct gnet_stats_queue q;

	if (!stats || nla_parse_nested(tb, TCA_STATS_MAX, stats, NULL) ||
	    !tb[TCA_STATS_QUEUE] || nla_len(tb[TCA_STATS_QUEUE]) < (int)sizeof(q))
		return;
	memcpy(&q, nla_data(tb[TCA_STATS_QUEUE]), sizeof(q));
	ret->dropped = q.drops;
	ret->waited = q.overlimits;
}

static int next_bucket(struct nlmsghdr *h, void *data)
{
	const struct tcmsg *tcm = nlmsg_data(h);
	struct nlattr *tb[TCA_MAX + 1];
	struct each_bucket *each = data;
	struct vz_bucket b = { 0 };

	if (h->nlmsg_type != RTM_NEWQDISC ||
	    nlmsg_parse(h, sizeof(*tcm), tb, TCA_MAX, NULL))
		return -EBADMSG;
	if (!tb[TCA_KIND] || nla_strcmp(tb[TCA_KIND], "tbf"))
		return 0;
	b.dev = tcm->tcm_ifindex;
	parse_rate(tb[TCA_OPTIONS], &b);
	parse_queue(tb[TCA_STATS2], &b);
	return each->fn(&b, each->data);
}

static struct nl_msg *ask_qdiscs(const void *what)
{
	struct tcmsg tcm = { .tcm_family = AF_UNSPEC };

	return vz_rtnl_msg(RTM_GETQDISC, NLM_F_DUMP, &tcm, sizeof(tcm));
}

int vz_rtnl_buckets(struct vz_rtnl *nl, vz_bucket_fn fn, void *data, struct vz_err *err)
{
	struct each_bucket each = { fn, data };
	int r = vz_rtnl_dump(nl, ask_qdiscs, NULL, next_bucket, &each);

	return r < 0 ? vz_rtnl_fail(nl, err, r, "can't list the queues") : r;
}

static struct rtnl_cls *ingress_filter(int dev)
{
	struct rtnl_cls *cls = rtnl_cls_alloc();

	if (!cls)
		return NULL;
	rtnl_tc_set_ifindex(TC_CAST(cls), dev);
	rtnl_tc_set_parent(TC_CAST(cls), INGRESS);
	rtnl_cls_set_prio(cls, PRIORITY);
	rtnl_cls_set_protocol(cls, ETH_P_ALL);
	return cls;
}

static struct rtnl_act *redirect_to(int dev)
{
	struct rtnl_act *act = rtnl_act_alloc();

	if (!act)
		return NULL;
	if (rtnl_tc_set_kind(TC_CAST(act), "mirred")) {
		rtnl_act_put(act);
		return NULL;
	}
	rtnl_mirred_set_action(act, TCA_EGRESS_REDIR);
	rtnl_mirred_set_policy(act, TC_ACT_STOLEN);
	rtnl_mirred_set_ifindex(act, dev);
	return act;
}

int vz_rtnl_divert(struct vz_rtnl *nl, int dev, int to, struct vz_err *err)
{
	struct rtnl_cls *cls = ingress_filter(dev);
	struct rtnl_act *act = redirect_to(to);
	struct nl_msg *msg = NULL;
	int r;

	/* What there is of it is replaced: two of them would make packets go twice. */
	r = vz_rtnl_undivert(nl, dev, err);
	if (r)
		return r;
	if (cls && act && !rtnl_tc_set_kind(TC_CAST(cls), "u32") &&
	    !rtnl_u32_add_key_uint32(cls, 0, 0, 0, 0) &&
	    !rtnl_u32_set_cls_terminal(cls) && !rtnl_u32_add_action(cls, act) &&
	    rtnl_cls_build_add_request(cls, NLM_F_CREATE, &msg))
		msg = NULL;
	if (act)
		rtnl_act_put(act);
	if (cls)
		rtnl_cls_put(cls);
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	return r ? vz_rtnl_fail(nl, err, r,
				"can't lead the packets of the device %d through %d", dev,
				to)
		 : 0;
}

int vz_rtnl_undivert(struct vz_rtnl *nl, int dev, struct vz_err *err)
{
	struct rtnl_cls *cls = ingress_filter(dev);
	struct nl_msg *msg = NULL;
	int r;

	if (cls && rtnl_cls_build_delete_request(cls, 0, &msg))
		msg = NULL;
	if (cls)
		rtnl_cls_put(cls);
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	if (!r || r == -ENOENT || r == -EINVAL)
		return 0;
	return vz_rtnl_fail(nl, err, r, "can't lift the rate on the device %d", dev);
}

int vz_rtnl_ifb_add(struct vz_rtnl *nl, const char *name, struct vz_err *err)
{
	struct rtnl_link *link = rtnl_link_alloc();
	struct nl_msg *msg = NULL;
	int r;

	if (link && !rtnl_link_set_type(link, "ifb")) {
		rtnl_link_set_name(link, name);
		rtnl_link_set_flags(link, IFF_UP);
		if (rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &msg))
			msg = NULL;
	}
	if (link)
		rtnl_link_put(link);
	r = vz_rtnl_talk(nl, msg, NULL, NULL);
	return r ? vz_rtnl_fail(nl, err, r, "can't make the device %s", name) : 0;
}
