/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * End of a VE's groups. Not through libcgroup: it moves the processes that it
 * finds to the parent group, where they would run on without a limit, and it
 * goes by path through directories that belong to the VE.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/cgroup.h"

/* A killed process that hangs in the kernel (a dead NFS server) is given up. */
#define DEATH_MS 10000

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* 1 or 0 as the key of cgroup.events says, or -errno. */
static int event_value(int fd, const char *key)
{
	char buf[128];
	const char *at;
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

	if (n < 0)
		return -errno;
	buf[n] = 0;
	at = strstr(buf, key);
	return at ? at[strlen(key)] == ' ' && at[strlen(key) + 1] == '1' : -ENOENT;
}

/* Wait until cgroup.events says so: the kernel signals each change by POLLPRI. */
static int wait_event(const struct vz_cg *cg, const char *key, int want)
{
	vz_autofd int fd = -1;
	int64_t end = now_ms() + DEATH_MS;
	char path[256];
	int r = vz_cg_path(cg, VZ_CG_UNIFIED, "cgroup.events", path, sizeof(path));

	if (r)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		int64_t left = end - now_ms();

		r = event_value(fd, key);
		if (r < 0 || r == want)
			return r < 0 && r != -ENODEV ? r : 0;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, left) < 0 && errno != EINTR)
			return -errno;
	}
}

/* v1's freezer tells nobody when it is done: ask again, pausing longer each time. */
static int freeze_v1(const struct vz_cg *cg, bool frozen)
{
	const char *want = frozen ? "FROZEN" : "THAWED";
	struct timespec pause = { .tv_nsec = 100000 };
	int64_t end = now_ms() + DEATH_MS;
	char state[16];
	int r = vz_cg_write(cg, VZ_CG_FREEZER, "freezer.state", want, NULL);

	while (!r) {
		r = vz_cg_read(cg, VZ_CG_FREEZER, "freezer.state", state, sizeof(state));
		if (r || !strcmp(state, want))
			break;
		if (now_ms() > end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 50000000)
			pause.tv_nsec *= 2;
	}
	return r;
}

int vz_cg_freeze(const struct vz_cg *cg, bool frozen, struct vz_err *err)
{
	int r;

	if (*cg->host->unified) {
		r = vz_cg_write(cg, VZ_CG_UNIFIED, "cgroup.freeze", frozen ? "1" : "0",
				NULL);
		if (!r)
			r = wait_event(cg, "frozen", frozen);
	} else {
		r = freeze_v1(cg, frozen);
	}
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't %s the processes of %s",
			      frozen ? "freeze" : "thaw", cg->name)
		 : 0;
}

struct victims {
	struct pollfd *fd;
	size_t n;
};

static void victims_done(struct victims *v)
{
	for (size_t i = 0; i < v->n; i++)
		close(v->fd[i].fd);
	free(v->fd);
}

/* Kill what the group's file lists, and keep a pidfd of each. */
static int kill_listed(const char *path, struct victims *v)
{
	vz_autofile FILE *f = fopen(path, "re");
	int pid;

	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (fscanf(f, "%d", &pid) == 1) {
		struct pollfd *more = realloc(v->fd, (v->n + 1) * sizeof(*more));
		int fd = more ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

		if (!more)
			return -ENOMEM;
		v->fd = more;
		if (fd < 0)
			continue;
		v->fd[v->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	}
	return 0;
}

static int wait_victims(struct victims *v, int64_t end)
{
	for (size_t i = 0; i < v->n; i++) {
		int64_t left = end - now_ms();
		int n = left > 0 ? poll(&v->fd[i], 1, left) : 0;

		if (!n)
			return -ETIMEDOUT;
		if (n < 0 && errno == EINTR)
			i--;
	}
	return 0;
}

/* A v1 hierarchy that the VE can't touch, and so lists all its processes. */
static enum vz_cg_ctrl host_owned(const struct vz_cg_host *host)
{
	for (int c = VZ_CG_FREEZER; c >= 0; c--)
		if (*host->v1[c])
			return c;
	return VZ_CG__COUNT;
}

static bool lists_processes(const struct vz_cg *cg)
{
	enum vz_cg_ctrl v1 = host_owned(cg->host);
	char buf[64];

	return v1 != VZ_CG__COUNT &&
	       !vz_cg_read(cg, v1, "cgroup.procs", buf, sizeof(buf)) && *buf;
}

/*
 * A host without cgroup.kill (Linux before 5.14, or no cgroup2 at all): freeze,
 * so that no process forks meanwhile, kill, thaw, wait; until none is listed.
 */
static int kill_listed_by_v1(const struct vz_cg *cg)
{
	int64_t end = now_ms() + DEATH_MS;
	char path[256];
	int r = 0;

	while (!r && lists_processes(cg)) {
		VZ_CLEANUP(victims_done) struct victims v = { 0 };

		vz_cg_path(cg, host_owned(cg->host), "cgroup.procs", path, sizeof(path));
		vz_cg_write(cg, VZ_CG_FREEZER, "freezer.state", "FROZEN", NULL);
		r = kill_listed(path, &v);
		vz_cg_write(cg, VZ_CG_FREEZER, "freezer.state", "THAWED", NULL);
		if (!r)
			r = wait_victims(&v, end);
	}
	return r;
}

static int kill_by_v2(const struct vz_cg *cg)
{
	int r = vz_cg_write(cg, VZ_CG_UNIFIED, "cgroup.kill", "1", NULL);

	/* A task that v1's freezer holds dies when it is let go. */
	if (!r && *cg->host->v1[VZ_CG_FREEZER])
		vz_cg_write(cg, VZ_CG_FREEZER, "freezer.state", "THAWED", NULL);
	return r ? r : wait_event(cg, "populated", 0);
}

int vz_cg_kill(const struct vz_cg *cg, struct vz_err *err)
{
	int r = *cg->host->unified ? kill_by_v2(cg) : 0;

	if (!r || r == -ENOENT)
		r = kill_listed_by_v1(cg);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r,
			      "can't kill the processes of the group %s", cg->name)
		 : 0;
}

/* The next directory in dir: 1 with its name, 0 none, -errno. */
static int first_subdir(int dir, char *name, size_t size)
{
	vz_autodir DIR *d = NULL;
	struct dirent *e;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") ||
		    !strcmp(e->d_name, ".."))
			continue;
		snprintf(name, size, "%s", e->d_name);
		return 1;
	}
	return 0;
}

/*
 * Remove the groups that the VE made below its own, however deep: one
 * descriptor and no recursion, going down into what is not empty and up by
 * `..` (which the kernel resolves among directories, there are no links).
 * A group that could not be removed and has none below it holds a process.
 */
static int remove_below(int top)
{
	char name[NAME_MAX + 1];
	vz_autofd int dir = fcntl(top, F_DUPFD_CLOEXEC, 3);
	size_t depth = 0;
	int r = dir < 0 ? -errno : 0;

	while (!r) {
		int found = first_subdir(dir, name, sizeof(name)), next;

		if (found <= 0 && (found < 0 || !depth))
			return found;
		if (found && !unlinkat(dir, name, AT_REMOVEDIR))
			continue;
		next = openat(dir, found ? name : "..",
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(dir);
		dir = next;
		depth += found ? 1 : -1;
		if (found && first_subdir(dir, name, sizeof(name)) == 0)
			r = -EBUSY;
	}
	return r;
}

static int remove_group(const struct vz_cg *cg, enum vz_cg_ctrl ctrl)
{
	vz_autofd int dir = -1;
	char path[256];
	int r = vz_cg_path(cg, ctrl, NULL, path, sizeof(path));

	if (r || !rmdir(path) || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	r = remove_below(dir);
	return r ? r : rmdir(path) ? -errno : 0;
}

static bool is_populated(const struct vz_cg *cg)
{
	char buf[64];

	if (*cg->host->unified &&
	    !vz_cg_read(cg, VZ_CG_UNIFIED, "cgroup.events", buf, sizeof(buf)) &&
	    strstr(buf, "populated 1"))
		return true;
	return lists_processes(cg);
}

int vz_cg_remove(struct vz_cg *cg, struct vz_err *err)
{
	int r = is_populated(cg) ? vz_cg_kill(cg, err) : 0;

	if (r)
		return r;
	for (int c = 0; c < VZ_CG__COUNT; c++) {
		/* A cgroup2 controller's group is the group of VZ_CG_UNIFIED. */
		if (c != VZ_CG_UNIFIED && !*cg->host->v1[c])
			continue;
		r = remove_group(cg, c);
		if (r)
			return vz_err_set(err, VZ_E_SYSTEM, -r,
					  "can't remove the group %s/%s",
					  vz_cg_mount(cg->host, c), cg->name);
	}
	return 0;
}

int vz_cg_remove_parent(const struct vz_cg *cg, struct vz_err *err)
{
	char path[256];

	for (int c = 0; c < VZ_CG__COUNT; c++) {
		if (!vz_cg_mount(cg->host, c) ||
		    (c != VZ_CG_UNIFIED && !*cg->host->v1[c]))
			continue;
		vz_cg_path(cg, c, NULL, path, sizeof(path));
		if (rmdir(path) && errno != ENOENT && errno != EBUSY &&
		    errno != ENOTEMPTY)
			return vz_err_set(err, VZ_E_SYSTEM, errno,
					  "can't remove the group %s", path);
	}
	return 0;
}
