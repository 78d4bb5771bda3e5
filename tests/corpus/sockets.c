/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets, of all families. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "corpus.h"

static int pair[2] = { -1, -1 }, sock = -1, listener = -1;
static char *ring;

static bool has_sock(void)
{
	int type;
	socklen_t len = sizeof(type);

	return !getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &len);
}

static bool has_pair(void)
{
	return passes(pair[0], pair[1]);
}

/* --- UNIX --- */

static void make_pair(int type)
{
	must(!socketpair(AF_UNIX, type, 0, pair) && writes(pair[0], WORD), "socketpair");
}

static void make_unix_stream(void)
{
	make_pair(SOCK_STREAM);
}

static void make_unix_dgram(void)
{
	make_pair(SOCK_DGRAM);
}

static void make_unix_seqpacket(void)
{
	make_pair(SOCK_SEQPACKET);
}

static void unix_listen(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	strcpy(un.sun_path, name);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	must(!bind(listener, (void *)&un, sizeof(un)) && !listen(listener, 4), name);
}

static int unix_connect(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, name);
	if (connect(s, (void *)&un, sizeof(un)))
		return -1;
	return s;
}

static void make_unix_listen(void)
{
	unix_listen("socket");
}

static bool has_unix_listen(void)
{
	int s = unix_connect("socket"), t = accept(listener, NULL, NULL);
	bool good = s >= 0 && t >= 0 && writes(s, WORD) && reads(t, WORD);

	close(s);
	close(t);
	return good;
}

static void make_unix_deleted(void)
{
	unix_listen("socket");
	pair[0] = unix_connect("socket");
	pair[1] = accept(listener, NULL, NULL);
	must(!unlink("socket") && writes(pair[0], WORD), "connect");
}

static void make_unix_pending(void)
{
	unix_listen("socket");
	sock = unix_connect("socket");
	must(sock >= 0, "connect");
}

static bool has_unix_pending(void)
{
	int t = accept(listener, NULL, NULL);
	bool good = t >= 0 && writes(t, WORD) && reads(sock, WORD);

	close(t);
	close(sock);
	sock = unix_connect("socket");
	return good && sock >= 0;
}

/* Before it was accepted, it has sent something. */
static void make_unix_pending_data(void)
{
	make_unix_pending();
	must(writes(sock, WORD), "write");
}

/* Before it was accepted, it has gone. */
static void make_unix_pending_closed(void)
{
	make_unix_pending();
	close(sock);
	sock = listener;
}

static void make_unix_half(void)
{
	make_pair(SOCK_STREAM);
	must(!shutdown(pair[0], SHUT_WR), "shutdown");
}

static bool has_unix_half(void)
{
	return writes(pair[1], WORD) && reads(pair[0], WORD);
}

static void make_unix_peer_gone(void)
{
	make_pair(SOCK_STREAM);
	close(pair[1]);
	sock = pair[0];
}

/* A descriptor that nobody but the message has. */
static void send_fd(int fd)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .h = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	char word = 'x';
	struct iovec iov = { &word, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = sizeof(c) };

	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && sendmsg(pair[0], &m, 0) == 1,
	     "sendmsg");
	close(fd);
}

static bool receives_fd(void)
{
	char room[CMSG_SPACE(sizeof(int))], word;
	struct iovec iov = { &word, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	int fd;

	if (recvmsg(pair[1], &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		return false;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	if (lseek(fd, 0, SEEK_SET) || !reads(fd, WORD))
		return false;
	close(pair[0]);
	close(pair[1]);
	send_fd(fd);
	return true;
}

static void make_unix_rights(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	must(writes(fd, WORD), "file");
	send_fd(fd);
}

static void make_unix_credentials(void)
{
	int on = 1;

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) &&
		     !setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) &&
		     writes(pair[0], WORD),
	     "SO_PASSCRED");
}

/* As syslog(3) has it, to a socket of the VE's that is named. */
static void make_unix_dgram_named(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "socket" };

	pair[1] = socket(AF_UNIX, SOCK_DGRAM, 0);
	pair[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
	must(!bind(pair[1], (void *)&un, sizeof(un)) &&
		     !connect(pair[0], (void *)&un, sizeof(un)) && writes(pair[0], WORD),
	     "dgram");
}

static void make_unix_abstract(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0corpus" };

	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	pair[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	must(!bind(listener, (void *)&un, 9) && !listen(listener, 4) &&
		     !connect(pair[0], (void *)&un, 9) &&
		     (pair[1] = accept(listener, NULL, NULL)) >= 0 &&
		     writes(pair[0], WORD),
	     "abstract");
}

/* --- the Internet's --- */

static struct sockaddr_in here;

static void tcp_listen(int backlog)
{
	socklen_t len = sizeof(here);

	here = (struct sockaddr_in){ .sin_family = AF_INET };
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	must(!bind(listener, (void *)&here, sizeof(here)) && !listen(listener, backlog) &&
		     !getsockname(listener, (void *)&here, &len),
	     "listen");
}

static int tcp_connect(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return connect(s, (void *)&here, sizeof(here)) ? -1 : s;
}

static void make_tcp_listen(void)
{
	tcp_listen(4);
}

static bool has_tcp_listen(void)
{
	int s = tcp_connect(), t = accept(listener, NULL, NULL);
	bool good = s >= 0 && t >= 0 && writes(s, WORD) && reads(t, WORD);

	close(s);
	close(t);
	return good;
}

static void make_tcp(void)
{
	tcp_listen(4);
	pair[0] = tcp_connect();
	pair[1] = accept(listener, NULL, NULL);
	must(pair[0] >= 0 && pair[1] >= 0 && writes(pair[0], WORD), "tcp");
}

static void make_tcp_pending(void)
{
	tcp_listen(4);
	pair[0] = tcp_connect();
	must(pair[0] >= 0, "connect");
}

static bool has_tcp_pending(void)
{
	int t = accept(listener, NULL, NULL);
	bool good = t >= 0 && writes(t, WORD) && reads(pair[0], WORD);

	close(t);
	close(pair[0]);
	pair[0] = tcp_connect();
	return good;
}

static void make_tcp_half(void)
{
	make_tcp();
	must(!shutdown(pair[0], SHUT_WR), "shutdown");
}

static bool has_tcp_half(void)
{
	return writes(pair[1], WORD) && reads(pair[0], WORD);
}

static void make_tcp_peer_gone(void)
{
	make_tcp();
	close(pair[1]);
	sock = pair[0];
}

/* Nobody answers: the listener takes no more. */
static void make_tcp_connecting(void)
{
	tcp_listen(0);
	for (int i = 0; i < 4; i++) {
		sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(sock, (void *)&here, sizeof(here));
	}
}

static void make_tcp_bound(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	sock = socket(AF_INET, SOCK_STREAM, 0);
	must(!bind(sock, (void *)&in, sizeof(in)), "bind");
}

static void make_tcp6(void)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6,
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(in);

	listener = socket(AF_INET6, SOCK_STREAM, 0);
	skip_unless(listener >= 0 && !bind(listener, (void *)&in, sizeof(in)), "IPv6");
	pair[0] = socket(AF_INET6, SOCK_STREAM, 0);
	must(!listen(listener, 1) && !getsockname(listener, (void *)&in, &len) &&
		     !connect(pair[0], (void *)&in, len) &&
		     (pair[1] = accept(listener, NULL, NULL)) >= 0 &&
		     writes(pair[0], WORD),
	     "tcp6");
}

static void make_mptcp(void)
{
	tcp_listen(4);
	close(listener);
	listener = socket(AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);
	sock = listener;
	skip_unless(sock >= 0, "MPTCP");
	must(!bind(sock, (void *)&here, sizeof(here)) && !listen(sock, 1), "listen");
}

static void make_udp(void)
{
	socklen_t len = sizeof(here);

	here = (struct sockaddr_in){ .sin_family = AF_INET };
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pair[0] = socket(AF_INET, SOCK_DGRAM, 0);
	pair[1] = socket(AF_INET, SOCK_DGRAM, 0);
	must(!bind(pair[1], (void *)&here, sizeof(here)) &&
		     !getsockname(pair[1], (void *)&here, &len) &&
		     !connect(pair[0], (void *)&here, len),
	     "udp");
}

static bool has_udp(void)
{
	return writes(pair[0], WORD) && reads(pair[1], WORD);
}

static void make_udp_corked(void)
{
	int on = 1;

	make_udp();
	must(!setsockopt(pair[0], IPPROTO_UDP, UDP_CORK, &on, sizeof(on)) &&
		     writes(pair[0], "ke"),
	     "UDP_CORK");
	sock = pair[0];
}

static void make_ping(void)
{
	int fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);

	must(fd < 0 || write(fd, "0 65535", 7) > 0, "ping_group_range");
	close(fd);
	sock = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	skip_unless(sock >= 0, "ping socket");
}

static void make_raw(void)
{
	sock = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	skip_unless(sock >= 0, "raw socket");
}

/* --- others --- */

static void make_packet(void)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = if_nametoindex("lo") };

	sock = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	skip_unless(sock >= 0, "packet socket");
	must(!bind(sock, (void *)&ll, sizeof(ll)), "bind");
}

static void make_packet_ring(void)
{
	struct tpacket_req req = { 4096, 4, 2048, 8 };

	make_packet();
	must(!setsockopt(sock, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)), "ring");
	ring = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, sock, 0);
	must(ring != MAP_FAILED, "mmap");
}

static void make_netlink(void)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };

	sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	must(sock >= 0 && !bind(sock, (void *)&nl, sizeof(nl)), "netlink");
}

static void make_netlink_unread(void)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} m = { { sizeof(m), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
		{ .ifi_family = AF_UNSPEC } };

	sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	must(send(sock, &m, sizeof(m), 0) == sizeof(m), "netlink");
}

static void make_netlink_groups(void)
{
	int group = 34; /* beyond the first word of them */

	make_netlink();
	skip_unless(!setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
				sizeof(group)),
		    "netlink group 34");
}

static void make_uevent(void)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	sock = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	must(sock >= 0 && !bind(sock, (void *)&nl, sizeof(nl)), "uevent");
}

static void make_vsock(void)
{
	sock = socket(AF_VSOCK, SOCK_STREAM, 0);
	skip_unless(sock >= 0, "vsock");
}

static void make_alg(void)
{
	sock = socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0);
	skip_unless(sock >= 0, "AF_ALG");
}

const struct thing socket_things[] = {
	{ "unix-stream", make_unix_stream, has_pair },
	{ "unix-dgram", make_unix_dgram, has_pair },
	{ "unix-seqpacket", make_unix_seqpacket, has_pair },
	{ "unix-dgram-named", make_unix_dgram_named, has_pair },
	{ "unix-abstract", make_unix_abstract, has_pair },
	{ "unix-listen", make_unix_listen, has_unix_listen },
	{ "unix-deleted", make_unix_deleted, has_pair },
	{ "unix-pending", make_unix_pending, has_unix_pending },
	{ "unix-pending-data", make_unix_pending_data, has_sock },
	{ "unix-pending-closed", make_unix_pending_closed, has_sock },
	{ "unix-half-closed", make_unix_half, has_unix_half },
	{ "unix-peer-gone", make_unix_peer_gone, has_sock },
	{ "unix-rights", make_unix_rights, receives_fd },
	{ "unix-credentials", make_unix_credentials, has_pair },
	{ "tcp-listen", make_tcp_listen, has_tcp_listen },
	{ "tcp", make_tcp, has_pair },
	{ "tcp-pending", make_tcp_pending, has_tcp_pending },
	{ "tcp-half-closed", make_tcp_half, has_tcp_half },
	{ "tcp-peer-gone", make_tcp_peer_gone, has_sock },
	{ "tcp-connecting", make_tcp_connecting, has_sock },
	{ "tcp-bound", make_tcp_bound, has_sock },
	{ "tcp6", make_tcp6, has_pair },
	{ "mptcp", make_mptcp, has_sock },
	{ "udp", make_udp, has_udp },
	{ "udp-corked", make_udp_corked, has_sock },
	{ "ping", make_ping, has_sock },
	{ "raw", make_raw, has_sock },
	{ "packet", make_packet, has_sock },
	{ "packet-ring", make_packet_ring, has_sock },
	{ "netlink", make_netlink, has_sock },
	{ "netlink-unread", make_netlink_unread, has_sock },
	{ "netlink-groups", make_netlink_groups, has_sock },
	{ "uevent", make_uevent, has_sock },
	{ "vsock", make_vsock, has_sock },
	{ "alg", make_alg, has_sock },
	{ 0 },
};
