/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that a start can cost: groups, clone3 with all namespaces, id
 * maps, mounts, pivot_root, exec of the VE's init. Nothing is checked, nothing
 * is limited, nobody supervises.
 *
 *   floor start ROOT NAME     print nothing, leave its pid in /run/NAME.pid
 *   floor stop NAME           kill it, wait, remove its groups
 *   floor exec NAME COMMAND   run a program in it
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_ID 1900000000
#define NAMESPACES                                                                       \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS |      \
	 CLONE_NEWIPC)

static char groups[16][128];
static int n_groups, v2, ready_fd = -1;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	if (ready_fd >= 0 && write(ready_fd, "x", 1) != 1)
		_exit(2);
	_exit(1);
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	close(fd);
}

/* A copy of the parent's value: a new cpuset has none. */
static void inherit(const char *dir, const char *file)
{
	char path[256], value[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/../%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, value, sizeof(value) - 1);
	close(fd);
	value[n > 0 ? n : 0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	put(path, value);
}

static void find_groups(const char *name)
{
	char dir[128], type[32];
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f && fscanf(f, "%*s %127s %31s %*[^\n]", dir, type) == 2)
		if (!strncmp(type, "cgroup", 6) && n_groups < 16) {
			if (!strcmp(type, "cgroup2"))
				v2 = n_groups;
			snprintf(groups[n_groups++], sizeof(*groups), "%.100s/%.20s", dir,
				 name);
		}
	if (f)
		fclose(f);
}

static void make_groups(void)
{
	for (int i = 0; i < n_groups; i++) {
		if (mkdir(groups[i], 0755) && errno != EEXIST)
			die(groups[i]);
		if (strstr(groups[i], "/cpuset/")) {
			inherit(groups[i], "cpuset.cpus");
			inherit(groups[i], "cpuset.mems");
		}
	}
}

static void join_groups(const int *fds)
{
	for (int i = 0; i < n_groups; i++)
		if (i != v2 && write(fds[i], "0", 1) != 1)
			die(groups[i]);
}

static void open_groups(int *fds)
{
	char path[160];

	for (int i = 0; i < n_groups; i++) {
		snprintf(path, sizeof(path), "%s%s", groups[i], i == v2 ? "" : "/tasks");
		fds[i] = open(path, i == v2 ? O_RDONLY | O_DIRECTORY | O_CLOEXEC
					    : O_WRONLY | O_CLOEXEC);
		if (fds[i] < 0)
			die(path);
	}
}

static void mount_all(const char *root)
{
	static const char *const dev[] = { "null",   "zero",	"full",
					   "random", "urandom", "tty" };
	char from[64], to[64];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(root, root, NULL, MS_BIND | MS_REC, NULL) || chdir(root) ||
	    mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ||
	    mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) ||
	    mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=4m"))
		die("mount");
	for (size_t i = 0; i < sizeof(dev) / sizeof(*dev); i++) {
		snprintf(from, sizeof(from), "/dev/%s", dev[i]);
		snprintf(to, sizeof(to), "dev/%s", dev[i]);
		close(open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		if (mount(from, to, NULL, MS_BIND, NULL))
			die(from);
	}
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 01777);
	if (mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=620,gid=5") ||
	    mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") ||
	    mount("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"))
		die("mount in /dev");
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		die("pivot_root");
}

static _Noreturn void child(const char *root, const int *fds, int go, int ready)
{
	char c;

	ready_fd = ready;
	if (read(go, &c, 1) != 1 || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		die("become root");
	join_groups(fds);
	if (unshare(CLONE_NEWCGROUP))
		die("unshare");
	mount_all(root);
	setsid();
	dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
	dup2(0, 1);
	dup2(0, 2);
	execl("/sbin/init", "init", NULL);
	die("/sbin/init");
}

static int start(const char *root, const char *name)
{
	int fds[16], go[2], ready[2];
	char path[64], text[64], c;
	pid_t pid;

	make_groups();
	open_groups(fds);
	if (pipe2(go, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		die("pipe");
	struct clone_args args = { .flags = NAMESPACES | CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = fds[v2] };
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	if (!pid) {
		close(ready[0]);
		child(root, fds, go[0], ready[1]);
	}
	close(ready[1]);
	snprintf(text, sizeof(text), "0 %d 65536\n", FIRST_ID);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	put(path, text);
	if (write(go[1], "x", 1) != 1)
		die("go");
	/* Closed by its exec. */
	if (read(ready[0], &c, 1))
		return errno = ECHILD, 1;
	snprintf(path, sizeof(path), "/run/%s.pid", name);
	snprintf(text, sizeof(text), "%d", pid);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	put(path, text);
	return 0;
}

static pid_t read_pid(const char *name)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/run/%s.pid", name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%d", &pid) != 1 || pid <= 1)
		die(path);
	fclose(f);
	return pid;
}

static int stop(const char *name)
{
	pid_t pid = read_pid(name);
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	char path[64];

	if (p.fd < 0 || syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0))
		die("kill");
	poll(&p, 1, 5000);
	for (int i = 0; i < n_groups; i++)
		for (int try = 0; rmdir(groups[i]) && errno == EBUSY && try < 100; try++)
			usleep(1000);
	snprintf(path, sizeof(path), "/run/%s.pid", name);
	return unlink(path) != 0;
}

static int enter(const char *name, char **argv)
{
	int pidfd = syscall(SYS_pidfd_open, read_pid(name), 0), fds[16], status;
	pid_t pid;

	open_groups(fds);
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = fds[v2] };
	if (pidfd < 0 || setns(pidfd, NAMESPACES | CLONE_NEWCGROUP) || chroot("."))
		die("setns");
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	if (!pid) {
		join_groups(fds);
		execv(argv[0], argv);
		die(argv[0]);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	find_groups(argc > 2 ? argv[argc == 4 && !strcmp(argv[1], "start") ? 3 : 2] : "");
	if (argc == 4 && !strcmp(argv[1], "start"))
		return start(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "stop"))
		return stop(argv[2]);
	if (argc > 3 && !strcmp(argv[1], "exec"))
		return enter(argv[2], argv + 3);
	return fprintf(stderr,
		       "usage: floor start ROOT NAME | stop NAME | exec NAME CMD\n"),
	       2;
}
