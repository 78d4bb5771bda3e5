/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"

pid_t vz_ns_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = cgroup_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	if (pid)
		*ret_pidfd = pidfd;
	return pid;
}

int vz_ns_act_as(uid_t uid)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	if (syscall(SYS_capget, &head, caps) || syscall(SYS_setresuid, -1, uid, -1) ||
	    syscall(SYS_capset, &head, caps))
		return -errno;
	syscall(SYS_setfsuid, 0);
	/* A change of ids takes it away, and /proc/self with it. */
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

pid_t vz_ns_clone_owned(uint64_t flags, int cgroup_fd, uid_t owner, uint64_t signals,
			int *ret_pidfd)
{
	struct rlimit was, bound;
	pid_t pid;
	int r;

	if (getrlimit(RLIMIT_SIGPENDING, &was))
		return -errno;
	bound = was;
	if (signals < bound.rlim_max)
		bound.rlim_cur = signals;
	r = vz_ns_act_as(owner);
	if (!r && setrlimit(RLIMIT_SIGPENDING, &bound))
		r = -errno;
	pid = r ? r : vz_ns_clone(flags, cgroup_fd, ret_pidfd);
	if (!pid)
		return 0;
	setrlimit(RLIMIT_SIGPENDING, &was);
	r = vz_ns_act_as(0);
	return pid < 0 ? pid : r ? r : pid;
}

int vz_ns_owner(pid_t pid, uid_t *ret)
{
	vz_autofd int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 || ioctl(fd, NS_GET_OWNER_UID, ret) ? -errno : 0;
}

static int write_map(pid_t pid, const char *file, uint32_t first, uint32_t count)
{
	char path[64], map[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	snprintf(map, sizeof(map), "0 %u %u\n", first, count);
	return vz_write_small(AT_FDCWD, path, map);
}

int vz_ns_write_maps(pid_t pid, uid_t uid, gid_t gid, uint32_t count)
{
	int r = write_map(pid, "uid_map", uid, count);

	return r ? r : write_map(pid, "gid_map", gid, count);
}

int vz_ns_new_time(void)
{
	struct timespec mono, boot;
	vz_autofd int fd = -1;
	char offsets[128];
	int r;

	if (unshare(CLONE_NEWTIME))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	snprintf(offsets, sizeof(offsets), "monotonic %lld 0\nboottime %lld 0\n",
		 -(long long)mono.tv_sec, -(long long)boot.tv_sec);
	r = vz_write_small(AT_FDCWD, "/proc/self/timens_offsets", offsets);
	if (r)
		return r;
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	return fd < 0 || setns(fd, CLONE_NEWTIME) ? -errno : 0;
}

int vz_ns_lo_up(void)
{
	vz_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
}

int vz_ns_enter_net(int netns)
{
	vz_autofd int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return own < 0 || setns(netns, CLONE_NEWNET) ? -errno : vz_take_fd(&own);
}

void vz_ns_leave_net(int own)
{
	if (setns(own, CLONE_NEWNET))
		abort();
	close(own);
}

int vz_ns_no_ipv6(int netns)
{
	static const char *const files[] = { "all", "default" };
	int own = vz_ns_enter_net(netns);
	char path[64];
	int r = 0;

	if (own < 0)
		return own;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(files) && !r; i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
			 files[i]);
		r = vz_write_small(AT_FDCWD, path, "1");
	}
	vz_ns_leave_net(own);
	return r == -ENOENT ? 0 : r;
}

int vz_ns_leave_vzproc(void)
{
	vz_autofd int fd = open("/proc/" VZ_NS_PROC_NODE, O_RDONLY | O_CLOEXEC);
	char cwd[PATH_MAX];

	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	/* That goes to the root directory. */
	if (!getcwd(cwd, sizeof(cwd)) || setns(fd, CLONE_NEWNS) || chdir(cwd))
		return -errno;
	return 0;
}
