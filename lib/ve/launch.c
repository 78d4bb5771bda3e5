/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/fs.h"
#include "base/num.h"
#include "base/run.h"
#include "sys/fdpass.h"
#include "sys/mnt.h"
#include "sys/ns.h"
#include "sys/seccomp.h"
#include "ve/balance.h"
#include "ve/ground.h"
#include "ve/init.h"
#include "ve/net.h"
#include "ve/reserve.h"
#include "ve/sockbuf.h"

/* One launch under way, in the process that will be init's parent. */
struct launch {
	struct vz_ve *ve;
	const struct vz_ctx *ctx;
	struct vz_launch *how;
	struct vz_ground g;
	struct vz_init init;
	struct vz_lxcfs lxcfs;
	struct vz_ugidview quota;
	struct vz_init_hello hello;
	int sock; /* to the child */
	int pidfd;
	pid_t pid;
};

/* A step of a launch. What it made is undone when a later one fails. */
struct step {
	const char *name;
	int (*run)(struct launch *l, struct vz_err *err);
	void (*undo)(struct launch *l);
};

static bool is_tool(const struct launch *l)
{
	return l->how->mode == VZ_LAUNCH_TOOL;
}

/* What stands before there is a process, and what process 1 is told of it. */
static int raise_ground(struct launch *l, struct vz_err *err)
{
	uint32_t flags =
		(is_tool(l) ? VZ_GROUND_TOOL : 0) | (l->how->force ? VZ_GROUND_FORCE : 0);
	int r = vz_ground_raise(l->ve, flags, &l->g, err);

	if (r)
		return r;
	l->g.state.reboots = l->how->reboots;
	l->init.veid = l->ve->id;
	l->init.tool = is_tool(l);
	l->init.privileged = l->g.fence.privileged;
	l->init.features = l->g.fence.features;
	l->init.caps = l->g.fence.caps;
	l->init.seccomp = l->g.fence.seccomp;
	l->init.dev = &l->g.fence.dev;
	l->init.hostname = vz_cfg_str(l->ve->cfg, VZ_P_HOSTNAME);
	l->init.groups = l->g.groups;
	l->init.counters = l->g.counters;
	l->init.max_ptys = vz_count_kernel_limit(l->ve, VZ_UBC_NUMPTY);
	l->init.max_shm = vz_count_kernel_limit(l->ve, VZ_UBC_SHMPAGES);
	return 0;
}

static void drop_ground(struct launch *l)
{
	vz_ground_drop(&l->g);
}

static void close_root(struct launch *l)
{
	if (l->init.root >= 0)
		close(l->init.root);
	l->init.root = -1;
}

/* The VE's tree as mounted on the host, with what scripts mounted below it. */
static int clone_root(struct launch *l, struct vz_err *err)
{
	const char *root = vz_ve_root(l->ve, err);
	int fd, r;

	if (!root)
		return -EINVAL;
	fd = vz_mnt_clone(AT_FDCWD, root, true);
	if (fd < 0)
		return vz_err_set(err, VZ_E_MOUNT, -fd, "can't use %s as the VE's root",
				  root);
	l->init.root = fd;
	r = vz_mnt_set_private(fd);
	if (r)
		close_root(l);
	return r ? vz_err_set(err, VZ_E_MOUNT, -r, "can't make %s private", root) : 0;
}

static int stage_binds(struct launch *l, struct vz_err *err)
{
	return vz_binds_stage(l->ve, &l->init.bind, &l->init.n_binds, err);
}

static void unstage_binds(struct launch *l)
{
	vz_binds_unstage(l->init.bind, l->init.n_binds);
	l->init.bind = NULL;
	l->init.n_binds = 0;
}

/* Scripts of a VE that does not run have no use for it. */
static int stage_lxcfs(struct launch *l, struct vz_err *err)
{
	if (!is_tool(l))
		vz_lxcfs_stage(l->ve, l->g.fence.features, &l->lxcfs);
	return 0;
}

static void drop_lxcfs(struct launch *l)
{
	vz_lxcfs_done(&l->lxcfs);
}

/* No file of an overlay leaves the project by which its space is counted. */
static void keep_projects(struct launch *l)
{
	struct statfs st;

	if (fstatfs(l->init.root, &st) || st.f_type != OVERLAYFS_SUPER_MAGIC)
		return;
	l->init.seccomp |= VZ_SECCOMP_OVERLAY;
	l->g.state.seccomp |= VZ_SECCOMP_OVERLAY;
}

/* What its users may have is kept either way; seeing and setting it in the VE … */
static int stage_quota(struct launch *l, struct vz_err *err)
{
	struct vz_err why = { 0 };

	keep_projects(l);
	if (is_tool(l) || !vz_cfg_u64(l->ve->cfg, VZ_P_QUOTAUGIDLIMIT))
		return 0;
	if (vz_ugidview_stage(l->ve, &l->quota, &why)) {
		vz_warn(l->ctx, "%s", why.text);
		return 0;
	}
	/* … takes somebody who does the calls that the kernel refuses it. */
	l->init.seccomp |= VZ_SECCOMP_QUOTA;
	l->g.state.seccomp |= VZ_SECCOMP_QUOTA;
	return 0;
}

static void drop_quota(struct launch *l)
{
	vz_ugidview_done(&l->quota);
}

#define NAMESPACES                                                                       \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC)

/* In the child: nothing but the talk with the launcher is of use to it. */
static _Noreturn void child(struct launch *l, int sock, int other)
{
	close(other);
	l->init.sock = sock;
	vz_init_main(&l->init);
}

static void kill_child(struct launch *l)
{
	if (l->sock >= 0)
		close(l->sock);
	l->sock = -1;
	if (l->pidfd < 0)
		return;
	syscall(SYS_pidfd_send_signal, l->pidfd, SIGKILL, NULL, 0);
	vz_run_wait(l->pidfd, 0);
	close(l->pidfd);
	l->pidfd = -1;
}

static int clone_child(struct launch *l, struct vz_err *err)
{
	uint64_t flags = NAMESPACES | (l->g.fence.privileged ? 0 : CLONE_NEWUSER);
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make a socket");
	l->pid = l->g.fence.privileged
			 ? vz_ns_clone(flags, l->init.groups.v2_dir, &l->pidfd)
			 : vz_ns_clone_owned(
				   flags, l->init.groups.v2_dir, l->g.fence.uid,
				   vz_cfg_limit(l->ve->cfg, VZ_P_NUMSIGINFO).limit,
				   &l->pidfd);
	if (!l->pid)
		child(l, sock[1], sock[0]);
	close(sock[1]);
	l->sock = sock[0];
	if (l->pid > 0)
		return 0;
	kill_child(l);
	return vz_err_set(err, VZ_E_KERNEL, -l->pid,
			  "can't make the VE's namespaces (see "
			  "/proc/sys/user/max_*_namespaces)");
}

static int map_ids(struct launch *l, struct vz_err *err)
{
	char word = VZ_INIT_MAPPED;
	int r = 0;

	if (!l->g.fence.privileged)
		r = vz_ns_write_maps(l->pid, l->g.fence.uid, l->g.fence.gid, VZ_ID_RANGE);
	if (!r && send(l->sock, &word, 1, MSG_NOSIGNAL) != 1)
		r = -errno;
	/* EPIPE: the child has failed and says why, see await_child(). */
	if (r && r != -EPIPE)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't map the VE's ids");
	return 0;
}

/* What the child enters when it has built its view. It may have failed, and says so. */
static int send_groups(struct launch *l, const struct vz_cg_entry *e)
{
	struct vz_init_groups groups = { 0 };
	int fds[VZ_CG__COUNT], r;

	for (int c = 0; c < VZ_CG__COUNT; c++)
		if (e->fd[c] >= 0)
			fds[groups.n++] = e->fd[c];
	r = vz_fdpass_send(l->sock, &groups, sizeof(groups), fds, groups.n);
	return r == -EPIPE ? 0 : r;
}

/* While the child builds. */
static int finish_fence(struct launch *l, struct vz_err *err)
{
	struct vz_cg_entry e;
	int r = vz_fence_finish(&l->g.fence, err);

	if (!r)
		r = vz_cg_entry_open(&l->g.fence.cg, VZ_CG_REST, &e, err);
	if (r)
		return r;
	r = send_groups(l, &e);
	vz_cg_entry_close(&e);
	vz_count_attach(l->ve, l->init.groups.v2_dir, &l->g.count);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r,
			      "can't give the VE's groups to its process 1")
		 : 0;
}

/* All its groups are there: let everyone have what he was promised. */
static int balance(struct launch *l, struct vz_err *err)
{
	return vz_balance(l->ctx, &l->g.fence.host, l->ve->cfg, NULL, err);
}

/* Scripts of a VE that does not run do without: its addresses may be elsewhere. */
static int make_net(struct launch *l, struct vz_err *err)
{
	vz_sockbuf_begin(l->ve, l->pidfd);
	return is_tool(l) ? 0 : vz_net_up(l->ve, l->pid, err);
}

static void drop_net(struct launch *l)
{
	vz_net_down(l->ve, NULL);
}

/*
 * What the administrator's shell limits is none of the VE's limits: it gets
 * what a machine's init has, as far as this process may give it.
 */
static void set_rlimits(struct launch *l)
{
	uint64_t locked = vz_cfg_limit(l->ve->cfg, VZ_P_LOCKEDPAGES).limit;
	const struct {
		int resource;
		rlim_t soft, hard;
	} wish[] = {
		{ RLIMIT_NOFILE, 1024, 524288 },
		{ RLIMIT_CORE, 0, RLIM_INFINITY },
		{ RLIMIT_STACK, 8 << 20, RLIM_INFINITY },
		{ RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY },
		{ RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY },
		{ RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY },
		{ RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY },
		/* The last: without a limit a machine's init has the kernel's default. */
		{ RLIMIT_MEMLOCK, locked * 4096, locked * 4096 },
	};
	size_t n = VZ_ARRAY_SIZE(wish) - (locked >= VZ_UNLIMITED / 4096);

	for (size_t i = 0; i < n; i++) {
		struct rlimit old, new = { wish[i].soft, wish[i].hard };

		if (!prlimit(l->pid, wish[i].resource, &new, &old))
			continue;
		/* Without CAP_SYS_RESOURCE: up to the hard limit that there is. */
		getrlimit(wish[i].resource, &old);
		new.rlim_max = old.rlim_max;
		if (new.rlim_cur > new.rlim_max)
			new.rlim_cur = new.rlim_max;
		prlimit(l->pid, wish[i].resource, &new, NULL);
	}
}

/*
 * The caller's own is none of the VE's. Lower than 0 needs CAP_SYS_RESOURCE on
 * the node; without, all are killed by size alone.
 */
static void set_oom_score(struct launch *l)
{
	const struct vz_cfg *cfg = l->ve->cfg;
	uint64_t ram = sysconf(_SC_PHYS_PAGES), guaranteed = 0;
	char path[64], text[16];
	int score = 0;

	if (vz_cfg_has(cfg, VZ_P_OOMGUARPAGES))
		guaranteed = vz_cfg_limit(cfg, VZ_P_OOMGUARPAGES).barrier;
	score = guaranteed >= ram / 2 ? -500 : -(int)(guaranteed * 1000 / ram);
	snprintf(path, sizeof(path), "%s/%d/oom_score_adj", l->ctx->procdir, l->pid);
	snprintf(text, sizeof(text), "%d", score);
	if (vz_write_small(AT_FDCWD, path, text))
		vz_debug(l->ctx, "VE %u: can't set %s to %s", l->ve->id, path, text);
}

static int await_child(struct launch *l, struct vz_err *err)
{
	int fds[VZ_INIT_FDS];
	ssize_t n;

	/* As who its processes are: a node's root may lack CAP_SYS_RESOURCE. */
	if (!l->g.fence.privileged)
		vz_ns_act_as(l->g.fence.uid);
	set_rlimits(l);
	if (!l->g.fence.privileged)
		vz_ns_act_as(0);
	set_oom_score(l);
	n = vz_fdpass_recv(l->sock, &l->hello, sizeof(l->hello), fds, VZ_INIT_FDS);
	if (n < 0)
		return vz_err_set(err, VZ_E_SYSTEM, -n, "can't hear of the VE's init");
	if (n != sizeof(l->hello))
		return vz_err_set(err, VZ_E_SYSTEM, 0,
				  "the VE's process 1 was killed before it ran (out of "
				  "memory?)");
	if (l->hello.err.status) {
		*err = l->hello.err;
		return err->errnum ? -err->errnum : -EINVAL;
	}
	unstage_binds(l);
	drop_lxcfs(l);
	drop_quota(l);
	if (l->hello.lxcfs)
		vz_lxcfs_warn(l->ve, l->hello.lxcfs);
	vz_count_learn(l->ve, l->pid, &l->g.count);
	vz_acct_close(&l->g.count.acct);
	l->g.super.fd[VZ_SUPER_CONSOLE] = fds[VZ_INIT_FD_CONSOLE];
	l->g.super.fd[l->hello.notifies ? VZ_SUPER_NOTIFY : VZ_SUPER_READY] =
		fds[VZ_INIT_FD_READY];
	l->g.super.fd[VZ_SUPER_QUOTA] = fds[VZ_INIT_FD_QUOTA];
	return 0;
}

static int save_state(struct launch *l, struct vz_err *err)
{
	struct timespec now;
	int r = vz_state_identify(l->ctx, l->pid, &l->g.state);

	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't identify process %d",
				  l->pid);
	clock_gettime(CLOCK_BOOTTIME, &now);
	l->g.state.started = now.tv_sec;
	memcpy(l->g.state.init_name, l->hello.kind, sizeof(l->g.state.init_name));
	return vz_state_save(l->ctx, l->ve->id, &l->g.state, err);
}

static int configure(struct launch *l, struct vz_err *err)
{
	return l->how->configure ? l->how->configure(l->ve, err) : 0;
}

/* The socket closes when exec has worked, and only then without a word. */
static int run_init(struct launch *l, struct vz_err *err)
{
	struct vz_init_hello bye;
	char word = VZ_INIT_GO;
	ssize_t n;

	if (send(l->sock, &word, 1, MSG_NOSIGNAL) != 1)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "the VE's process 1 is gone");
	if (is_tool(l))
		return 0;
	n = vz_fdpass_recv(l->sock, &bye, sizeof(bye), NULL, 0);
	if (n == sizeof(bye)) {
		*err = bye.err;
		return -EINVAL;
	}
	if (n)
		return vz_err_set(err, VZ_E_SYSTEM, n < 0 ? -n : 0,
				  "can't hear of the VE's init");
	return 0;
}

static const struct step steps[] = {
	{ "ground", raise_ground, drop_ground },
	{ "root", clone_root, close_root },
	{ "bind mounts", stage_binds, unstage_binds },
	{ "lxcfs", stage_lxcfs, drop_lxcfs },
	{ "quotas of users", stage_quota, drop_quota },
	{ "process 1", clone_child, kill_child },
	{ "id maps", map_ids, NULL },
	{ "the rest of the groups", finish_fence, NULL },
	{ "shares", balance, NULL },
	{ "network", make_net, drop_net },
	{ "the VE's view", await_child, NULL },
	{ "state", save_state, NULL },
	{ "configuration inside", configure, NULL },
	{ "init", run_init, NULL },
};

static int run_steps(struct launch *l, struct vz_err *err)
{
	int r = 0;
	size_t i;

	for (i = 0; i < VZ_ARRAY_SIZE(steps) && !r; i++) {
		vz_debug(l->ctx, "start: %s", steps[i].name);
		r = steps[i].run(l, err);
	}
	if (!r)
		return 0;
	/* The one that failed has seen to itself. */
	for (i--; i--;)
		if (steps[i].undo)
			steps[i].undo(l);
	return r;
}

static void launch_init(struct launch *l, struct vz_ve *ve, struct vz_launch *how)
{
	*l = (struct launch){
		.ve = ve, .ctx = ve->ctx, .how = how, .sock = -1, .pidfd = -1
	};
	l->init.root = -1;
	l->init.lxcfs = &l->lxcfs;
	l->quota = VZ_UGIDVIEW_NONE;
	l->init.quota = &l->quota;
}

static int launch_tool(struct vz_ve *ve, struct vz_launch *how, struct vz_err *err)
{
	struct launch l;
	int r;

	launch_init(&l, ve, how);
	r = run_steps(&l, err);
	if (r)
		return r;
	how->tool_fd = l.sock;
	how->tool_pidfd = l.pidfd;
	close_root(&l);
	vz_ground_leave(&l.g);
	vz_super_done(&l.g.super);
	return 0;
}

/* What the process that becomes the supervisor works on. */
struct super_job {
	struct vz_ve *ve;
	struct vz_launch *how;
};

static int make_super(void *data, struct vz_super *ret, struct vz_super_word *word)
{
	struct super_job *j = data;
	struct launch l;
	int r;

	launch_init(&l, j->ve, j->how);
	r = run_steps(&l, &word->err);
	if (r)
		return r;
	word->tells_ready = l.hello.tells_ready;
	*ret = l.g.super;
	ret->pid = l.pid;
	ret->fd[VZ_SUPER_INIT] = l.pidfd;
	return 0;
}

static int launch_super(struct vz_ve *ve, struct vz_launch *how, struct vz_err *err)
{
	struct super_job j = { ve, how };
	const struct vz_super_job job = { .make = make_super,
					  .data = &j,
					  .lock_fd = how->lock_fd,
					  .wait = how->wait,
					  .status = VZ_E_SYSTEM,
					  .verb = "start" };

	return vz_super_begin(ve, &job, err);
}

int vz_launch(struct vz_ve *ve, struct vz_launch *launch, struct vz_err *err)
{
	launch->tool_fd = launch->tool_pidfd = -1;
	return launch->mode == VZ_LAUNCH_TOOL ? launch_tool(ve, launch, err)
					      : launch_super(ve, launch, err);
}

void vz_launch_end(struct vz_ve *ve, struct vz_launch *launch)
{
	if (launch->tool_fd >= 0)
		close(launch->tool_fd);
	if (launch->tool_pidfd >= 0) {
		syscall(SYS_pidfd_send_signal, launch->tool_pidfd, SIGKILL, NULL, 0);
		vz_run_wait(launch->tool_pidfd, 0);
		close(launch->tool_pidfd);
	}
	launch->tool_fd = launch->tool_pidfd = -1;
	vz_launch_cleanup(ve, NULL);
}

int vz_launch_cleanup(struct vz_ve *ve, struct vz_err *err)
{
	struct vz_fence fence;
	struct vz_state st;
	struct vz_reserve had;
	int r = vz_reserve_get(ve->ctx, ve->id, &had, err);

	if (!r)
		r = vz_fence_find(ve, had.pool, &fence, err);
	if (!r)
		vz_count_end(ve, &fence.cg);
	if (!r)
		r = vz_fence_drop(&fence, err);
	if (!r)
		r = vz_fence_release(&fence, err);
	if (!r)
		r = vz_net_down(ve, err);
	if (r)
		return r;
	/* With what it was started, which the configuration may not say any more. */
	if (!vz_state_load(ve->ctx, ve->id, &st, NULL))
		vz_state_release_ids(ve->ctx, ve->id, st.uid);
	vz_state_release_ids(ve->ctx, ve->id, fence.uid);
	vz_binds_sweep(ve);
	vz_state_remove(ve->ctx, ve->id);
	return 0;
}
