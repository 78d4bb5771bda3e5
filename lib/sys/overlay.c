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

/* What fsconfig() takes as a string's value; what mount(2) takes as data. */
enum { VALUE_MAX = 255, DATA_MAX = 4096 };

enum step { STEP_NS, STEP_DIR, STEP_BASE, STEP_IDMAP, STEP_OPTIONS, STEP_OVERLAY };

static const char *const steps[] = {
	[STEP_NS] = "making a mount namespace",
	[STEP_DIR] = "entering the private area",
	[STEP_BASE] = "showing the template",
	[STEP_IDMAP] = ("showing the template with the VE's ids, which "
			"needs TEMPLATE on ext4, xfs or btrfs,"),
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

static const char *const options[][2] = {
	{ "index", "off" },
	{ "redirect_dir", "nofollow" },
	{ "metacopy", "off" },
};

static int set_options(const struct vz_overlay *o, const char *lower, int fs)
{
	int r = set(fs, "source", "overlay");

	for (size_t i = 0; i < VZ_ARRAY_SIZE(options) && !r; i++)
		r = set(fs, options[i][0], options[i][1]);
	if (!r)
		r = set(fs, "lowerdir", lower);
	if (!r && o->upper)
		r = set(fs, "upperdir", o->upper);
	if (!r && o->upper)
		r = set(fs, "workdir", o->work);
	return r;
}

static int mount_new(const struct vz_overlay *o, const char *lower, struct word *w)
{
	vz_autofd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int r;

	w->step = STEP_OPTIONS;
	r = fs < 0 ? -errno : set_options(o, lower, fs);
	if (r)
		return r;
	w->step = STEP_OVERLAY;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	r = fsmount(fs, FSMOUNT_CLOEXEC, o->upper ? 0 : MOUNT_ATTR_RDONLY);
	return r < 0 ? -errno : r;
}

/*
 * More layers than fsconfig() takes in one word, and one by one they go only since
 * 6.8: mount(2) takes a page. Over the base's place, of which nobody else knows, it is
 * attached for a moment.
 */
static int mount_long(const struct vz_overlay *o, const char *lower, struct word *w)
{
	vz_autostr struct vz_str data = { 0 };

	w->step = STEP_OPTIONS;
	vz_str_addf(&data, "lowerdir=%s", lower);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(options); i++)
		vz_str_addf(&data, ",%s=%s", options[i][0], options[i][1]);
	if (o->upper)
		vz_str_addf(&data, ",upperdir=%s,workdir=%s", o->upper, o->work);
	if (data.failed)
		return -ENOMEM;
	if (data.len >= DATA_MAX)
		return -E2BIG;
	w->step = STEP_OVERLAY;
	if (mount("overlay", o->base_at, "overlay", o->upper ? 0 : MS_RDONLY, data.s))
		return -errno;
	return vz_mnt_clone(AT_FDCWD, o->base_at, false);
}

static int mount_layers(const struct vz_overlay *o, struct word *w)
{
	vz_autostr struct vz_str lower = { 0 };

	w->step = STEP_OPTIONS;
	for (size_t i = 0; i < o->layers; i++)
		vz_str_addf(&lower, "%s:", o->layer[i]);
	vz_str_add(&lower, o->base_at);
	if (lower.failed)
		return -ENOMEM;
	return lower.len <= VALUE_MAX ? mount_new(o, lower.s, w)
				      : mount_long(o, lower.s, w);
}

static int make(const struct vz_overlay *o, struct word *w)
{
	int r;

	w->step = STEP_NS;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	w->step = STEP_DIR;
	if (chdir(o->dir))
		return -errno;
	r = show_base(o, w);
	return r ? r : mount_layers(o, w);
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
