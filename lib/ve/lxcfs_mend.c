/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/feature.h"
#include "ve/lxcfs.h"
#include "ve/state.h"

/*
 * A running VE keeps the files of the lxcfs with which it was started, dead or
 * not. Another process puts those of today's in their place.
 */
#define MEND_MS 5000
#define MOUNTINFO_MAX (16u << 20)

/* What a VE has of lxcfs. */
struct found {
	uint32_t good; /* of the one that runs now */
	unsigned int stale[VZ_LXCFS__COUNT]; /* mounts of others, one above the other */
};

static void see_mount(const char *line, dev_t live, struct found *f)
{
	unsigned int major, minor;
	char at[64];

	if (!strstr(line, " - fuse.lxcfs ") ||
	    sscanf(line, "%*u %*u %u:%u %*s %63s", &major, &minor, at) != 3)
		return;
	for (int i = 0; i < VZ_LXCFS__COUNT; i++) {
		if (strcmp(at + 1, vz_lxcfs_files[i].path))
			continue;
		if (live && makedev(major, minor) == live)
			f->good |= 1u << i;
		else
			f->stale[i]++;
	}
}

static int look(const struct vz_ve *ve, pid_t init, dev_t live, struct found *ret)
{
	vz_autofree char *path = vz_strf("%s/%d/mountinfo", ve->ctx->procdir, init);
	vz_autofree char *text = NULL;
	char *line, *at;
	size_t len;
	int r = path ? vz_read_file(path, MOUNTINFO_MAX, &text, &len) : -ENOMEM;

	if (r)
		return r;
	for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
		see_mount(line, live, ret);
	return 0;
}

/* As process 1 once did: born in the VE, the mounts keep what the stage has set. */
static int take_in(int init, bool privileged, struct vz_lxcfs *x)
{
	if (!privileged && setns(init, CLONE_NEWUSER))
		return -errno;
	if (unshare(CLONE_NEWNS))
		return -errno;
	vz_lxcfs_take(x);
	if (x->error)
		return x->error;
	return setns(init, CLONE_NEWNS) ? -errno : 0;
}

/*
 * In the VE's own tree, with no more rights than its root has: whatever it has
 * made of these paths is its own.
 */
static int replace(struct vz_lxcfs *x, const struct found *f)
{
	vz_autofd int proc = -1, sys = -1;

	for (int i = 0; i < VZ_LXCFS__COUNT; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/%s", vz_lxcfs_files[i].path);
		for (unsigned int n = f->stale[i]; n; n--)
			if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW))
				return -errno;
	}
	proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	sys = open("/sys", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (proc >= 0 && sys >= 0)
		vz_lxcfs_attach(x, proc, sys);
	return x->error;
}

/* It may hang in the VE's file systems: nothing but what it needs stays open in it. */
static _Noreturn void mend(int init, int pipe, bool privileged, struct vz_lxcfs *x,
			   const struct found *f)
{
	int high[2] = { fcntl(init, F_DUPFD, 3), fcntl(pipe, F_DUPFD, 3) }, r;

	if (high[0] < 0 || high[1] < 0 || dup2(high[0], 0) < 0 || dup2(high[1], 1) < 0)
		_exit(1);
	close_range(2, ~0U, 0);
	r = take_in(0, privileged, x);
	if (!r)
		r = replace(x, f);
	_exit(vz_write_all(1, &r, sizeof(r)) != 0);
}

static int mend_by_child(int init, bool privileged, struct vz_lxcfs *x,
			 const struct found *f)
{
	struct pollfd p = { .events = POLLIN };
	int ends[2], r = -ETIMEDOUT;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		mend(init, ends[1], privileged, x, f);
	close(ends[1]);
	p.fd = ends[0];
	if (pid < 0)
		r = -EAGAIN;
	else if (poll(&p, 1, MEND_MS) == 1 && read(ends[0], &r, sizeof(r)) != sizeof(r))
		r = -EIO;
	close(ends[0]);
	if (pid < 0)
		return r;
	kill(pid, SIGKILL);
	/* Who hangs in the kernel is left to it. */
	waitpid(pid, NULL, r == -ETIMEDOUT ? WNOHANG : 0);
	return r;
}

static bool is_stale(const struct found *f)
{
	for (int i = 0; i < VZ_LXCFS__COUNT; i++)
		if (f->stale[i])
			return true;
	return false;
}

int vz_lxcfs_mend(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autofd int init = -1;
	struct found f = { 0 };
	struct vz_lxcfs x;
	struct vz_state st;
	uint32_t features;
	int r = vz_feature_parse(vz_cfg_list(ve->cfg, VZ_P_FEATURES), &features, err);

	if (!r)
		r = vz_state_open_init(ve->ctx, ve->id, &st, &init, err);
	if (r)
		return r;
	r = vz_lxcfs_stage(ve, features, &x);
	/* One that hangs may go on. */
	r = look(ve, st.init, !r || r == -ETIMEDOUT ? vz_lxcfs_device(ve) : 0, &f);
	x.files = x.stage ? x.files & ~f.good : 0;
	if (!r && (x.files || is_stale(&f))) {
		r = mend_by_child(init, !st.uid, &x, &f);
		if (!r)
			vz_info(ve->ctx, "VE %u: its files of lxcfs are put back",
				ve->id);
	}
	vz_lxcfs_done(&x);
	return r ? vz_err_set(err, VZ_E_MOUNT, -r,
			      "can't put lxcfs's files into VE %u again: restart it",
			      ve->id)
		 : 0;
}
