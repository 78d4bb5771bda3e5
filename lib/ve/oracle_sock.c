/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets. Each is had for a moment (pidfd_getfd) and asked what it is; nothing is read
 * from it. That this keeps it from closing for so long does not matter to anybody: this
 * process ends, and does not linger.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ve/oracle_priv.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif

static int compare(const void *a, const void *b)
{
	const struct oracle_socket *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

bool oracle_has_socket(const struct oracle *o, uint64_t ino)
{
	struct oracle_socket key = { .ino = ino };

	return o->n_sockets &&
	       bsearch(&key, o->sockets, o->n_sockets, sizeof(key), compare);
}

/* --- one of them --- */

struct socket {
	struct oracle *o;
	const struct oracle_task *task;
	const struct oracle_socket *s;
	int fd; /* ours */
	int family, type, protocol;
};

static int option(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) ? -1 : value;
}

#define TELL(s, passing, why, remedy, ...)                                               \
	oracle_tell((s)->o, (s)->task, ORACLE_WORD("socket", why, remedy, passing),      \
		    "descriptor %d, " __VA_ARGS__)

/* A listener that has a connection which nobody has accepted. */
static void check_tcp(const struct socket *s)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	char ulp[16] = "";

	if (getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return;
	/* Of a listener: how many wait. */
	if (info.tcpi_state == TCP_LISTEN && info.tcpi_unacked)
		TELL(s, true, "a connection to it has not been accepted",
		     "let the program accept it, or end the process",
		     "TCP socket that listens", s->s->fd);
	len = sizeof(ulp) - 1;
	if (!getsockopt(s->fd, IPPROTO_TCP, TCP_ULP, ulp, &len) && *ulp)
		TELL(s, false, "CRIU can't keep what the kernel does for it",
		     "close the connection", "TCP socket with %s", s->s->fd, ulp);
}

/* A bound address that means nothing without a device, which CRIU does not know. */
static bool is_local_without_device(const struct socket *s)
{
	struct sockaddr_in6 in = { 0 };
	socklen_t len = sizeof(in);
	char device[64] = "";

	if (getsockname(s->fd, (void *)&in, &len) || !in.sin6_port ||
	    (!IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr) &&
	     !IN6_IS_ADDR_MC_LINKLOCAL(&in.sin6_addr) &&
	     !IN6_IS_ADDR_MC_NODELOCAL(&in.sin6_addr)))
		return false;
	len = sizeof(device) - 1;
	return getsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, device, &len) || !*device;
}

static bool is_kept_protocol(int protocol)
{
	return protocol == IPPROTO_IP || protocol == IPPROTO_TCP ||
	       protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static void check_inet(const struct socket *s)
{
	if (s->type == SOCK_RAW)
		return;
	if (s->protocol == IPPROTO_MPTCP)
		TELL(s, false, "CRIU can't keep MPTCP",
		     "let the program do without (Go: GODEBUG=multipathtcp=0)",
		     "MPTCP socket", s->s->fd);
	else if (!is_kept_protocol(s->protocol) ||
		 (s->type != SOCK_STREAM && s->type != SOCK_DGRAM))
		TELL(s, false, "CRIU does not know such sockets", "end the process",
		     "socket of protocol %d, type %d", s->s->fd, s->protocol, s->type);
	else if (s->type == SOCK_STREAM)
		check_tcp(s);
	else if ((s->protocol == IPPROTO_UDP || s->protocol == IPPROTO_UDPLITE) &&
		 option(s->fd, IPPROTO_UDP, UDP_CORK) > 0)
		TELL(s, true,
		     "CRIU can't keep a datagram that is being put together "
		     "(UDP_CORK)",
		     "end the process", "UDP socket", s->s->fd);
	if (s->family == AF_INET6 && is_local_without_device(s))
		TELL(s, false, "it is bound to a link-local address, but not to a device",
		     "end the process", "socket", s->s->fd);
}

static void check_netlink(const struct socket *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	uint32_t groups[64] = { 0 };
	socklen_t len = sizeof(groups);

	if (poll(&p, 1, 0) == 1 && p.revents & POLLIN)
		TELL(s, true, "it has messages that were not read",
		     "let the program read them, or end the process", "netlink socket",
		     s->s->fd);
	if (getsockopt(s->fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &len))
		return;
	for (size_t i = 1; i < len / sizeof(*groups) && i < VZ_ARRAY_SIZE(groups); i++)
		if (groups[i]) {
			TELL(s, false, "CRIU keeps no more than its first 32 groups",
			     "end the process", "netlink socket", s->s->fd);
			return;
		}
}

static void check_unix(const struct socket *s)
{
	int waiting = 0;

	/* Each message in it has its sender's credentials, which can't be sent again. */
	if (option(s->fd, SOL_SOCKET, SO_PASSCRED) > 0 &&
	    option(s->fd, SOL_SOCKET, SO_ACCEPTCONN) == 0 &&
	    !ioctl(s->fd, SIOCINQ, &waiting) && waiting > 0)
		TELL(s, true, "it has messages with credentials that were not read",
		     "let the program read them, or end the process", "UNIX socket",
		     s->s->fd);
}

/* Each of a network namespace that goes along. */
static bool is_elsewhere(const struct socket *s)
{
	vz_autofd int ns = ioctl(s->fd, SIOCGSKNS);
	struct stat st;

	return ns >= 0 && !fstat(ns, &st) &&
	       !oracle_has_space(s->o, ORACLE_NET, st.st_ino);
}

static void check_socket(const struct socket *s)
{
	if (is_elsewhere(s)) {
		TELL(s, false, "it is of a network namespace that is not the VE's",
		     "end the process", "socket", s->s->fd);
		return;
	}
	switch (s->family) {
	case AF_UNIX:
		return check_unix(s);
	case AF_INET:
	case AF_INET6:
		return check_inet(s);
	case AF_NETLINK:
		return check_netlink(s);
	case AF_PACKET:
		return;
	default:
		TELL(s, false, "CRIU does not know such sockets",
		     "close it, or end the process", "socket of family %d", s->s->fd,
		     s->family);
	}
}

/* --- all of them --- */

/*
 * The process by number and pidfd: alive after its directory was opened, so both are of
 * the same.
 */
static int open_pidfd(const struct oracle *o, const struct oracle_task *t)
{
	vz_autofd int pidfd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	vz_autofd int dir = pidfd < 0 ? -1 : oracle_open_task(o, t);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return dir < 0 || poll(&p, 1, 0) ? -1 : vz_take_fd(&pidfd);
}

static void look_at(struct oracle *o, const struct oracle_socket *s, int pidfd)
{
	vz_autofd int fd = (int)syscall(SYS_pidfd_getfd, pidfd, s->fd, 0);
	struct socket k = { .o = o, .task = &o->tasks[s->task], .s = s, .fd = fd };
	struct stat st;

	/* It may have been closed, and its number be another's. */
	if (fd < 0 || fstat(fd, &st) || !S_ISSOCK(st.st_mode) || st.st_ino != s->ino)
		return;
	k.family = option(fd, SOL_SOCKET, SO_DOMAIN);
	k.type = option(fd, SOL_SOCKET, SO_TYPE);
	k.protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);
	check_socket(&k);
}

int oracle_scan_sockets(struct oracle *o)
{
	uint32_t had = UINT32_MAX;
	int pidfd = -1;

	if (!o->n_sockets)
		return 0;
	qsort(o->sockets, o->n_sockets, sizeof(*o->sockets), compare);
	for (size_t i = 0; i < o->n_sockets; i++) {
		const struct oracle_socket *s = &o->sockets[i];

		if (i && s->ino == s[-1].ino)
			continue;
		if (s->task != had) {
			if (pidfd >= 0)
				close(pidfd);
			pidfd = open_pidfd(o, &o->tasks[s->task]);
			had = s->task;
		}
		if (pidfd >= 0)
			look_at(o, s, pidfd);
	}
	if (pidfd >= 0)
		close(pidfd);
	return oracle_scan_unix(o);
}
