/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/fs.h"
#include "base/run.h"
#include "sys/criu.h"
#include "sys/criulock.h"
#include "sys/criutimer.h"
#include "ve/balance.h"
#include "ve/dump.h"
#include "ve/dumpcount.h"
#include "ve/dumpdir.h"
#include "ve/dumpgroups.h"
#include "ve/dumplinks.h"
#include "ve/dumpmounts.h"
#include "ve/freeze.h"
#include "ve/ground.h"
#include "ve/lxcfs.h"
#include "ve/mount.h"
#include "ve/net.h"
#include "ve/sockbuf.h"

#define LOG_NAME "restore.log"
/* The first that is known to set timers that fire but once. */
#define CRIU_KEEPS_TIMERS 40200

/* A restore under way, in the process that will be init's parent. */
struct job {
	struct vz_ve *ve;
	const struct vz_restore *how;
	struct vz_ground g;
	struct vz_dump_meta meta;
	struct vz_criu criu;
	struct vz_criu_call call;
	struct vz_lxcfs lxcfs;
	bool has_lxcfs;
	int pidfd;
};

struct step {
	const char *name;
	int (*run)(struct job *j, struct vz_err *err);
	void (*undo)(struct job *j);
};

static int find_criu(struct job *j, struct vz_err *err)
{
	return vz_criu_find(j->ve->ctx, vz_cfg_str(j->ve->cfg, VZ_P_CRIU), &j->criu, err);
}

static int read_meta(struct job *j, struct vz_err *err)
{
	const struct vz_cfg *cfg = j->ve->cfg;
	int r = vz_dump_meta_load(j->how->dir, &j->meta, err);

	if (r)
		return r;
	if (j->meta.uid != vz_cfg_u64(cfg, VZ_P_LOCAL_UID) ||
	    j->meta.gid != vz_cfg_u64(cfg, VZ_P_LOCAL_GID))
		return vz_err_set(err, VZ_E_RESTORE, 0,
				  "the dump is of a VE with the ids from %u on: set "
				  "LOCAL_UID=\"%u\" and LOCAL_GID=\"%u\", or start it "
				  "without the dump",
				  j->meta.uid, j->meta.uid, j->meta.gid);
	/* Its images may say what an older one does not know. */
	if (j->meta.criu > j->criu.version)
		return vz_err_set(err, VZ_E_RESTORE, 0,
				  "the dump is by criu %u.%u, and %s is older: install a "
				  "newer one",
				  j->meta.criu / 10000, j->meta.criu / 100 % 100,
				  j->criu.path);
	return 0;
}

static int raise_ground(struct job *j, struct vz_err *err)
{
	int r = vz_ground_raise(j->ve, j->how->force ? VZ_GROUND_FORCE : 0, &j->g, err);

	if (r)
		return r;
	/* As it was: its processes have these, whatever the configuration says now. */
	j->g.state.caps = j->meta.caps;
	j->g.state.seccomp = j->meta.seccomp;
	snprintf(j->g.state.init_name, sizeof(j->g.state.init_name), "%s",
		 j->meta.init_name);
	return 0;
}

static void drop_ground(struct job *j)
{
	vz_ground_drop(&j->g);
}

/* Before there is a process: CRIU moves each into the groups that it was in. */
static int make_groups(struct job *j, struct vz_err *err)
{
	int r = vz_fence_finish(&j->g.fence, err);

	if (!r)
		r = vz_dumpgroups_make(&j->g.fence.cg, j->how->dir, err);
	if (!r)
		vz_count_attach(j->ve, j->g.groups.v2_dir, &j->g.count);
	return r ? r : vz_balance(j->ve->ctx, &j->g.fence.host, j->ve->cfg, NULL, err);
}

static int find_mounts(struct job *j, struct vz_err *err)
{
	vz_lxcfs_stage(j->ve, j->g.fence.features, &j->lxcfs);
	return vz_dumpmounts_load(j->ve, j->how->dir, &j->call.external, &j->call.mounts,
				  &j->has_lxcfs, err);
}

static void forget_mounts(struct job *j)
{
	vz_lxcfs_done(&j->lxcfs);
	vz_criu_mounts_done(&j->call.mounts);
	vz_strv_done(&j->call.external);
}

static int make_links(struct job *j, struct vz_err *err)
{
	int r = vz_dumplinks_make(j->ve, j->how->dir, &j->call.external, err);

	if (r)
		vz_dumplinks_drop(j->ve, j->how->dir);
	return r;
}

static void drop_links(struct job *j)
{
	vz_dumplinks_drop(j->ve, j->how->dir);
}

static int at_stage(void *data, const char *stage, pid_t pid, int *fd, struct vz_err *err)
{
	struct job *j = data;
	int r;

	if (!strcmp(stage, "orphan-pts-master")) {
		if (j->g.super.fd[VZ_SUPER_CONSOLE] < 0)
			j->g.super.fd[VZ_SUPER_CONSOLE] = vz_take_fd(fd);
		return 0;
	}
	if (!strcmp(stage, "post-setup-namespaces"))
		return vz_dumpgroups_finish(&j->g.fence.cg, j->how->dir, err);
	if (strcmp(stage, "pre-resume"))
		return 0;
	/* When CRIU lets the processes go they still don't move: see restored(). */
	r = vz_freeze_begin(j->ve, j->g.fence.cg.name);
	return r && r != -EOPNOTSUPP
		       ? vz_err_set(err, VZ_E_RESTORE, -r, "can't freeze the VE")
		       : 0;
}

static int run_criu(struct job *j, struct vz_err *err)
{
	int r;

	j->call.op = VZ_CRIU_RESTORE;
	j->call.fails_with = VZ_E_RESTORE;
	j->call.images = j->call.work = j->how->dir;
	j->call.log = LOG_NAME;
	j->call.root = vz_ve_root(j->ve, err);
	/* Another node, or another pool. */
	if (strcmp(j->meta.cgroup, j->g.fence.cg.name))
		j->call.cgroup = j->g.fence.cg.name;
	j->call.lazy_pages = j->how->lazy_pages;
	j->call.timeout_ms = j->how->timeout_ms ? j->how->timeout_ms : vz_dump_timeout();
	j->call.notify = at_stage;
	j->call.data = j;
	r = j->criu.version < CRIU_KEEPS_TIMERS ? vz_criutimer_mend(j->how->dir) : 0;
	if (r)
		return vz_err_set(err, VZ_E_RESTORE, -r,
				  "can't change the dump's timers");
	r = j->call.root ? vz_dumpdir_lend(j->how->dir, j->meta.uid, err) : -EINVAL;
	if (!r)
		r = vz_criu_run(j->ve->ctx, &j->criu, &j->call, err);
	if (r)
		return r;
	j->pidfd = (int)syscall(SYS_pidfd_open, j->call.ret_pid, 0);
	return j->pidfd < 0 ? vz_err_set(err, VZ_E_RESTORE, errno,
					 "the VE's process 1 is gone at once")
			    : 0;
}

static void kill_init(struct job *j)
{
	syscall(SYS_pidfd_send_signal, j->pidfd, SIGKILL, NULL, 0);
	vz_run_wait(j->pidfd, 0);
	close(j->pidfd);
	j->pidfd = -1;
}

static int count(struct job *j, struct vz_err *err)
{
	vz_count_learn(j->ve, j->call.ret_pid, &j->g.count);
	vz_acct_close(&j->g.count.acct);
	return vz_dumpcount_load(j->ve, j->how->dir, j->g.groups.v2_dir, err);
}

static int save_state(struct job *j, struct vz_err *err)
{
	struct timespec now;
	int r = vz_state_identify(j->ve->ctx, j->call.ret_pid, &j->g.state);

	if (r)
		return vz_err_set(err, VZ_E_RESTORE, -r, "can't identify process %d",
				  j->call.ret_pid);
	clock_gettime(CLOCK_BOOTTIME, &now);
	j->g.state.started = now.tv_sec - j->meta.uptime;
	/* From then on it counts as running, and stands still: if we are killed it goes on. */
	r = vz_dumpdir_mark(j->ve, j->how->path ?: VZ_DUMPDIR_KEPT);
	if (r)
		return vz_err_set(err, VZ_E_RESTORE, -r, "can't write in RUNDIR");
	return vz_state_save(j->ve->ctx, j->ve->id, &j->g.state, err);
}

static int set_network(struct job *j, struct vz_err *err)
{
	int r = vz_criulock_clear(j->pidfd);

	if (r)
		return vz_err_set(err, VZ_E_RESTORE, -r,
				  "can't remove criu's lock of the VE's network");
	/* The sizes are those of the namespace that criu has made, thus the node's. */
	vz_sockbuf_begin(j->ve, j->pidfd);
	return j->how->network
		       ? j->how->network(j->how->data, j->ve, j->call.ret_pid, err)
		       : vz_net_up(j->ve, j->call.ret_pid, err);
}

static void drop_network(struct job *j)
{
	vz_net_down(j->ve, NULL);
}

/* The last that can fail: from here on the dump is the past. */
static int commit(struct job *j, struct vz_err *err)
{
	int r = j->how->leave_frozen ? vz_freeze_mark(j->ve, true) : 0;

	if (r)
		return vz_err_set(err, VZ_E_RESTORE, -r,
				  "can't note that the VE is "
				  "frozen");
	return j->how->restored ? j->how->restored(j->how->data, err) : 0;
}

static const struct step steps[] = {
	{ "criu", find_criu, NULL },
	{ "what the VE was", read_meta, NULL },
	{ "ground", raise_ground, drop_ground },
	{ "groups", make_groups, NULL },
	{ "mounts", find_mounts, forget_mounts },
	{ "links", make_links, drop_links },
	{ "processes", run_criu, kill_init },
	{ "counters", count, NULL },
	{ "state", save_state, NULL },
	{ "network", set_network, drop_network },
	{ "commit", commit, NULL },
};

static int run_steps(struct job *j, struct vz_err *err)
{
	int r = 0;
	size_t i;

	for (i = 0; i < VZ_ARRAY_SIZE(steps) && !r; i++) {
		vz_debug(j->ve->ctx, "restore: %s", steps[i].name);
		r = steps[i].run(j, err);
	}
	if (!r)
		return 0;
	for (i--; i--;)
		if (steps[i].undo)
			steps[i].undo(j);
	return r;
}

/* Nothing that fails now is worth the VE. */
static void go_on(struct job *j)
{
	struct vz_err err = { 0 };

	if (!j->how->leave_frozen && vz_freeze_groups(j->ve, false, &err))
		vz_warn(j->ve->ctx, "VE %u: %s", j->ve->id, err.text);
	vz_dumpdir_mark(j->ve, NULL);
	if (j->has_lxcfs && !j->how->leave_frozen && vz_lxcfs_mend(j->ve, &err))
		vz_warn(j->ve->ctx, "VE %u: %s", j->ve->id, err.text);
}

/* What the process that becomes the supervisor works on. */
struct super_job {
	struct vz_ve *ve;
	const struct vz_restore *how;
};

static int make_super(void *data, struct vz_super *ret, struct vz_super_word *word)
{
	struct super_job *s = data;
	struct job j = { .ve = s->ve, .how = s->how, .pidfd = -1 };
	int r = run_steps(&j, &word->err);

	if (r)
		return r;
	go_on(&j);
	*ret = j.g.super;
	ret->pid = j.call.ret_pid;
	ret->fd[VZ_SUPER_INIT] = j.pidfd;
	return 0;
}

int vz_restore(struct vz_ve *ve, const struct vz_restore *how, struct vz_err *err)
{
	struct super_job s = { ve, how };
	const struct vz_super_job job = { .make = make_super,
					  .data = &s,
					  .lock_fd = how->lock_fd,
					  .status = VZ_E_RESTORE,
					  .verb = "restore" };

	return vz_super_begin(ve, &job, err);
}

/* -- vzctl resume -- */

static int consume(void *data, struct vz_err *err)
{
	return vz_dumpdir_rename(data, "restored", err);
}

int vz_ve_resume(struct vz_ve *ve, const struct vz_resume *how, struct vz_err *err)
{
	vz_autofree char *path = vz_dumpdir_path(ve, how->dumpfile);
	bool keep = how->dumpfile;
	struct vz_restore restore = { .path = keep ? NULL : path,
				      .lock_fd = how->lock_fd,
				      .force = how->force,
				      .leave_frozen = how->leave_frozen,
				      .restored = keep ? NULL : consume,
				      .data = path };
	vz_autofd int dir = -1;
	bool mounted;
	int r;

	if (!path)
		return vz_err_set(err, VZ_E_RESTORE, ENOMEM, "can't resume");
	if (!vz_dumpdir_is(path))
		return vz_err_set(err, VZ_E_RESTORE, ENOENT, "there is no dump %s", path);
	r = vz_dumpdir_open(path, &dir, err);
	if (r)
		return r;
	restore.dir = dir;
	mounted = vz_ve_mounted(ve) == 1;
	r = vz_ve_mount(ve, err);
	if (r)
		return r;
	r = vz_restore(ve, &restore, err);
	if (!r)
		vz_dumpdir_remove(path, false);
	else if (!mounted)
		vz_ve_umount(ve, NULL);
	return r;
}
