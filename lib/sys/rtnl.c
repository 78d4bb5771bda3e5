/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/rtnl_priv.h"

/* Larger than any message that the kernel sends in an answer. */
#define ANSWER_MAX (64 << 10)
/* Tables that change this often while they are read are not worth more. */
#define DUMP_TRIES 100

struct vz_rtnl {
	struct nl_sock *sk;
	struct nl_cb *cb;
	enum vz_exit status;
	/* of the question under way */
	bool done, interrupted;
	int r;
	char why[128]; /* the kernel's own words on a failure, or "" */
	vz_rtnl_fn fn;
	void *data;
	int stop; /* what fn ended with */
};

static int on_answer(struct nl_msg *msg, void *data)
{
	struct vz_rtnl *nl = data;

	if (nl->fn && !nl->stop)
		nl->stop = nl->fn(nlmsg_hdr(msg), nl->data);
	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *data)
{
	struct vz_rtnl *nl = data;

	nl->done = true;
	return NL_STOP;
}

static int on_finish(struct nl_msg *msg, void *data)
{
	struct vz_rtnl *nl = data;
	struct nlmsghdr *h = nlmsg_hdr(msg);

	if (nlmsg_datalen(h) >= (int)sizeof(int))
		memcpy(&nl->r, nlmsg_data(h), sizeof(int));
	nl->done = true;
	return NL_STOP;
}

static int on_interrupted(struct nl_msg *msg, void *data)
{
	struct vz_rtnl *nl = data;

	nl->interrupted = true;
	return NL_OK;
}

/* With NETLINK_CAP_ACK, the kernel's words follow the error at once. */
static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *data)
{
	struct nlmsghdr *h = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	struct vz_rtnl *nl = data;

	nl->r = e->error;
	nl->done = true;
	if (h->nlmsg_flags & NLM_F_ACK_TLVS &&
	    !nlmsg_parse(h, sizeof(*e), tb, NLMSGERR_ATTR_MAX, NULL) &&
	    tb[NLMSGERR_ATTR_MSG])
		nla_strlcpy(nl->why, tb[NLMSGERR_ATTR_MSG], sizeof(nl->why));
	return NL_STOP;
}

static int set_up(struct vz_rtnl *nl)
{
	int one = 1, r;

	nl->sk = nl_socket_alloc();
	nl->cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!nl->sk || !nl->cb)
		return -ENOMEM;
	nl_cb_set(nl->cb, NL_CB_VALID, NL_CB_CUSTOM, on_answer, nl);
	nl_cb_set(nl->cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, nl);
	nl_cb_set(nl->cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, nl);
	nl_cb_set(nl->cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, nl);
	nl_cb_err(nl->cb, NL_CB_CUSTOM, on_error, nl);
	errno = 0;
	r = nl_connect(nl->sk, NETLINK_ROUTE);
	if (r)
		return errno ? -errno : -EIO;
	nl_socket_disable_msg_peek(nl->sk);
	nl_socket_set_msg_buf_size(nl->sk, ANSWER_MAX);
	r = nl_socket_get_fd(nl->sk);
	if (setsockopt(r, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) ||
	    setsockopt(r, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(r, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one)))
		return -errno;
	return 0;
}

int vz_rtnl_open(struct vz_rtnl **ret, struct vz_err *err)
{
	struct vz_rtnl *nl = calloc(1, sizeof(*nl));
	int r = nl ? set_up(nl) : -ENOMEM;

	if (r) {
		vz_rtnl_close(nl);
		return vz_err_set(err, VZ_E_SYSTEM, -r,
				  "can't talk with the kernel about the network");
	}
	nl->status = VZ_E_SYSTEM;
	*ret = nl;
	return 0;
}

int vz_rtnl_open_ns(int netns, struct vz_rtnl **ret, struct vz_err *err)
{
	vz_autofd int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (own < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno,
				  "can't open this process's network namespace");
	if (setns(netns, CLONE_NEWNET))
		return vz_err_set(err, VZ_E_SYSTEM, errno,
				  "can't enter a VE's network namespace");
	r = vz_rtnl_open(ret, err);
	/* What follows would be done to the VE in place of the host. */
	if (setns(own, CLONE_NEWNET))
		abort();
	return r;
}

void vz_rtnl_close(struct vz_rtnl *nl)
{
	if (!nl)
		return;
	nl_cb_put(nl->cb);
	nl_socket_free(nl->sk);
	free(nl);
}

void vz_rtnl_fails_with(struct vz_rtnl *nl, enum vz_exit status)
{
	nl->status = status;
}

static int hear(struct vz_rtnl *nl)
{
	while (!nl->done) {
		int r;

		errno = 0;
		r = nl_recvmsgs(nl->sk, nl->cb);
		if (r < 0 && !nl->done && errno != EINTR)
			return errno ? -errno : -EIO;
	}
	return nl->r < 0 ? nl->r : nl->stop;
}

int vz_rtnl_talk(struct vz_rtnl *nl, struct nl_msg *msg, vz_rtnl_fn fn, void *data)
{
	int r;

	nl->done = nl->interrupted = false;
	nl->r = nl->stop = 0;
	nl->why[0] = 0;
	nl->fn = fn;
	nl->data = data;
	if (!msg)
		return -ENOMEM;
	errno = 0;
	r = nl_send_auto(nl->sk, msg);
	nlmsg_free(msg);
	if (r < 0)
		return errno ? -errno : -EIO;
	return hear(nl);
}

struct nl_msg *vz_rtnl_msg(int type, int flags, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (msg && nlmsg_append(msg, (void *)header, len, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int vz_rtnl_dump(struct vz_rtnl *nl, vz_rtnl_build build, const void *what, vz_rtnl_fn fn,
		 void *data)
{
	int r = 0;

	for (int i = 0; i < DUMP_TRIES; i++) {
		r = vz_rtnl_talk(nl, build(what), fn, data);
		if (r || !nl->interrupted)
			return r;
	}
	return -EAGAIN;
}

int vz_rtnl_fail(struct vz_rtnl *nl, struct vz_err *err, int r, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (nl->why[0])
		vz_err_set(err, nl->status, -r, "%s (%s)", text, nl->why);
	else
		vz_err_set(err, nl->status, -r, "%s", text);
	return r;
}
