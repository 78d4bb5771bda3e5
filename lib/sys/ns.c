/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
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

int vz_ns_new_time(int *ret_own)
{
	vz_autofd int own = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
	struct timespec mono, boot;
	char offsets[128];
	int r;

	if (own < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	if (unshare(CLONE_NEWTIME))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	snprintf(offsets, sizeof(offsets), "monotonic %lld 0\nboottime %lld 0\n",
		 -(long long)mono.tv_sec, -(long long)boot.tv_sec);
	r = vz_write_small(AT_FDCWD, "/proc/self/timens_offsets", offsets);
	if (r) {
		vz_ns_end_time(own);
		return r;
	}
	*ret_own = vz_take_fd(&own);
	return 0;
}

int vz_ns_end_time(int own)
{
	return setns(own, CLONE_NEWTIME) ? -errno : 0;
}

int vz_ns_lo_up(void)
{
	vz_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
}
