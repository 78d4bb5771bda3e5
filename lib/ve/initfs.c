/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/initfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "sys/feature.h"
#include "sys/mnt.h"

/* The mounts by descriptor while they are made. */
struct tree {
	const struct vz_init *in;
	int (*enter_groups)(const struct vz_init *in, struct vz_err *err);
	int root, proc, sys, dev, run, pts;
	int empty; /* what hides directories; -1: none is hidden yet */
	int master, tty;
};

#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int failed(struct vz_err *err, int r, const char *what)
{
	return vz_err_set(err, VZ_E_MOUNT, -r, "can't mount %s in the VE", what);
}

/* What the VE has at a place where the launcher needs a directory or file. */
static int bad_point(struct vz_err *err, int r, const char *path, const char *kind)
{
	return vz_err_set(err, VZ_E_MOUNT, -r,
			  "/%s in the VE can't be mounted on: it must be a %s, and no "
			  "symbolic link may lead there",
			  path, kind);
}

/* Make a file system and mount it on path below the VE's root. */
static int mount_new(struct tree *t, const char *fstype, const char *path,
		     const char *options, uint64_t attr, int *ret_mnt, struct vz_err *err)
{
	vz_autofd int at = vz_mnt_point(t->root, path), mnt = -1;
	int r;

	if (at < 0)
		return bad_point(err, at, path, "directory");
	mnt = vz_mnt_new(fstype, options, attr);
	if (mnt < 0)
		return failed(err, mnt, path);
	r = vz_mnt_attach(mnt, at);
	if (r)
		return failed(err, r, path);
	if (ret_mnt)
		*ret_mnt = vz_take_fd(&mnt);
	return 0;
}

/* Move a mount onto what name in dir is. */
static int attach_at(int mnt, int dir, const char *name)
{
	return move_mount(mnt, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH) ? -errno : 0;
}

/*
 * The VE's tree on top of "/": only this process sees it there. What comes
 * after goes into it, and pivot_root(2) makes it the only one.
 */
static int attach_root(struct tree *t, struct vz_err *err)
{
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return failed(err, -errno, "/");
	r = attach_at(t->in->root, AT_FDCWD, "/");
	t->root = t->in->root;
	return r ? failed(err, r, "/") : 0;
}

/* System V shared memory, of the IPC namespace that this process is in: the VE's. */
static int limit_segments(struct tree *t, struct vz_err *err)
{
	char pages[24];
	int r;

	if (t->in->max_shm >= VZ_UNLIMITED)
		return 0;
	snprintf(pages, sizeof(pages), "%" PRIu64, t->in->max_shm);
	r = vz_write_small(t->proc, "sys/kernel/shmall", pages);
	/* Before 6.3 a user namespace's root may not: then nothing limits them. */
	if (!r || r == -EACCES || r == -EPERM)
		return 0;
	return vz_err_set(err, VZ_E_UBC, -r, "can't limit shmpages to %s pages", pages);
}

/*
 * New ones of the VE's namespaces. The kernel allows that to a user namespace
 * only while it sees the host's whole ones, thus before the root is left.
 */
static int mount_proc_sys(struct tree *t, struct vz_err *err)
{
	int r = mount_new(t, "proc", "proc", NULL, SAFE, &t->proc, err);

	if (!r)
		r = limit_segments(t, err);
	if (r || !(t->in->features & VZ_F_BIT(VZ_F_SYSFS)))
		return r;
	r = mount_new(t, "sysfs", "sys", NULL, SAFE | MOUNT_ATTR_RDONLY, &t->sys, err);
	return r;
}

/* The VE's own groups only, of cgroup2: its root is the VE's group. */
static int mount_cgroup(struct tree *t, struct vz_err *err)
{
	vz_autofd int mnt = -1;
	int r;

	if (t->sys < 0)
		return 0;
	mnt = vz_mnt_new("cgroup2", NULL, SAFE);
	r = mnt < 0 ? mnt : attach_at(mnt, t->sys, "fs/cgroup");
	return r ? failed(err, r, "sys/fs/cgroup") : 0;
}

/* Open a new file in a directory of ours, its own directories made. */
static int make_file(int dir, const char *name)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "%s", name);
	for (char *s = path; (s = strchr(s, '/')); *s++ = '/') {
		*s = 0;
		if (mkdirat(dir, path, 0755) && errno != EEXIST)
			return -errno;
	}
	fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int bind_node(struct tree *t, const struct vz_dev_node *node, struct vz_err *err)
{
	vz_autofd int mnt = -1;
	char host[128];
	int r;

	r = vz_dev_node_path("/dev", t->in->veid, node, host, sizeof(host));
	if (!r)
		r = mnt = vz_mnt_clone(AT_FDCWD, host, false);
	if (mnt >= 0)
		r = make_file(t->dev, node->name);
	if (mnt >= 0 && !r)
		r = attach_at(mnt, t->dev, node->name);
	return r < 0 ? vz_err_set(err, VZ_E_DEVICE, -r, "can't put device %s into the VE",
				  node->name)
		     : 0;
}

static int make_dev_links(int dev)
{
	static const char *const links[][2] = {
		{ "pts/ptmx", "ptmx" },		 { "/proc/self/fd", "fd" },
		{ "/proc/self/fd/0", "stdin" },	 { "/proc/self/fd/1", "stdout" },
		{ "/proc/self/fd/2", "stderr" },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(links); i++)
		if (symlinkat(links[i][0], dev, links[i][1]))
			return -errno;
	return 0;
}

static int mount_dev(struct tree *t, struct vz_err *err)
{
	int r = mount_new(t, "tmpfs", "dev", "mode=755,size=4m,nr_inodes=64k",
			  MOUNT_ATTR_NOSUID, &t->dev, err);

	for (size_t i = 0; i < t->in->dev->n_nodes && !r; i++)
		r = bind_node(t, &t->in->dev->node[i], err);
	if (r)
		return r;
	r = make_dev_links(t->dev);
	return r ? failed(err, r, "dev") : 0;
}

/* One more of ours inside a mount of ours. */
static int mount_sub(int dir, const char *name, const char *fstype, const char *options,
		     uint64_t attr, int *ret_mnt, struct vz_err *err)
{
	vz_autofd int mnt = -1;
	int r;

	if (mkdirat(dir, name, 0755))
		return failed(err, -errno, name);
	r = mnt = vz_mnt_new(fstype, options, attr);
	if (mnt >= 0)
		r = attach_at(mnt, dir, name);
	if (r < 0)
		return failed(err, r, name);
	if (ret_mnt)
		*ret_mnt = vz_take_fd(&mnt);
	return 0;
}

static int mount_dev_subs(struct tree *t, struct vz_err *err)
{
	char options[80];
	int r;

	/* One more than the limit: the console is the launcher's. */
	snprintf(options, sizeof(options), "ptmxmode=0666,mode=620,gid=5,max=%u",
		 t->in->max_ptys < INT32_MAX ? (uint32_t)t->in->max_ptys + 1 : 1 << 20);
	r = mount_sub(t->dev, "pts", "devpts", options,
		      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, &t->pts, err);
	if (!r)
		r = mount_sub(t->dev, "shm", "tmpfs", "mode=1777",
			      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, NULL, err);
	if (!r)
		r = mount_sub(t->dev, "mqueue", "mqueue", NULL, SAFE, NULL, err);
	return r;
}

/* The first pty of the VE's own, so that nothing in it leads to the host. */
static int make_console(struct tree *t, struct vz_err *err)
{
	vz_autofd int mnt = -1;
	int r = 0, unlock = 0, number = 0;
	char name[16];

	t->master = openat(t->pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->master < 0 || ioctl(t->master, TIOCSPTLCK, &unlock) ||
	    ioctl(t->master, TIOCGPTN, &number))
		r = -errno;
	snprintf(name, sizeof(name), "%d", number);
	if (!r)
		t->tty = openat(t->pts, name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (!r && t->tty < 0)
		r = -errno;
	if (!r)
		r = make_file(t->dev, "console");
	if (!r) {
		mnt = vz_mnt_clone(t->pts, name, false);
		r = mnt < 0 ? mnt : attach_at(mnt, t->dev, "console");
	}
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't make the VE's console") : 0;
}

/* The VE's own beancounters: the kernel shows each reader its own VE's. */
static int show_counters(struct tree *t, struct vz_err *err)
{
	vz_autofd int dir = -1;
	int r;

	if (t->in->counters < 0)
		return 0;
	if (mkdirat(t->run, "vz", 0755) || mkdirat(t->run, "vz/proc", 0755))
		return failed(err, -errno, "run/vz/proc");
	dir = openat(t->run, "vz/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? -errno : make_file(dir, "user_beancounters");
	if (!r)
		r = attach_at(t->in->counters, dir, "user_beancounters");
	return r ? failed(err, r, "run/vz/proc/user_beancounters") : 0;
}

static int mount_run(struct tree *t, struct vz_err *err)
{
	int r = mount_new(t, "tmpfs", "run", "mode=755",
			  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &t->run, err);

	if (r)
		return r;
	r = mount_sub(t->run, "lock", "tmpfs", "mode=1777,size=5m", SAFE, NULL, err);
	if (!r && mkdirat(t->run, "host", 0755))
		r = failed(err, -errno, "run/host");
	return r ? r : show_counters(t, err);
}

/* BIND= of the configuration, on whatever is there by now. */
static int mount_binds(struct tree *t, struct vz_err *err)
{
	for (size_t i = 0; i < t->in->n_binds; i++) {
		const struct vz_bind *b = &t->in->bind[i];
		vz_autofd int at = b->is_dir ? vz_mnt_point(t->root, b->target)
					     : vz_mnt_point_file(t->root, b->target);
		int r = at;

		if (at < 0)
			return bad_point(err, at, b->target,
					 b->is_dir ? "directory" : "file");
		r = vz_mnt_attach(b->mnt, at);
		if (r)
			return failed(err, r, b->target);
	}
	return 0;
}

/*
 * Parts of proc and sysfs that tell about the host, hidden by an empty file or
 * directory. What matters is denied by the kernel to a user namespace anyway,
 * and its root may take these away; they keep the rest of the VE from it.
 * Containers in the VE need them whole: feature nesting.
 */
static const char *const masked[] = {
	"acpi",	      "asound",	     "kcore",	    "keys", "latency_stats",
	"timer_list", "timer_stats", "sched_debug", "scsi", "key-users",
};
static const char *const sys_masked[] = { "firmware", "kernel/debug", "kernel/security" };
/* Written by root, these reach the host, when no user namespace is between. */
static const char *const read_only[] = { "bus", "fs", "irq", "sys", "sysrq-trigger" };

/* An empty directory for all of them: a file system each costs, too, when the VE ends. */
static int clone_empty(struct tree *t)
{
	int fd;

	if (t->empty >= 0)
		return vz_mnt_clone(t->empty, "", false);
	fd = vz_mnt_new("tmpfs", "mode=555,nr_inodes=1,size=4k",
			SAFE | MOUNT_ATTR_RDONLY);
	if (fd < 0)
		return fd;
	t->empty = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd;
}

static int mask(struct tree *t, int dir, const char *name)
{
	vz_autofd int at = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), mnt = -1;
	struct stat st;

	if (at < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	if (fstat(at, &st))
		return -errno;
	mnt = S_ISDIR(st.st_mode) ? clone_empty(t) : vz_mnt_clone(t->dev, "null", false);
	return mnt < 0 ? mnt : vz_mnt_attach(mnt, at);
}

static int make_read_only(int dir, const char *name)
{
	vz_autofd int mnt = vz_mnt_clone(dir, name, true);
	int r;

	if (mnt < 0)
		return mnt == -ENOENT ? 0 : mnt;
	r = vz_mnt_set_attr(mnt, MOUNT_ATTR_RDONLY, true);
	return r ? r : attach_at(mnt, dir, name);
}

static int hide(struct tree *t, struct vz_err *err)
{
	bool open = t->in->features & VZ_F_BIT(VZ_F_NESTING);

	for (size_t i = 0; i < VZ_ARRAY_SIZE(read_only) && t->in->privileged; i++) {
		int r = make_read_only(t->proc, read_only[i]);

		if (r)
			return failed(err, r, read_only[i]);
	}
	for (size_t i = 0; i < VZ_ARRAY_SIZE(masked) && !open; i++) {
		int r = mask(t, t->proc, masked[i]);

		if (r)
			return failed(err, r, masked[i]);
	}
	for (size_t i = 0; i < VZ_ARRAY_SIZE(sys_masked) && !open && t->sys >= 0; i++) {
		int r = mask(t, t->sys, sys_masked[i]);

		if (r)
			return failed(err, r, sys_masked[i]);
	}
	return 0;
}

/* By what the tools find the file system whose quotas they are to show. */
static int show_quota(struct tree *t, struct vz_err *err)
{
	const struct vz_ugidview *q = t->in->quota;
	int r = 0;

	if (q->node < 0)
		return 0;
	/* DEVNODES may have put the true one there. */
	if (faccessat(t->dev, q->name, F_OK, AT_SYMLINK_NOFOLLOW)) {
		r = make_file(t->dev, q->name);
		if (!r)
			r = attach_at(q->node, t->dev, q->name);
	}
	if (!r && q->mounts >= 0)
		r = attach_at(q->mounts, t->proc, "mounts");
	return r ? vz_err_set(err, VZ_E_DQ_UGID, -r, "can't show the VE its quotas") : 0;
}

/* What fails is left out, and said by the launcher. */
static int mount_lxcfs(struct tree *t, struct vz_err *err)
{
	vz_lxcfs_attach(t->in->lxcfs, t->proc, t->sys);
	return 0;
}

/* The VE's tree becomes the root; the host's, left below it, is let go. */
static int leave_host(struct tree *t, struct vz_err *err)
{
	if (fchdir(t->root) || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't leave the host's root");
	return 0;
}

static int enter_groups(struct tree *t, struct vz_err *err)
{
	return t->enter_groups(t->in, err);
}

int vz_initfs_build(const struct vz_init *in,
		    int (*enter)(const struct vz_init *in, struct vz_err *err),
		    int *ret_master, int *ret_tty, struct vz_err *err)
{
	static int (*const steps[])(struct tree * t, struct vz_err * err) = {
		attach_root,  mount_proc_sys, mount_dev,  mount_dev_subs, make_console,
		mount_run,    mount_binds,    hide,	  mount_lxcfs,	  show_quota,
		enter_groups, mount_cgroup,   leave_host,
	};
	struct tree t = {
		.in = in,
		.enter_groups = enter,
		.root = -1,
		.proc = -1,
		.sys = -1,
		.dev = -1,
		.run = -1,
		.pts = -1,
		.empty = -1,
		.master = -1,
		.tty = -1,
	};
	int r = 0;

	/* This process closes all that it does not hand on, or ends. */
	for (size_t i = 0; i < VZ_ARRAY_SIZE(steps) && !r; i++)
		r = steps[i](&t, err);
	*ret_master = t.master;
	*ret_tty = t.tty;
	return r;
}
