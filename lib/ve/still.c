/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/still.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/cgroup.h"
#include "sys/extfs.h"
#include "ve/freeze.h"
#include "ve/state.h"

/* What is frozen: a group, or a file system. */
struct frozen {
	struct vz_cg_host host;
	struct vz_cg cg;
	int fs; /* -1: the group */
};

static int set(const struct frozen *f, bool frozen, struct vz_err *err)
{
	int r;

	if (f->fs < 0)
		return vz_cg_freeze(&f->cg, frozen, err);
	r = frozen ? vz_fs_freeze(f->fs) : vz_fs_thaw(f->fs);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't %s the VE's file system",
			      frozen ? "freeze" : "thaw")
		 : 0;
}

/*
 * Nothing but waiting, in a session of its own: who presses Ctrl-C, or kills the
 * command and its group, does not mean the one who lets the VE go.
 */
static _Noreturn void guard(const struct frozen *f, int pipe)
{
	char c;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	setsid();
	while (read(pipe, &c, 1) < 0 && errno == EINTR)
		;
	set(f, false, NULL);
	_exit(0);
}

/* Only what it needs stays open: neither a lock nor anybody's pipe. */
static void keep_open(const struct frozen *f, int pipe)
{
	int low = f->fs >= 0 && f->fs < pipe ? f->fs : pipe;
	int high = f->fs > pipe ? f->fs : pipe;

	if (low > 0)
		close_range(0, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

/* The guard first: from the freeze on there is somebody who ends it. */
static int begin(struct frozen *f, struct vz_still *ret, struct vz_err *err)
{
	struct vz_still s = VZ_STILL_NONE;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make a pipe");
	s.pid = fork();
	if (!s.pid) {
		close(ends[1]);
		keep_open(f, ends[0]);
		guard(f, ends[0]);
	}
	close(ends[0]);
	s.pipe = ends[1];
	if (s.pid < 0) {
		close(ends[1]);
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make a process");
	}
	r = set(f, true, err);
	if (r)
		vz_still_end(&s);
	else
		*ret = s;
	return r;
}

int vz_still_processes(const struct vz_ve *ve, struct vz_still *ret, struct vz_err *err)
{
	struct frozen f = { .fs = -1 };
	struct vz_state st;
	int r = vz_state_running(ve->ctx, ve->id);

	*ret = VZ_STILL_NONE;
	if (r <= 0)
		return r ? vz_err_set(err, VZ_E_SYSTEM, -r,
				      "can't tell whether VE %u runs", ve->id)
			 : 0;
	/* Who let it stand still lets it go on. */
	if (vz_frozen(ve->ctx, ve->id))
		return 0;
	r = vz_state_load(ve->ctx, ve->id, &st, err);
	if (!r)
		r = vz_cg_probe(ve->ctx, &f.host, err);
	if (r)
		return r;
	f.cg.host = &f.host;
	snprintf(f.cg.name, sizeof(f.cg.name), "%s", st.cgroup);
	return begin(&f, ret, err);
}

int vz_still_files(const struct vz_ve *ve, int fd, struct vz_still *ret,
		   struct vz_err *err)
{
	struct frozen f = { .fs = fd };

	*ret = VZ_STILL_NONE;
	return begin(&f, ret, err);
}

void vz_still_end(struct vz_still *s)
{
	if (s->pipe >= 0)
		close(s->pipe);
	while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*s = VZ_STILL_NONE;
}
