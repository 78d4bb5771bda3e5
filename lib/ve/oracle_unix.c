/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UNIX sockets: whom they are connected to, by the kernel's own list of them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ve/oracle_priv.h"

#define SPACES_MAX 64
#define ROOM (1 << 18)

struct unix_row {
	uint32_t ino, peer;
	uint8_t type, state, shut;
	bool named;
	bool icon; /* it waits to be accepted */
	bool lost_icon; /* one that waited to be accepted by it has gone */
	uint32_t unsent; /* bytes that its other end has not read */
};

struct unix_list {
	struct unix_row *v;
	size_t n;
	uint32_t *icons; /* of all listeners */
	size_t n_icons;
};

static int add_icons(struct unix_list *l, struct unix_row *row, const uint32_t *ino,
		     size_t n)
{
	uint32_t *v = realloc(l->icons, (l->n_icons + n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->icons = v;
	for (size_t i = 0; i < n; i++) {
		if (ino[i])
			v[l->n_icons++] = ino[i];
		else
			row->lost_icon = true;
	}
	return 0;
}

static int add_row(struct unix_list *l, const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const char *at = (const char *)m + NLMSG_ALIGN(sizeof(*m));
	const char *end = (const char *)h + h->nlmsg_len;
	struct unix_row row = { .ino = m->udiag_ino,
				.type = m->udiag_type,
				.state = m->udiag_state };
	struct unix_row *v;
	int r = 0;

	while (end - at >= (ptrdiff_t)sizeof(struct nlattr) && !r) {
		const struct nlattr *a = (const void *)at;
		const void *data = at + NLA_HDRLEN;
		size_t len = a->nla_len - NLA_HDRLEN;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > end - at)
			return -EBADMSG;
		if (a->nla_type == UNIX_DIAG_NAME)
			row.named = len > 0;
		else if (a->nla_type == UNIX_DIAG_PEER && len >= 4)
			memcpy(&row.peer, data, 4);
		else if (a->nla_type == UNIX_DIAG_SHUTDOWN && len >= 1)
			memcpy(&row.shut, data, 1);
		else if (a->nla_type == UNIX_DIAG_RQLEN && len >= 8)
			memcpy(&row.unsent, (const char *)data + 4, 4);
		else if (a->nla_type == UNIX_DIAG_ICONS)
			r = add_icons(l, &row, data, len / 4);
		at += NLA_ALIGN(a->nla_len);
	}
	if (l->n == ORACLE_SOCKETS)
		return -E2BIG;
	if (!r && !(l->n & (l->n - 1))) {
		v = realloc(l->v, (l->n ? 2 * l->n : 1) * sizeof(*v));
		r = v ? 0 : -ENOMEM;
		l->v = v ?: l->v;
	}
	if (!r)
		l->v[l->n++] = row;
	return r;
}

/* One answer of several messages; 1: that was the last. */
static int take(struct unix_list *l, const char *buf, size_t len)
{
	const struct nlmsghdr *h = (const void *)buf;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		int r = 0;

		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(h))->error ?: -EIO;
		if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
		    h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct unix_diag_msg)))
			r = add_row(l, h);
		if (r)
			return r;
	}
	return 0;
}

static int list(struct unix_list *l)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req u;
	} ask = { { sizeof(ask), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
		  { .sdiag_family = AF_UNIX,
		    .udiag_states = -1,
		    .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS |
				  UDIAG_SHOW_RQLEN } };
	vz_autofd int s =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	static char buf[ROOM] __attribute__((aligned(8)));
	int r = 0;

	if (s < 0 || send(s, &ask, sizeof(ask), 0) != sizeof(ask))
		return -errno;
	while (!r) {
		ssize_t n = recv(s, buf, sizeof(buf), 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		r = n < 0 ? 0 : take(l, buf, n);
	}
	return r < 0 ? r : 0;
}

static int compare(const void *a, const void *b)
{
	const struct unix_row *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static struct unix_row *row_of(const struct unix_list *l, uint32_t ino)
{
	struct unix_row key = { .ino = ino };

	return l->n ? bsearch(&key, l->v, l->n, sizeof(key), compare) : NULL;
}

/* --- what follows --- */

#define OUTSIDE "end the program that it is connected to"
#define IN_FLIGHT "let the program accept it, or end the process"

static const struct oracle_word outside = {
	"socket", "it is connected to a program outside of the VE", OUTSIDE
};
static const struct oracle_word sent = {
	"socket", "it has sent something, and was not accepted yet", IN_FLIGHT, true
};
static const struct oracle_word dangling = {
	"socket", "it is connected to nothing that could be found", "end the process",
	true
};
static const struct oracle_word gone = { "socket",
					 "what was to be accepted by it has closed again",
					 IN_FLIGHT, true };

static const struct oracle_word *
judge_peer(const struct oracle *o, const struct unix_list *l, const struct unix_row *row)
{
	const struct unix_row *peer = row_of(l, row->peer);

	if (!peer || (peer->peer != row->ino && !peer->named))
		return &outside;
	if (oracle_has_socket(o, peer->ino))
		return NULL;
	/* As syslog's: it will be connected to again, by its name. */
	return peer->type == SOCK_DGRAM && peer->named ? NULL : &outside;
}

static const struct oracle_word *judge(const struct oracle *o, const struct unix_list *l,
				       const struct unix_row *row)
{
	if (row->peer)
		return judge_peer(o, l, row);
	if (row->state == TCP_LISTEN)
		return row->lost_icon ? &gone : NULL;
	if (row->state != TCP_ESTABLISHED || row->type == SOCK_DGRAM)
		return NULL;
	if (row->icon)
		return row->unsent ? &sent : NULL;
	/* Both ways shut: its other end was closed. */
	return row->shut == 3 ? NULL : &dangling;
}

static void judge_all(struct oracle *o, const struct unix_list *l)
{
	for (size_t i = 0; i < o->n_sockets; i++) {
		const struct oracle_socket *s = &o->sockets[i];
		const struct unix_row *row = row_of(l, (uint32_t)s->ino);
		const struct oracle_word *word;

		if (!row || (i && s->ino == s[-1].ino))
			continue;
		word = judge(o, l, row);
		if (word)
			oracle_tell(o, &o->tasks[s->task], word,
				    "descriptor %d, UNIX socket", s->fd);
	}
}

/* Each network namespace has a list of its own; connections go from one to another. */
static int list_all(struct oracle *o, struct unix_list *l)
{
	uint64_t seen[SPACES_MAX];
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < o->n_tasks && !r; i++) {
		vz_autofd int dir = oracle_open_task(o, &o->tasks[i]);
		uint64_t ino = dir < 0 ? 0 : oracle_ns_of(dir, ORACLE_NET);
		vz_autofd int ns = -1;
		size_t k = 0;

		while (k < n && seen[k] != ino)
			k++;
		if (!ino || k < n || n == SPACES_MAX)
			continue;
		seen[n++] = ino;
		ns = openat(dir, oracle_ns_files[ORACLE_NET], O_RDONLY | O_CLOEXEC);
		/* This process does nothing else after it. */
		r = ns < 0 || setns(ns, CLONE_NEWNET) ? 0 : list(l);
	}
	return r;
}

int oracle_scan_unix(struct oracle *o)
{
	struct unix_list l = { 0 };
	int r = list_all(o, &l);

	/* A kernel without such lists: CRIU will say so. */
	if (r)
		return r == -ENOENT ? 0 : r;
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), compare);
	for (size_t i = 0; i < l.n_icons; i++) {
		struct unix_row *row = row_of(&l, l.icons[i]);

		if (row)
			row->icon = true;
	}
	judge_all(o, &l);
	return 0;
}
