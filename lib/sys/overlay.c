/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/run.h"
#include "base/str.h"
#include "sys/fdpass.h"
#include "sys/mnt.h"
#include "sys/ns.h"

/* What fsconfig() takes as a string's value. */
enum { VALUE_MAX = 255 };

enum step { STEP_NS, STEP_DIR, STEP_BASE, STEP_IDMAP, STEP_OPTIONS, STEP_OVERLAY };

static const char *const steps[] = {
	[STEP_NS] = "making a mount namespace",
	[STEP_DIR] = "entering the private area",
	[STEP_BASE] = "showing the template",
	[STEP_IDMAP] = "showing the template with the VE's ids",
	[STEP_OPTIONS] = "describing the overlay",
	[STEP_OVERLAY] = "mounting the overlay",
};

/* What the child says; the mount comes along when all went well. */
struct word {
	int r;
	enum step step;
};

static int show_base(const struct vz_overlay *o, struct word *w)
{
	vz_autofd int at =
		open(o->base_at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	vz_autofd int mnt = vz_mnt_clone(AT_FDCWD, o->base, false);
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | (o->idmap < 0 ? 0 : MOUNT_ATTR_IDMAP),
		.userns_fd = o->idmap < 0 ? 0 : o->idmap,
	};

	w->step = STEP_BASE;
	if (at < 0 || mnt < 0)
		return at < 0 ? -errno : mnt;
	w->step = STEP_IDMAP;
	if (mount_setattr(mnt, "", AT_EMPTY_PATH, &attr, sizeof(attr)))
		return -errno;
	w->step = STEP_BASE;
	return vz_mnt_attach(mnt, at);
}

static int set(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) ? -errno : 0;
}

/* In one word, which each kernel takes; when it is too long, one by one (6.8). */
static int set_lower(const struct vz_overlay *o, int fs)
{
	vz_autostr struct vz_str all = { 0 };
	int r = 0;

	for (size_t i = 0; i < o->layers; i++)
		vz_str_addf(&all, "%s:", o->layer[i]);
	vz_str_add(&all, o->base_at);
	if (all.failed)
		return -ENOMEM;
	if (all.len <= VALUE_MAX)
		return set(fs, "lowerdir", all.s);
	for (size_t i = 0; i < o->layers && !r; i++)
		r = set(fs, "lowerdir+", o->layer[i]);
	if (!r)
		r = set(fs, "lowerdir+", o->base_at);
	return r == -EINVAL ? -E2BIG : r;
}

static int set_options(const struct vz_overlay *o, int fs)
{
	static const char *const options[][2] = {
		{ "source", "overlay" },
		{ "index", "off" },
		{ "redirect_dir", "nofollow" },
		{ "metacopy", "off" },
	};
	int r = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(options) && !r; i++)
		r = set(fs, options[i][0], options[i][1]);
	if (!r)
		r = set_lower(o, fs);
	if (!r && o->upper)
		r = set(fs, "upperdir", o->upper);
	if (!r && o->upper)
		r = set(fs, "workdir", o->work);
	return r;
}

static int make(const struct vz_overlay *o, struct word *w)
{
	vz_autofd int fs = -1;
	int r;

	w->step = STEP_NS;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	w->step = STEP_DIR;
	if (chdir(o->dir))
		return -errno;
	r = show_base(o, w);
	if (r)
		return r;
	w->step = STEP_OPTIONS;
	fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	r = set_options(o, fs);
	if (r)
		return r;
	w->step = STEP_OVERLAY;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	r = fsmount(fs, FSMOUNT_CLOEXEC, o->upper ? 0 : MOUNT_ATTR_RDONLY);
	return r < 0 ? -errno : r;
}

static _Noreturn void child(const struct vz_overlay *o, int sock)
{
	struct word w = { 0 };
	int mnt = make(o, &w);

	w.r = mnt < 0 ? mnt : 0;
	vz_fdpass_send(sock, &w, sizeof(w), &mnt, mnt < 0 ? 0 : 1);
	_exit(0);
}

int vz_overlay_mount(const struct vz_overlay *o, int *ret_mnt, const char **ret_step)
{
	vz_autofd int ours = -1, theirs = -1, pidfd = -1, mnt = -1;
	struct word w = { 0 };
	int sock[2];
	ssize_t n;
	pid_t pid;

	*ret_step = "talking to a process of its own";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -errno;
	ours = sock[0];
	theirs = sock[1];
	pid = vz_ns_clone(0, -1, &pidfd);
	if (!pid)
		child(o, theirs);
	if (pid < 0)
		return pid;
	close(vz_take_fd(&theirs));
	n = vz_fdpass_recv(ours, &w, sizeof(w), &mnt, 1);
	vz_run_wait(pidfd, 0);
	if (n != sizeof(w))
		return n < 0 ? (int)n : -EIO;
	*ret_step = steps[w.step];
	if (w.r)
		return w.r;
	*ret_mnt = vz_take_fd(&mnt);
	return 0;
}

int vz_overlay_idmap(uid_t uid, gid_t gid, unsigned int count)
{
	vz_autofd int pidfd = -1, keep = -1, held = -1;
	int r, fd = -1, fds[2];
	char path[64], c;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	held = fds[0];
	keep = fds[1];
	pid = vz_ns_clone(CLONE_NEWUSER, -1, &pidfd);
	if (!pid) {
		/* Until we have what we came for, or are gone. */
		close(keep);
		_exit(read(held, &c, 1) != 0);
	}
	if (pid < 0)
		return pid;
	r = vz_ns_write_maps(pid, uid, gid, count);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (!r) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? -errno : fd;
	}
	close(vz_take_fd(&keep));
	vz_run_wait(pidfd, 0);
	return r;
}
