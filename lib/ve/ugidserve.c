/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/ugidserve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/dqblk_xfs.h>
#include <linux/openat2.h>
#include <linux/quota.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/run.h"
#include "sys/seccomp.h"
#include "ve/state.h"
#include "ve/super.h"

#define GROUPS_MAX 256 /* more than NFS knows; the kernel's own limit is 65536 */
#define PATH_READ 256 /* of a device's name */
#define COUNT_MS 1000 /* how long a count of those with limits is believed */
#define PACE_MS 1000
#define PACE_CPU_MS 500 /* in each PACE_MS */

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

int vz_ugidserver_init(const struct vz_ve *ve, struct vz_ugidserver *ret,
		       struct vz_err *err)
{
	struct vz_ugidserver s = { .ctx = ve->ctx, .ugid = VZ_UGID_NONE };
	const char *root = vz_ve_root(ve, err);
	struct stat at_root, ns;
	char path[PATH_MAX];
	struct vz_state st;
	int r = root ? vz_state_load(ve->ctx, ve->id, &st, err) : -EINVAL;

	if (!r)
		r = vz_ugid_open(ve, &s.ugid, err);
	if (r)
		return r;
	/* With what it was started, whatever the configuration says by now. */
	s.ugid.uid = st.uid;
	s.ugid.gid = st.gid;
	snprintf(path, sizeof(path), "%s/%d/ns/user", ve->ctx->procdir, st.init);
	if (stat(root, &at_root) || stat(path, &ns)) {
		r = vz_err_set(err, VZ_E_SYSTEM, errno, "can't look at VE %u", ve->id);
		vz_ugid_close(&s.ugid);
		return r;
	}
	s.root = at_root.st_dev;
	s.userns_dev = ns.st_dev;
	s.userns = ns.st_ino;
	s.limit = vz_cfg_u64(ve->cfg, VZ_P_QUOTAUGIDLIMIT);
	*ret = s;
	return 0;
}

void vz_ugidserver_done(struct vz_ugidserver *s)
{
	vz_ugid_close(&s->ugid);
}

/* -- whether -- */

static bool asks_about_self(const struct vz_ugidcall *call,
			    const struct vz_ugidcaller *who, const struct vz_ugid *u)
{
	if (call->type == USRQUOTA)
		return who->uid == u->uid + call->id;
	if (who->gid == u->gid + call->id)
		return true;
	for (size_t i = 0; i < who->n_groups; i++)
		if (who->groups[i] == u->gid + call->id)
			return true;
	return false;
}

/* Those about one id; in the VE's own range. */
static int judge_id(const struct vz_ugidcall *call, const struct vz_ugidcaller *who,
		    const struct vz_ugid *u)
{
	switch (call->sub) {
	case Q_GETNEXTQUOTA:
	case Q_XGETNEXTQUOTA:
		if (!who->admin)
			return -EPERM;
		return call->id < VZ_ID_RANGE ? VZ_UGID_DO : -ENOENT;
	case Q_GETQUOTA:
	case Q_XGETQUOTA:
		if (call->id >= VZ_ID_RANGE)
			return -EINVAL;
		return who->admin || asks_about_self(call, who, u) ? VZ_UGID_DO : -EPERM;
	case Q_SETQUOTA:
	case Q_XSETQLIM:
		if (!who->admin)
			return -EPERM;
		return call->id < VZ_ID_RANGE ? VZ_UGID_DO : -EINVAL;
	default:
		return -EINVAL;
	}
}

int vz_ugidserver_judge(const struct vz_ugidcall *call, const struct vz_ugidcaller *who,
			const struct vz_ugid *u)
{
	/* A VE of projects' own would get round its first-level quota. */
	if (call->type > GRPQUOTA)
		return call->type == PRJQUOTA ? -EPERM : -EINVAL;
	if (!who->in_ve)
		return -EPERM;
	switch (call->sub) {
	case Q_SYNC:
	case Q_XQUOTASYNC:
		return 0; /* the host's whole file system: not for a VE to write out */
	case Q_QUOTAON:
	case Q_QUOTAOFF:
	case Q_XQUOTAON:
	case Q_XQUOTAOFF:
	case Q_XQUOTARM:
		return who->admin ? -EBUSY : -EPERM;
	case Q_SETINFO:
		return -EPERM; /* grace times are those of all that use the file system */
	case Q_GETFMT:
	case Q_GETINFO:
	case Q_XGETQSTAT:
	case Q_XGETQSTATV:
		return VZ_UGID_DO;
	default:
		return judge_id(call, who, u);
	}
}

/* -- who -- */

struct request {
	struct vz_ugidserver *s;
	int listener;
	uint64_t cookie;
	int proc; /* the caller's directory in /proc */
	int mem; /* its memory */
	struct vz_ugidcall call;
	uint64_t at; /* of its structure, in its memory */
};

/* Whether it still waits for the answer. */
static int still_there(const struct request *q)
{
	uint64_t cookie = q->cookie;

	return ioctl(q->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &cookie) ? -ESRCH : 0;
}

/*
 * Its number is looked up here and nowhere else: what is open while the call is
 * still under way is the caller's, and never becomes that of a process of the node
 * which is given the number later.
 */
static int open_caller(struct request *q, pid_t pid)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d", q->s->ctx->procdir, pid);
	q->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	q->mem = q->proc < 0 ? -1 : openat(q->proc, "mem", O_RDWR | O_CLOEXEC);
	return q->mem < 0 ? -ESRCH : still_there(q);
}

static void close_caller(struct request *q)
{
	if (q->mem >= 0)
		close(q->mem);
	if (q->proc >= 0)
		close(q->proc);
}

struct credentials {
	struct vz_ugidcaller who;
	uint32_t groups[GROUPS_MAX];
};

static void read_groups(char *s, struct credentials *c)
{
	char *end;

	while (c->who.n_groups < GROUPS_MAX) {
		unsigned long v = strtoul(s, &end, 10);

		if (end == s)
			return;
		c->groups[c->who.n_groups++] = v;
		s = end;
	}
}

static FILE *open_status(int proc)
{
	int fd = openat(proc, "status", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !f)
		close(fd);
	return f;
}

static int read_caller(const struct request *q, struct credentials *c)
{
	const struct vz_ugidserver *s = q->s;
	vz_autofile FILE *f = open_status(q->proc);
	vz_autofree char *line = NULL;
	uint64_t caps = 0;
	size_t size = 0;
	struct stat ns;

	*c = (struct credentials){ .who.uid = UINT32_MAX, .who.gid = UINT32_MAX };
	c->who.groups = c->groups;
	if (!f)
		return -ESRCH;
	while (getline(&line, &size, f) > 0) {
		sscanf(line, "Uid: %*u %" SCNu32, &c->who.uid);
		sscanf(line, "Gid: %*u %" SCNu32, &c->who.gid);
		sscanf(line, "CapEff: %" SCNx64, &caps);
		if (!strncmp(line, "Groups:", 7))
			read_groups(line + 7, c);
	}
	c->who.in_ve = !fstatat(q->proc, "ns/user", &ns, 0) && ns.st_ino == s->userns &&
		       ns.st_dev == s->userns_dev;
	c->who.admin = c->who.in_ve && caps & UINT64_C(1) << CAP_SYS_ADMIN;
	return 0;
}

/* -- about what -- */

static int read_memory(const struct request *q, uint64_t at, void *buf, size_t n)
{
	return pread(q->mem, buf, n, at) == (ssize_t)n ? 0 : -EFAULT;
}

static int answer(const struct request *q, const void *buf, size_t n)
{
	return pwrite(q->mem, buf, n, q->at) == (ssize_t)n ? 0 : -EFAULT;
}

/* Up to its end or a page's, then on: what comes after may not be there. */
static int read_path(const struct request *q, uint64_t at, char path[PATH_READ])
{
	size_t first = 4096 - at % 4096;

	if (first > PATH_READ)
		first = PATH_READ;
	if (read_memory(q, at, path, first))
		return -EFAULT;
	if (memchr(path, 0, first))
		return 0;
	if (first < PATH_READ &&
	    read_memory(q, at + first, path + first, PATH_READ - first))
		return -EFAULT;
	return memchr(path, 0, PATH_READ) ? 0 : -ENAMETOOLONG;
}

static bool is_ours(const struct vz_ugidserver *s, dev_t dev)
{
	return dev == s->root || dev == s->ugid.fs.dev;
}

/* The device that quotactl(2) names, as the VE sees it: nothing is opened of it. */
static int check_device(const struct request *q, uint64_t at)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	vz_autofd int root = -1, fd = -1;
	char name[PATH_READ];
	struct stat st;
	int r = read_path(q, at, name);

	if (r)
		return r;
	root = openat(q->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -ESRCH;
	/* A VE's programs say where it is from the root on. */
	fd = *name == '/' ? syscall(SYS_openat2, root, name, &how, sizeof(how)) : -1;
	if (fd < 0)
		return *name == '/' ? -errno : -ENOTBLK;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	return is_ours(q->s, st.st_rdev) ? 0 : -ENODEV;
}

static int check_file(const struct request *q, int fd)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "fd/%d", fd);
	if (fstatat(q->proc, path, &st, 0))
		return -EBADF;
	return is_ours(q->s, st.st_dev) ? 0 : -ENODEV;
}

/* -- to do it -- */

static int do_host(const struct request *q, void *arg)
{
	return vz_quota_call(&q->s->ugid.fs, q->call.sub, q->call.type,
			     vz_ugid_host(&q->s->ugid, q->call.type, q->call.id), arg);
}

static int get_info(const struct request *q)
{
	union {
		uint32_t format;
		struct if_dqinfo info;
		struct fs_quota_stat stat;
		struct fs_quota_statv statv;
	} u = { 0 };
	size_t n = q->call.sub == Q_GETFMT	? sizeof(u.format)
		   : q->call.sub == Q_GETINFO	? sizeof(u.info)
		   : q->call.sub == Q_XGETQSTAT ? sizeof(u.stat)
						: sizeof(u.statv);
	int r;

	if (q->call.sub == Q_XGETQSTATV) {
		r = read_memory(q, q->at, &u.statv.qs_version,
				sizeof(u.statv.qs_version));
		if (r)
			return r;
	}
	if (q->call.sub == Q_GETFMT) {
		/* Also where the file system is xfs, whose VEs talk as ext4's do. */
		u.format = QFMT_VFS_V1;
	} else {
		r = vz_quota_call(&q->s->ugid.fs, q->call.sub, q->call.type, 0, &u);
		if (r)
			return r;
	}
	return answer(q, &u, n);
}

static int get_one(const struct request *q)
{
	struct if_dqblk d = { 0 };
	int r = do_host(q, &d);

	/* xfs has nothing about it yet: to the tools that is an error, zeros are not. */
	if (r == -ENOENT) {
		d = (struct if_dqblk){ .dqb_valid = QIF_ALL };
		r = 0;
	}
	return r ? r : answer(q, &d, sizeof(d));
}

static int get_next(const struct request *q)
{
	struct if_nextdqblk d = { 0 };
	uint32_t first = vz_ugid_host(&q->s->ugid, q->call.type, 0);
	int r = do_host(q, &d);

	if (r)
		return r;
	if (d.dqb_id < first || d.dqb_id - first >= VZ_ID_RANGE)
		return -ENOENT;
	d.dqb_id -= first;
	return answer(q, &d, sizeof(d));
}

static int get_xfs(const struct request *q)
{
	struct fs_disk_quota d = { 0 };
	uint32_t first = vz_ugid_host(&q->s->ugid, q->call.type, 0);
	int r = do_host(q, &d);

	if (r)
		return r;
	if (d.d_id < first || d.d_id - first >= VZ_ID_RANGE)
		return -ENOENT;
	d.d_id -= first;
	return answer(q, &d, sizeof(d));
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The node, and the servers of what was brought into the VE, set some as well. */
static void count_again(struct vz_ugidserver *s)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);

	if (now - s->counted_at < COUNT_MS)
		return;
	vz_ugid_count(&s->ugid, &s->used);
	s->counted_at = now;
}

/* Not more ids with limits than QUOTAUGIDLIMIT. */
static int set_and_count(const struct request *q, void *arg)
{
	struct vz_ugidserver *s = q->s;
	struct vz_quota was = { 0 }, is = { 0 };
	int r;

	count_again(s);
	r = vz_ugid_get(&s->ugid, q->call.type, q->call.id, &was);
	if (!r && !vz_ugid_limited(&was) && s->used >= s->limit)
		return -ENOSPC;
	if (!r)
		r = do_host(q, arg);
	if (!r)
		r = vz_ugid_get(&s->ugid, q->call.type, q->call.id, &is);
	if (!r)
		s->used += vz_ugid_limited(&is) - vz_ugid_limited(&was);
	return r;
}

static int set_one(const struct request *q)
{
	struct if_dqblk d = { 0 };
	int r = read_memory(q, q->at, &d, sizeof(d));

	if (!r)
		r = still_there(q);
	if (r)
		return r;
	d.dqb_valid &= QIF_LIMITS | QIF_TIMES; /* what is used, nobody sets */
	return set_and_count(q, &d);
}

static int set_xfs(const struct request *q)
{
	struct fs_disk_quota d = { 0 };
	int r = read_memory(q, q->at, &d, sizeof(d));

	if (!r)
		r = still_there(q);
	if (r)
		return r;
	/* How xfs is told the grace times of all. */
	if (!q->call.id && d.d_fieldmask & FS_DQ_TIMER_MASK)
		return -EPERM;
	d.d_id = vz_ugid_host(&q->s->ugid, q->call.type, q->call.id);
	d.d_flags = q->call.type == USRQUOTA ? FS_USER_QUOTA : FS_GROUP_QUOTA;
	d.d_fieldmask &= FS_DQ_LIMIT_MASK | FS_DQ_TIMER_MASK;
	return set_and_count(q, &d);
}

static int do_call(const struct request *q)
{
	switch (q->call.sub) {
	case Q_GETQUOTA:
		return get_one(q);
	case Q_GETNEXTQUOTA:
		return get_next(q);
	case Q_XGETQUOTA:
	case Q_XGETNEXTQUOTA:
		return get_xfs(q);
	case Q_SETQUOTA:
		return set_one(q);
	case Q_XSETQLIM:
		return set_xfs(q);
	default:
		return get_info(q);
	}
}

static int judge(const struct request *q, bool by_fd, uint64_t where)
{
	struct credentials caller;
	int r = read_caller(q, &caller);

	if (!r)
		r = vz_ugidserver_judge(&q->call, &caller.who, &q->s->ugid);
	if (r != VZ_UGID_DO)
		return r;
	r = by_fd ? check_file(q, where) : check_device(q, where);
	return r ? r : do_call(q);
}

static int serve(struct vz_ugidserver *s, int listener, const struct seccomp_notif *n)
{
	const bool by_fd = n->data.nr == SYS_quotactl_fd;
	const uint32_t cmd = n->data.args[by_fd];
	struct request q = {
		.s = s,
		.listener = listener,
		.cookie = n->id,
		.proc = -1,
		.mem = -1,
		.call = { cmd >> SUBCMDSHIFT, cmd & SUBCMDMASK, n->data.args[2] },
		.at = n->data.args[3],
	};
	int r;

	if (n->data.arch != vz_seccomp_arch() || !n->pid)
		return -ENOSYS;
	r = open_caller(&q, n->pid);
	if (!r)
		r = judge(&q, by_fd, n->data.args[!by_fd]);
	close_caller(&q);
	return r;
}

/* One call. -errno: there will be no more. */
static int serve_next(struct vz_ugidserver *s, int listener)
{
	/* Larger than any kernel's, so that it need not be asked how large. */
	union {
		struct seccomp_notif n;
		char room[512];
	} in;
	union {
		struct seccomp_notif_resp r;
		char room[512];
	} out;

	memset(&in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &in))
		return errno == ENOENT || errno == EINTR ? 0 : -errno;
	out.r.id = in.n.id;
	out.r.error = serve(s, listener, &in.n);
	/* ENOENT: it was killed, or hit by a signal, meanwhile. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &out) && errno != ENOENT)
		return -errno;
	return 0;
}

/*
 * What is done here is on the node's account, not the VE's: one that calls all the time
 * has to wait, and gets half of a CPU.
 */
static void keep_pace(struct vz_ugidserver *s)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	int64_t used = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
	int64_t left = s->pace_at + PACE_MS - now;
	struct timespec nap = { .tv_nsec = left % 1000 * 1000000 };

	if (left <= 0) {
		s->pace_at = now;
		s->pace_used = used;
	} else if (used - s->pace_used >= PACE_CPU_MS) {
		nanosleep(&nap, NULL);
	}
}

int vz_ugidserver_run(struct vz_ugidserver *s, int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int r = 0;

	while (!r) {
		keep_pace(s);
		if (poll(&p, 1, -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (p.revents & POLLIN)
			r = serve_next(s, listener);
		else if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
			break;
	}
	return r;
}

/*
 * It stays as long as what was brought into the VE, and shall not be in the way of the
 * session, the service or the directory from which that was done, nor end with them.
 */
static void leave_caller(const struct vz_ctx *ctx, uint32_t veid)
{
	vz_autove struct vz_ve ve = { 0 };

	for (int i = 0; i < 3; i++)
		if (open("/dev/null", O_RDWR) < 0)
			_exit(1);
	if (chdir("/"))
		_exit(1);
	if (!vz_ve_open(ctx, veid, &ve, NULL))
		vz_super_join(&ve);
}

void vz_ugidserver_watch(const struct vz_ctx *ctx, uint32_t veid, int listener)
{
	struct pollfd p = { .fd = 3, .events = POLLIN };
	char veid_text[16], program[PATH_MAX];
	char *argv[] = { "vzugid", veid_text, NULL };

	if (!vz_detach(listener)) {
		close(listener);
		return;
	}
	snprintf(veid_text, sizeof(veid_text), "%u", veid);
	snprintf(program, sizeof(program), "%s/vzugid", ctx->libexecdir);
	if (dup2(listener, 3) < 0)
		_exit(1);
	if (listener != 3)
		close(listener);
	leave_caller(ctx, veid);
	fcntl(3, F_SETFD, 0);
	/* vzctl holds back what is meant for its program. */
	vz_reset_signals();
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	if (p.revents & POLLIN)
		execve(program, argv, environ);
	_exit(1);
}
