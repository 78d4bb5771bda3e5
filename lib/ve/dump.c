/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/fs.h"
#include "sys/criu.h"
#include "sys/criulock.h"
#include "sys/ns.h"
#include "sys/seccomp.h"
#include "ve/await.h"
#include "ve/dumpcount.h"
#include "ve/dumpdir.h"
#include "ve/dumpgroups.h"
#include "ve/dumplinks.h"
#include "ve/dumpmounts.h"
#include "ve/freeze.h"
#include "ve/launch.h"
#include "ve/mount.h"
#include "ve/oracle.h"
#include "ve/state.h"
#include "ve/unreaped.h"

/* A gigabyte takes a second or two; a disk on a network may take a thousand times that. */
#define TIMEOUT_MS (30 * 60 * 1000)
#define REAP_MS 1000 /* for init, to reap what has just ended */
#define LOG_NAME "dump.log"
#define TOLD_MAX 8 /* obstacles */

/* A dump under way. */
struct job {
	const struct vz_ve *ve;
	const struct vz_dump *how;
	struct vz_criu criu;
	struct vz_criu_call call;
	struct vz_state st;
	bool held; /* nothing reaches the VE */
	bool written; /* by criu, all of it: what fails now is not criu's */
	bool stands; /* it will not move by itself any more */
	bool committed; /* the caller has what he wanted */
	bool undecided; /* VZ_DUMP_STANDS */
};

static void job_done(struct job *j)
{
	vz_strv_done(&j->call.external);
}

int vz_dump_timeout(void)
{
	return TIMEOUT_MS;
}

static int find_criu(const struct vz_ve *ve, struct vz_criu *ret, struct vz_err *err)
{
	return vz_criu_find(ve->ctx, vz_cfg_str(ve->cfg, VZ_P_CRIU), ret, err);
}

int vz_dump_check(const struct vz_ve *ve, struct vz_err *err)
{
	struct vz_state st;

	/* Whether it runs at all is the caller's question. */
	if (vz_state_load(ve->ctx, ve->id, &st, NULL) || !(st.seccomp & VZ_SECCOMP_QUOTA))
		return 0;
	/* A filter is restored without who answers the calls that it hands over. */
	return vz_err_set(
		err, VZ_E_CHECKPOINT, 0,
		"VE %u shows its users' quotas (QUOTAUGIDLIMIT), which it can't "
		"when it was restored: stop it instead, or set QUOTAUGIDLIMIT "
		"to 0 and restart it",
		ve->id);
}

static int job_init(struct job *j, const struct vz_ve *ve, const struct vz_dump *how,
		    enum vz_criu_req op, struct vz_err *err)
{
	vz_autofd int pidfd = -1;
	uid_t owner = 0;
	int r;

	*j = (struct job){ .ve = ve, .how = how };
	r = vz_state_open_init(ve->ctx, ve->id, &j->st, &pidfd, err);
	if (r == -ESRCH || (!r && j->st.tool))
		return vz_err_set(err, VZ_E_NOTRUNNING, ESRCH, "VE %u does not run",
				  ve->id);
	if (!r)
		r = vz_dump_check(ve, err);
	if (!r)
		r = find_criu(ve, &j->criu, err);
	if (r)
		return r;
	/* One that was restored is root's; a launched one's is the VE's own user's. */
	if (j->st.uid && vz_ns_owner(j->st.init, &owner))
		return vz_err_set(err, VZ_E_CHECKPOINT, errno,
				  "can't see whose the VE's user namespace is");
	j->call = (struct vz_criu_call){
		.op = op,
		.fails_with = VZ_E_CHECKPOINT,
		.images = how->dir,
		.work = how->dir,
		.log = LOG_NAME,
		.pid = j->st.init,
		.owner = owner,
		.parent = how->parent,
		.track_mem = how->track_mem || op == VZ_CRIU_PRE_DUMP,
		.lazy_pages = how->lazy_pages,
		.leave_running = how->leave_frozen,
		.ps_fd = how->ps_fd,
		.timeout_ms = how->timeout_ms ? how->timeout_ms : TIMEOUT_MS,
	};
	return 0;
}

/* What CRIU does not know of the VE. Before it is stopped: this is not in its way. */
static int save_ground(struct job *j, struct vz_err *err)
{
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host };
	const struct vz_ve *ve = j->ve;
	int r = vz_cg_probe(ve->ctx, &host, err);

	snprintf(cg.name, sizeof(cg.name), "%s", j->st.cgroup);
	if (!r)
		r = vz_dumpgroups_save(&cg, j->how->dir, err);
	if (!r)
		r = vz_dumpmounts_save(ve, j->st.init, j->how->dir, &j->call.external,
				       err);
	return r ? r
		 : vz_dumplinks_save(ve, j->st.init, j->how->dir, &j->call.external, err);
}

/* Of the last moment: what has no meaning before the VE stands still. */
static int save_last(struct job *j, struct vz_err *err)
{
	struct vz_dump_meta meta = {
		.version = VZ_DUMP_VERSION,
		.criu = j->criu.version,
		.uid = j->st.uid,
		.gid = j->st.gid,
		.caps = j->st.caps,
		.seccomp = j->st.seccomp,
	};
	struct timespec now;
	int r;

	clock_gettime(CLOCK_BOOTTIME, &now);
	meta.uptime = now.tv_sec - j->st.started;
	snprintf(meta.cgroup, sizeof(meta.cgroup), "%s", j->st.cgroup);
	snprintf(meta.init_name, sizeof(meta.init_name), "%s", j->st.init_name);
	r = vz_dumpcount_save(j->ve, j->how->dir, err);
	return r ? r : vz_dump_meta_save(j->how->dir, &meta, err);
}

/*
 * From here on the VE does not move, whoever is killed: when CRIU lets its processes
 * go, killed or not, they are frozen. So it may be ended as well as go on.
 */
static int stand_still(struct job *j, struct vz_err *err)
{
	int r = vz_freeze_begin(j->ve, j->st.cgroup);

	if (r == -EOPNOTSUPP && j->how->must_stand)
		return vz_err_set(err, VZ_E_KERNEL, EOPNOTSUPP,
				  "there is no cgroup2 hierarchy mounted, by which alone "
				  "the VE stands still whatever is killed");
	if (r && r != -EOPNOTSUPP)
		return vz_err_set(err, VZ_E_CHECKPOINT, -r, "can't freeze the VE");
	j->stands = !r;
	return 0;
}

static void waiting(void *data)
{
	const struct job *j = data;

	if (j->how->waiting)
		j->how->waiting(j->how->data);
}

static int at_stage(void *data, const char *stage, pid_t pid, int *fd, struct vz_err *err)
{
	struct job *j = data;
	int r = 0;

	if (!strcmp(stage, "pre-dump") && j->how->stopping)
		j->how->stopping(j->how->data);
	if (!strcmp(stage, "network-lock")) {
		j->held = true;
		return vz_dumplinks_hold(j->ve, err);
	}
	if (strcmp(stage, "post-dump"))
		return 0;
	j->written = true;
	r = save_last(j, err);
	if (!r)
		r = stand_still(j, err);
	if (!r && j->how->commit)
		r = j->how->commit(j->how->data, err);
	j->committed = !r;
	j->undecided = r == VZ_DUMP_STANDS;
	return r;
}

/* What a criu that was killed may have left. */
static int unlock(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autofd int pidfd = -1;
	int r = vz_state_open_init(ve->ctx, ve->id, NULL, &pidfd, NULL);

	r = r ? 0 : vz_criulock_clear(pidfd);
	return r ? vz_err_set(err, VZ_E_CHECKPOINT, -r,
			      "can't remove criu's lock of the VE's network")
		 : 0;
}

/* It goes on as if nothing had happened. */
static void go_on(struct job *j)
{
	struct vz_err err = { 0 };

	if (unlock(j->ve, &err))
		vz_warn(j->ve->ctx, "VE %u: %s", j->ve->id, err.text);

	/* What it was frozen for before this stays so. */
	if (j->stands && !vz_frozen(j->ve->ctx, j->ve->id) &&
	    vz_freeze_groups(j->ve, false, &err))
		vz_warn(j->ve->ctx, "VE %u: %s", j->ve->id, err.text);
	if (j->held && vz_dumplinks_release(j->ve, &err))
		vz_warn(j->ve->ctx, "VE %u: %s: vzctl repair %u", j->ve->id, err.text,
			j->ve->id);
}

int vz_dump(const struct vz_ve *ve, const struct vz_dump *how, struct vz_err *err)
{
	VZ_CLEANUP(job_done) struct job j;
	int r = job_init(&j, ve, how, VZ_CRIU_DUMP, err);

	if (!r)
		r = save_ground(&j, err);
	if (r)
		return r;
	j.call.notify = at_stage;
	j.call.waiting = waiting;
	j.call.data = &j;
	/* CRIU stops processes by their own, which frozen ones don't hear. */
	if (vz_frozen(ve->ctx, ve->id))
		r = vz_freeze_groups(ve, false, err);
	/* One that reaps nothing at all is dumped as it is. */
	if (!r)
		vz_unreaped_wait(ve->ctx, j.st.init, REAP_MS);
	if (!r)
		r = vz_criu_run(ve->ctx, &j.criu, &j.call, err);
	/* What was killed has left connections in the midst of it: only another gets there. */
	if (r == -EPIPE && !j.written &&
	    !vz_state_open_init(ve->ctx, ve->id, NULL, NULL, NULL)) {
		vz_warn(ve->ctx, "VE %u: %s: again", ve->id, err->text);
		vz_err_clear(err);
		r = vz_criu_run(ve->ctx, &j.criu, &j.call, err);
	}
	/* Whatever happened to criu then: the dump is whole, and the VE has not moved. */
	if (r && j.committed && j.stands) {
		vz_warn(ve->ctx, "VE %u: after its dump: %s", ve->id, err->text);
		vz_err_clear(err);
		r = 0;
	}
	if (j.undecided && j.stands)
		return VZ_DUMP_STANDS;
	if (r)
		go_on(&j);
	if (r && vz_frozen(ve->ctx, ve->id))
		vz_freeze_groups(ve, true, NULL);
	return r;
}

int vz_dump_pre(const struct vz_ve *ve, const struct vz_dump *how, struct vz_err *err)
{
	VZ_CLEANUP(job_done) struct job j;
	int r = job_init(&j, ve, how, VZ_CRIU_PRE_DUMP, err);

	if (!r && !j.criu.mem_track) {
		vz_err_set(err, VZ_E_KERNEL, EOPNOTSUPP,
			   "the kernel does not tell which pages change");
		r = -EOPNOTSUPP;
	}
	if (!r)
		r = vz_dumpmounts_save(ve, j.st.init, how->dir, &j.call.external, err);
	return r ? r : vz_criu_run(ve->ctx, &j.criu, &j.call, err);
}

/* -- vzctl suspend -- */

struct target {
	const struct vz_ve *ve;
	const char *path;
	int dir;
};

static int commit(void *data, struct vz_err *err)
{
	const struct target *t = data;
	const char *private = vz_ve_private(t->ve, err);
	vz_autofd int fd = private ? open(private, O_RDONLY | O_CLOEXEC) : -1;
	int r = fd < 0 ? -errno : vz_dumpdir_mark(t->ve, t->path);

	/* The VE's files as its processes believe them to be, should the power fail. */
	if (!r && syncfs(fd))
		r = -errno;
	if (r)
		return vz_err_set(err, VZ_E_CHECKPOINT, -r, "can't write the VE's files");
	return vz_dumpdir_commit(t->path, t->dir, err);
}

/* What criu could not do has a name, and a way out. */
static void say_why(struct vz_ve *ve)
{
	vz_autoobstacles struct vz_obstacles l = { 0 };
	char line[VZ_OBSTACLE_LINE];

	if (vz_oracle_ask(ve, &l, NULL))
		return;
	for (size_t i = 0; i < l.n && i < TOLD_MAX; i++) {
		vz_obstacle_line(&l.v[i], line);
		vz_warn(ve->ctx, "VE %u: %s", ve->id, line);
	}
}

/* Its log alone is worth something. */
static void keep_log(const struct target *t)
{
	vz_autofree char *from = vz_strf("%s.new/" LOG_NAME, t->path);
	vz_autofree char *to = vz_strf("%s.log", t->path);

	if (from && to && !rename(from, to))
		vz_debug(t->ve->ctx, "criu's log is %s", to);
	vz_dumpdir_remove(t->path, false);
}

static int end(struct vz_ve *ve, struct vz_err *err)
{
	int r = vz_launch_cleanup(ve, err);

	return r ? r : vz_ve_mounted(ve) > 0 ? vz_ve_umount(ve, err) : 0;
}

int vz_ve_suspend(struct vz_ve *ve, const char *dumpfile, bool leave_frozen,
		  struct vz_err *err)
{
	vz_autofree char *path = vz_dumpdir_path(ve, dumpfile);
	struct target t = { .ve = ve, .path = path, .dir = -1 };
	struct vz_dump how = { .leave_frozen = leave_frozen,
			       .commit = commit,
			       .data = &t };
	int r;

	if (!path)
		return vz_err_set(err, VZ_E_CHECKPOINT, ENOMEM, "can't suspend");
	if (vz_state_running(ve->ctx, ve->id) != 1)
		return vz_err_set(err, VZ_E_NOTRUNNING, 0, "Container is not running");
	r = vz_dump_check(ve, err);
	if (!r)
		r = vz_dumpdir_begin(path, &t.dir, err);
	if (r)
		return r;
	how.dir = t.dir;
	if (leave_frozen)
		vz_freeze_mark(ve, true);
	r = vz_dump(ve, &how, err);
	if (r) {
		keep_log(&t);
		/* It goes on: nothing that says otherwise may be found. */
		if (vz_dumpdir_marked(ve))
			vz_dumpdir_remove(path, true);
		if (leave_frozen)
			vz_freeze_mark(ve, false);
		vz_dumpdir_mark(ve, NULL);
		if (err && err->status == VZ_E_CHECKPOINT)
			say_why(ve);
	}
	close(t.dir);
	if (!r && leave_frozen)
		return vz_dumpdir_mark(ve, NULL);
	return r ? r : end(ve, err);
}

int vz_ve_suspend_kill(struct vz_ve *ve, struct vz_err *err)
{
	if (!vz_frozen(ve->ctx, ve->id))
		return vz_err_set(err, VZ_E_CHECKPOINT, 0,
				  "VE %u does not stand still: --suspend and --dump it "
				  "first",
				  ve->id);
	return end(ve, err);
}

int vz_dump_mend(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autofree char *path = vz_dumpdir_marked(ve);
	bool kept;
	int r;

	if (!path)
		return 0;
	vz_warn(ve->ctx, "VE %u: a suspend or resume of it was cut short: it goes on",
		ve->id);
	/* Gone from the disk before the VE changes anything there. */
	kept = !strcmp(path, VZ_DUMPDIR_KEPT);
	r = kept ? 0 : vz_dumpdir_rename(path, "restored", err);
	if (!r && !vz_frozen(ve->ctx, ve->id))
		r = vz_freeze_groups(ve, false, err);
	if (!r)
		r = unlock(ve, err);
	if (!r)
		r = vz_dumplinks_release(ve, err);
	if (!r)
		r = vz_await_return((struct vz_ve *)ve, err);
	if (r)
		return r;
	if (!kept)
		vz_dumpdir_remove(path, false);
	return vz_dumpdir_mark(ve, NULL);
}
