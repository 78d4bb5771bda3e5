/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel tells of forks and exits (the process events connector) on the
 * node, but not in a VE, nor in another network namespace than the first: there
 * the view is looked through each second.
 */
#include "vzlist/prockeeper.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/run.h"
#include "sys/ns.h"

#define ACK_MS 300
#define LOOK_MS 1000
#define ENDING_MAX 4096
#define EVENTS_MAX 1024 /* at a time */

struct keeper {
	const struct procview *view;
	int events; /* -1: the kernel tells nothing */
	pid_t ending[ENDING_MAX]; /* may be gone, but were there when looked at */
	size_t n;
	bool missed; /* there were more than that */
	pid_t user; /* who needs the view, the last that was found */
	bool user_ended;
};

/* -- events -- */

static bool ask_for_events(int fd)
{
	const enum proc_cn_mcast_op op = PROC_CN_MCAST_LISTEN;
	union {
		struct nlmsghdr head;
		char room[NLMSG_LENGTH(sizeof(struct cn_msg) + sizeof(op))];
	} ask = { .head = { .nlmsg_len = sizeof(ask.room), .nlmsg_type = NLMSG_DONE } };
	struct cn_msg *msg = NLMSG_DATA(&ask.head);

	msg->id = (struct cb_id){ CN_IDX_PROC, CN_VAL_PROC };
	msg->len = sizeof(op);
	memcpy(msg->data, &op, sizeof(op));
	return send(fd, &ask, sizeof(ask.room), 0) == sizeof(ask.room);
}

/* The next event, without waiting. 0, -EAGAIN or -errno. */
static int next_event(int fd, struct proc_event *ret)
{
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	struct nlmsghdr *head = (void *)buf;

	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(struct cn_msg)) + sizeof(*ret) ||
	    !NLMSG_OK(head, (size_t)n))
		return -EBADMSG;
	memcpy(ret, ((struct cn_msg *)NLMSG_DATA(head))->data, sizeof(*ret));
	return 0;
}

/* It is answered, unless this is not the first PID namespace. */
static bool is_answered(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct proc_event e;

	while (poll(&p, 1, ACK_MS) == 1) {
		if (next_event(fd, &e))
			return false;
		if (e.what == PROC_EVENT_NONE)
			return !e.event_data.ack.err;
	}
	return false;
}

static int open_events(void)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	vz_autofd int fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	int size = 1 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    !ask_for_events(fd) || !is_answered(fd))
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return vz_take_fd(&fd);
}

/* -- who still needs the view -- */

static bool is_in_namespace(const struct keeper *k, pid_t pid)
{
	struct stat own, st;
	char path[32];

	snprintf(path, sizeof(path), "%d/ns/mnt", pid);
	return pid != getpid() && !fstatat(k->view->real, path, &st, 0) &&
	       !fstatat(k->view->real, "self/ns/mnt", &own, 0) &&
	       st.st_ino == own.st_ino && st.st_dev == own.st_dev;
}

/* Whether another process is in this mount namespace. */
static bool is_needed(struct keeper *k)
{
	int fd = openat(k->view->real, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	vz_autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (k->user && is_in_namespace(k, k->user))
		return true;
	k->user = 0;
	while (d && (e = readdir(d)) && !k->user)
		if (isdigit((unsigned char)e->d_name[0]) &&
		    is_in_namespace(k, strtol(e->d_name, NULL, 10)))
			k->user = strtol(e->d_name, NULL, 10);
	return k->user;
}

/* -- keeping -- */

static void look_at_ending(struct keeper *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		if (!procview_drop(k->view, k->ending[i]))
			k->ending[n++] = k->ending[i];
	k->n = n;
}

static void take_event(struct keeper *k, const struct proc_event *e)
{
	if (e->what == PROC_EVENT_FORK &&
	    e->event_data.fork.child_pid == e->event_data.fork.child_tgid)
		procview_add(k->view, e->event_data.fork.child_pid);
	if (e->what != PROC_EVENT_EXIT ||
	    e->event_data.exit.process_pid != e->event_data.exit.process_tgid)
		return;
	k->user_ended |= e->event_data.exit.process_pid == k->user;
	/* Until its parent has asked for it, it is there. */
	if (k->n < ENDING_MAX)
		k->ending[k->n++] = e->event_data.exit.process_pid;
	else
		k->missed = true;
}

/* What has come; true when processes have ended. */
static bool take_events(struct keeper *k)
{
	struct proc_event e;
	bool ended = false;
	int r = 0;

	for (int i = 0; i < EVENTS_MAX; i++) {
		r = next_event(k->events, &e);
		if (r == -EBADMSG || r == -EINTR)
			continue;
		if (r)
			break;
		take_event(k, &e);
		ended |= e.what == PROC_EVENT_EXIT;
	}
	/* More than there was room for. */
	if (r == -ENOBUFS) {
		procview_sync(k->view);
		ended = true;
	}
	return ended;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void look(struct keeper *k)
{
	look_at_ending(k);
	if (k->events < 0 || k->missed)
		procview_sync(k->view);
	k->missed = false;
}

/* What has ended is looked at a second later: then its parent knows it, mostly. */
static void keep(struct keeper *k)
{
	struct pollfd p = { .fd = k->events, .events = POLLIN };
	int64_t due = now_ms() + LOOK_MS;

	for (;;) {
		int64_t left = due ? due - now_ms() : -1;

		if (poll(&p, 1, due && left < 0 ? 0 : left) > 0 && take_events(k) && !due)
			due = now_ms() + LOOK_MS;
		if (k->user_ended)
			due = now_ms();
		k->user_ended = false;
		if (!due || now_ms() < due)
			continue;
		look(k);
		if (!is_needed(k))
			return;
		due = k->events < 0 || k->n ? now_ms() + LOOK_MS : 0;
	}
}

/* Who has just begun a process looks for it at once: no time is to be lost. */
static void be_quick(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first))
		setpriority(PRIO_PROCESS, 0, -20);
}

static void be_nobodys(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3 && null >= 0; i++)
		dup2(null, i);
	setsid();
	prctl(PR_SET_NAME, "vzproc");
}

static int link_node(const struct procview *v, int node)
{
	char target[64];

	snprintf(target, sizeof(target), PROCVIEW_REAL "/%d/fd/%d", getpid(), node);
	return symlinkat(target, v->dir, VZ_NS_PROC_NODE) ? -errno : 0;
}

/* `ready` is written to as soon as the view is right. */
static void run_keeper(const struct procview *v, pid_t user, int node, int ready)
{
	struct keeper k = { .view = v, .events = open_events(), .user = user };
	int r = procview_sync(v);

	if (!r)
		r = link_node(v, node);

	if (write(ready, &r, sizeof(r)) != sizeof(r) || r)
		return;
	close(ready);
	be_nobodys();
	be_quick();
	vz_reset_signals();
	keep(&k);
}

int prockeeper_start(const struct procview *v, int node)
{
	int ready[2], r = -ECHILD;
	pid_t own = getpid(), pid;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		/* Its parent is to become a program that knows of no child. */
		if (!fork())
			run_keeper(v, own, node, ready[1]);
		_exit(0);
	}
	close(ready[1]);
	if (pid < 0)
		r = -errno;
	else if (read(ready[0], &r, sizeof(r)) != sizeof(r))
		r = -ECHILD;
	close(ready[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return r;
}
