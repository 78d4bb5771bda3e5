/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/run.h"
#include "sys/criulog.h"
#include "sys/criustage.h"
#include "sys/fdpass.h"

#define PROBE_MS 30000
#define WAITING_MS 10000
#define ANSWER_MAX 65536
#define SOCK_NUMBER 3 /* of its end of the talk, in criu */
#define LOG_LEVEL 4

/* Fields of struct criu_opts in CRIU's rpc.proto. */
enum {
	OPT_IMAGES = 1,
	OPT_PID = 2,
	OPT_LEAVE_RUNNING = 3,
	OPT_EXT_UNIX_SK = 4,
	OPT_TCP_ESTABLISHED = 5,
	OPT_SHELL_JOB = 7,
	OPT_FILE_LOCKS = 8,
	OPT_LOG_LEVEL = 9,
	OPT_LOG_FILE = 10,
	OPT_PAGE_SERVER = 11,
	OPT_NOTIFY = 12,
	OPT_ROOT = 13,
	OPT_PARENT = 14,
	OPT_TRACK_MEM = 15,
	OPT_WORK = 17,
	OPT_LINK_REMAP = 18,
	OPT_MANAGE_CGROUPS = 24,
	OPT_CGROUP_ROOT = 25,
	OPT_RST_SIBLING = 26,
	OPT_INHERIT_FD = 27,
	OPT_CGROUPS_MODE = 34,
	OPT_GHOST_LIMIT = 35,
	OPT_IRMAP_SCAN = 36,
	OPT_EXTERNAL = 37,
	OPT_TIMEOUT = 45,
	OPT_LAZY_PAGES = 48,
	OPT_ORPHAN_PTS = 50,
	OPT_NETWORK_LOCK = 64,
};
#define CGROUPS_SOFT 3
#define LOCK_NFTABLES 2
#define LOCK_SKIP 3
#define SEIZE_S 30

/* The first whose network lock may be left to the caller. */
#define VERSION_LOCK_SKIP 40200

/* A criu under way. */
struct talk {
	int sock, pidfd;
	int64_t end; /* CLOCK_MONOTONIC ms */
	void (*waiting)(void *data); /* the call's, or NULL */
	void *data;
	char buf[ANSWER_MAX];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static bool has_sys_resource(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	return !syscall(SYS_capget, &head, caps) &&
	       caps[0].effective & 1u << CAP_SYS_RESOURCE;
}

/* What the process that becomes criu says before that. */
struct hello {
	int error;
	char failed[PATH_MAX]; /* what it is about */
	int images, work, ps; /* its numbers for these */
};

static _Noreturn void give_up(int out, int error, const char *what)
{
	struct hello h = { .error = error };

	snprintf(h.failed, sizeof(h.failed), "%s", what);
	vz_fdpass_send(out, &h, sizeof(h), NULL, 0);
	_exit(127);
}

/* It looks at its own descriptors by number: these must be there after execve(). */
static void open_dirs(const struct vz_criu_call *call, int out, struct hello *h)
{
	const char *failed;
	int r;

	h->images = fcntl(call->images, F_DUPFD, SOCK_NUMBER + 1);
	h->work = fcntl(call->work, F_DUPFD, SOCK_NUMBER + 1);
	if (call->op == VZ_CRIU_RESTORE) {
		r = vz_criustage_enter(call, &failed);
		if (r)
			give_up(out, -r, failed);
		/* By its own mounts, or it can't mount anything in there. */
		close(h->images);
		h->images = vz_criustage_images();
		if (call->work == call->images) {
			close(h->work);
			h->work = fcntl(h->images, F_DUPFD, SOCK_NUMBER + 1);
		}
	}
	if (h->images < 0 || h->work < 0)
		give_up(out, errno, "the directory of the images");
	h->ps = call->ps_fd ? fcntl(call->ps_fd, F_DUPFD, SOCK_NUMBER + 1) : 0;
	if (h->ps < 0)
		give_up(out, errno, "the way to the page server");
}

/*
 * The talk's socket is made here: criu takes whoever made it for whom it talks to, and
 * looks for descriptors there. Its own session: what interrupts vzctl at its terminal
 * must not kill criu half-way.
 */
static _Noreturn void become_criu(const struct vz_criu *criu,
				  const struct vz_criu_call *call, int out, char *shim,
				  char *owner)
{
	char number[] = { '0' + SOCK_NUMBER, 0 };
	char *argv[] = { "criu", "swrk", number, NULL };
	char *env[] = { "PATH=" VZ_RUN_PATH, "HOME=/", shim, owner, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), sock[2];
	int program = open(criu->path, O_RDONLY | O_CLOEXEC);
	struct hello h = { 0 };

	vz_reset_signals();
	setsid();
	if (null < 0 || program < 0 || chdir("/"))
		give_up(out, errno, criu->path);
	program = fcntl(program, F_DUPFD_CLOEXEC, SOCK_NUMBER + 1);
	out = fcntl(out, F_DUPFD_CLOEXEC, SOCK_NUMBER + 1);
	close_range(SOCK_NUMBER, ~0U, CLOSE_RANGE_CLOEXEC);
	if (call)
		open_dirs(call, out, &h);
	for (size_t i = 0; call && i < call->n_inherit; i++)
		fcntl(call->inherit[i].fd, F_SETFD, 0);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) ||
	    vz_fdpass_send(out, &h, sizeof(h), &sock[0], 1))
		give_up(out, errno, "a socket");
	if (dup2(sock[1], SOCK_NUMBER) < 0 || fcntl(SOCK_NUMBER, F_SETFD, 0))
		_exit(127);
	syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
	_exit(127);
}

static int start(const struct vz_ctx *ctx, const struct vz_criu *criu,
		 const struct vz_criu_call *call, struct talk *t, struct hello *ret)
{
	bool shimmed = call && call->owner && !has_sys_resource();
	vz_autofree char *shim =
		shimmed ? vz_strf("LD_PRELOAD=%s/vz-criu-shim.so", ctx->libexecdir)
			: NULL;
	char owner[32];
	int sock[2], r;
	ssize_t n;
	pid_t pid;

	snprintf(owner, sizeof(owner), "VZ_CRIU_OWNER=%u", call ? call->owner : 0);
	*ret = (struct hello){ .failed = "its process" };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -errno;
	pid = fork();
	if (!pid)
		become_criu(criu, call, sock[1], shim, owner);
	r = pid < 0 ? -errno : 0;
	close(sock[1]);
	if (!r) {
		t->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		n = vz_fdpass_recv(sock[0], ret, sizeof(*ret), &t->sock, 1);
		r = t->pidfd < 0 ? -errno : n != sizeof(*ret) ? -EPIPE : -ret->error;
	}
	close(sock[0]);
	return r;
}

static void talk_done(struct talk *t)
{
	int64_t left = t->end - now_ms();

	if (t->sock >= 0)
		close(t->sock);
	/* It ends when it has said its last word, or has nobody to say it to. */
	if (t->pidfd >= 0) {
		vz_run_wait(t->pidfd, left > 1000 ? left : 1000);
		close(t->pidfd);
	}
}

/*
 * The next word; *ret_fd is what came with it, or -1. Of a criu that was killed the
 * socket may stay open, in the processes that it was about to restore: it itself tells.
 */
static int hear(struct talk *t, struct vz_criu_answer *ret, int *ret_fd)
{
	struct pollfd p[] = { { .fd = t->sock, .events = POLLIN },
			      { .fd = t->pidfd, .events = POLLIN } };
	int64_t left;
	ssize_t n;
	int r;

	do {
		left = t->end - now_ms();
		r = poll(p, 2, left > WAITING_MS ? WAITING_MS : left > 0 ? (int)left : 0);
		if (!r && t->waiting)
			t->waiting(t->data);
	} while ((r < 0 && errno == EINTR) || (!r && left > WAITING_MS));
	if (r <= 0)
		return r ? -errno : -ETIMEDOUT;
	/* What it said before it ended may have come between the two looks. */
	if (!p[0].revents && !poll(p, 1, 0))
		return -EPIPE;
	n = vz_fdpass_recv(t->sock, t->buf, sizeof(t->buf), ret_fd, 1);
	if (n <= 0)
		return n ? (int)n : -EPIPE;
	return vz_criu_answer_read(t->buf, n, ret);
}

static int say(struct talk *t, const struct vz_str *b)
{
	if (b->failed)
		return -ENOMEM;
	return send(t->sock, b->s, b->len, MSG_NOSIGNAL) == (ssize_t)b->len ? 0 : -errno;
}

/* -- what there is -- */

static int ask(const struct vz_ctx *ctx, const struct vz_criu *criu,
	       enum vz_criu_req what, struct vz_criu_answer *ret)
{
	VZ_CLEANUP(talk_done)
	struct talk t = { .sock = -1, .pidfd = -1, .end = now_ms() + PROBE_MS };
	vz_autostr struct vz_str req = { 0 }, features = { 0 };
	struct hello hello;
	int fd = -1, r;

	vz_pb_num(&req, 1, what);
	vz_pb_num(&features, 1, 1);
	vz_pb_num(&features, 2, 1);
	if (what == VZ_CRIU_FEATURES && !features.failed)
		vz_pb_bytes(&req, 5, features.s, features.len);
	r = start(ctx, criu, NULL, &t, &hello);
	if (!r)
		r = say(&t, &req);
	if (!r)
		r = hear(&t, ret, &fd);
	if (fd >= 0)
		close(fd);
	return r;
}

static int find_program(const char *configured, char ret[PATH_MAX])
{
	const char *at = VZ_RUN_PATH;

	if (configured && *configured) {
		snprintf(ret, PATH_MAX, "%s", configured);
		return access(ret, X_OK) ? -errno : 0;
	}
	while (*at) {
		size_t n = strcspn(at, ":");

		snprintf(ret, PATH_MAX, "%.*s/criu", (int)n, at);
		if (!access(ret, X_OK))
			return 0;
		at += n + (at[n] == ':');
	}
	return -ENOENT;
}

int vz_criu_find(const struct vz_ctx *ctx, const char *configured, struct vz_criu *ret,
		 struct vz_err *err)
{
	struct vz_criu_answer version = { 0 }, features = { 0 };
	struct vz_criu c = { 0 };
	int r = find_program(configured, c.path);

	if (r && configured && *configured)
		return vz_err_set(err, VZ_E_KERNEL, -r, "CRIU=%s in vz.conf can't be run",
				  configured);
	if (r)
		return vz_err_set(err, VZ_E_KERNEL, 0,
				  "there is no criu, which checkpoints need: install the "
				  "package criu, or name one by CRIU= in vz.conf");
	r = ask(ctx, &c, VZ_CRIU_VERSION, &version);
	if (!r && !version.version)
		r = -EBADMSG;
	/* Optional: a kernel without them only copies more while the VE stands still. */
	if (!r && ask(ctx, &c, VZ_CRIU_FEATURES, &features))
		features = (struct vz_criu_answer){ 0 };
	if (r)
		return vz_err_set(err, VZ_E_KERNEL, -r, "%s does not say its version",
				  c.path);
	c.version = version.version;
	c.mem_track = features.mem_track;
	c.lazy_pages = features.lazy_pages;
	vz_debug(ctx, "%s: version %u", c.path, c.version);
	*ret = c;
	return 0;
}

/* -- a call -- */

static void add_page_server(int fd, struct vz_str *b)
{
	vz_autostr struct vz_str ps = { 0 };

	vz_pb_num(&ps, 4, fd);
	if (ps.failed)
		b->failed = true;
	else
		vz_pb_bytes(b, OPT_PAGE_SERVER, ps.s, ps.len);
}

static void add_lists(const struct vz_criu_call *c, struct vz_str *b)
{
	for (size_t i = 0; i < c->external.n; i++)
		vz_pb_text(b, OPT_EXTERNAL, c->external.v[i]);
	for (size_t i = 0; i < c->n_inherit; i++) {
		vz_autostr struct vz_str fd = { 0 };

		vz_pb_text(&fd, 1, c->inherit[i].key);
		vz_pb_num(&fd, 2, c->inherit[i].fd);
		if (fd.failed)
			b->failed = true;
		else
			vz_pb_bytes(b, OPT_INHERIT_FD, fd.s, fd.len);
	}
}

/* For all controllers: their group is one. */
static void add_cgroup_root(const struct vz_criu_call *c, struct vz_str *b)
{
	vz_autostr struct vz_str root = { 0 };
	vz_autofree char *path = vz_strf("/%s", c->cgroup);

	if (path)
		vz_pb_text(&root, 2, path);
	if (!path || root.failed)
		b->failed = true;
	else
		vz_pb_bytes(b, OPT_CGROUP_ROOT, root.s, root.len);
}

static void add_of_dump(const struct vz_criu_call *c, struct vz_str *b)
{
	/* On overlay a watched file has no handle: it is looked for, here. */
	static const char *const watched[] = { "/root", "/home", "/srv", "/opt",
					       "/tmp",	"/var",	 "/etc", "/usr" };

	vz_pb_num(b, OPT_PID, c->pid);
	/* Until all processes stand still, which the VE does meanwhile. */
	vz_pb_num(b, OPT_TIMEOUT, SEIZE_S);
	vz_pb_num(b, OPT_GHOST_LIMIT, VZ_CRIU_GHOST_MAX);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(watched); i++)
		vz_pb_text(b, OPT_IRMAP_SCAN, watched[i]);
	if (c->parent)
		vz_pb_text(b, OPT_PARENT, c->parent);
	if (c->track_mem)
		vz_pb_num(b, OPT_TRACK_MEM, 1);
	if (c->leave_running)
		vz_pb_num(b, OPT_LEAVE_RUNNING, 1);
}

static void add_options(const struct vz_criu *criu, const struct vz_criu_call *c,
			const struct hello *hello, struct vz_str *b)
{
	static const int always[] = { OPT_EXT_UNIX_SK, OPT_TCP_ESTABLISHED,
				      OPT_FILE_LOCKS,  OPT_LINK_REMAP,
				      OPT_NOTIFY,      OPT_MANAGE_CGROUPS,
				      OPT_ORPHAN_PTS };

	vz_pb_num(b, OPT_IMAGES, hello->images);
	vz_pb_num(b, OPT_WORK, hello->work);
	vz_pb_text(b, OPT_LOG_FILE, c->log);
	vz_pb_num(b, OPT_LOG_LEVEL, LOG_LEVEL);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(always); i++)
		vz_pb_num(b, always[i], 1);
	vz_pb_num(b, OPT_CGROUPS_MODE, CGROUPS_SOFT);
	vz_pb_num(b, OPT_NETWORK_LOCK,
		  criu->version >= VERSION_LOCK_SKIP ? LOCK_SKIP : LOCK_NFTABLES);
	if (c->op == VZ_CRIU_RESTORE) {
		vz_pb_text(b, OPT_ROOT, VZ_CRIU_STAGE "/root");
		vz_pb_num(b, OPT_RST_SIBLING, 1);
		if (c->cgroup)
			add_cgroup_root(c, b);
		/* The console is nobody's controlling terminal before somebody logs in. */
		vz_pb_num(b, OPT_SHELL_JOB, 1);
	} else {
		add_of_dump(c, b);
	}
	if (c->lazy_pages)
		vz_pb_num(b, OPT_LAZY_PAGES, 1);
	if (hello->ps)
		add_page_server(hello->ps, b);
	add_lists(c, b);
}

/* A stage: *ret is what the caller says of it. */
static int answer_notify(struct talk *t, const struct vz_criu_call *c,
			 const struct vz_criu_answer *a, int fd, int *ret,
			 struct vz_err *err)
{
	vz_autostr struct vz_str b = { 0 };

	*ret = c->notify ? c->notify(c->data, a->notify, a->pid, &fd, err) : 0;
	if (fd >= 0)
		close(fd);
	vz_pb_num(&b, 1, VZ_CRIU_NOTIFY);
	vz_pb_num(&b, 3, !*ret);
	return say(t, &b);
}

static int converse(struct talk *t, struct vz_criu_call *c, struct vz_criu_answer *a,
		    struct vz_err *err)
{
	int said = 0, r;

	for (;;) {
		struct vz_err why = { 0 };
		int fd = -1, now = 0;

		r = hear(t, a, &fd);
		if (r || a->type != VZ_CRIU_NOTIFY) {
			if (fd >= 0)
				close(fd);
			return said ? said : r;
		}
		r = answer_notify(t, c, a, fd, &now, &why);
		if (now && !said) {
			said = now;
			*err = why;
		}
		if (r)
			return said ? said : r;
	}
}

static const char *verb(enum vz_criu_req op)
{
	return op == VZ_CRIU_RESTORE ? "restore" : "dump";
}

static int explain(const struct vz_criu_call *c, const struct vz_criu_answer *a, int r,
		   struct vz_err *err)
{
	char why[512];

	if (r == -ETIMEDOUT)
		return vz_err_set(err, c->fails_with, ETIMEDOUT,
				  "criu did not %s the VE in %d s and was ended",
				  verb(c->op), c->timeout_ms / 1000);
	if (r == -EPIPE) {
		vz_err_set(err, c->fails_with, 0,
			   "criu was killed, or crashed, as it was to %s the VE",
			   verb(c->op));
		return r;
	}
	if (!vz_criulog_explain(c->work, c->log, c->op == VZ_CRIU_RESTORE, why,
				sizeof(why)))
		return vz_err_set(err, c->fails_with, 0, "can't %s the VE: %s",
				  verb(c->op), why);
	return vz_err_set(err, c->fails_with, r < 0 ? -r : a->errnum,
			  "criu can't %s the VE, and its log %s does not say why",
			  verb(c->op), c->log);
}

int vz_criu_run(const struct vz_ctx *ctx, const struct vz_criu *criu,
		struct vz_criu_call *c, struct vz_err *err)
{
	VZ_CLEANUP(talk_done)
	struct talk t = { .sock = -1,
			  .pidfd = -1,
			  .end = now_ms() + c->timeout_ms,
			  .waiting = c->waiting,
			  .data = c->data };
	vz_autostr struct vz_str opts = { 0 }, req = { 0 };
	struct vz_criu_answer a = { 0 };
	struct vz_err why = { 0 };
	struct hello hello;
	int r = start(ctx, criu, c, &t, &hello);

	if (r)
		return vz_err_set(err, c->fails_with, -r, "can't give criu %s",
				  hello.failed);
	add_options(criu, c, &hello, &opts);
	vz_pb_num(&req, 1, c->op);
	if (!opts.failed)
		vz_pb_bytes(&req, 2, opts.s, opts.len);
	req.failed |= opts.failed;
	r = say(&t, &req);
	if (r)
		return vz_err_set(err, c->fails_with, -r, "can't call %s", criu->path);
	r = converse(&t, c, &a, &why);
	if (!r && a.success) {
		c->ret_pid = a.pid;
		return 0;
	}
	if (why.status) {
		*err = why;
		return r ? r : -EINVAL;
	}
	return explain(c, &a, r, err);
}

int vz_criu_page_server(const struct vz_criu *criu, const char *dir, int sock,
			int *ret_pidfd)
{
	const char *const argv[] = {
		criu->path, "page-server", "--ps-socket",     "0", "-D", dir, "-W",
		dir,	    "-o",	   "page-server.log", NULL
	};
	const struct vz_run how = { .argv = argv, .fd = { sock, -1, -1 }, .tied = true };

	return vz_run_start(&how, ret_pidfd);
}
