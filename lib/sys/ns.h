/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_NS_H
#define VZ_SYS_NS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * clone3() of this process without sharing anything: `flags` are the new
 * namespaces, cgroup_fd is a cgroup2 directory to be born in (-1: none).
 * Returns the pid (and a pidfd) in the parent, 0 in the child, or -errno.
 */
pid_t vz_ns_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd);

/* Map ids 0 .. count-1 of a child's new user namespace. 0 or -errno. */
int vz_ns_write_maps(pid_t pid, uid_t uid, gid_t gid, uint32_t count);

/*
 * Let the next child be born in a time namespace in which the machine has
 * just been booted. *ret_own is for vz_ns_end_time(), which brings this
 * process back: an execve() would otherwise move it there, too.
 * 0 or -errno; -EINVAL: the kernel has no time namespaces.
 */
int vz_ns_new_time(int *ret_own);
int vz_ns_end_time(int own);

/* Set the loopback link of this process's network namespace up. 0 or -errno. */
int vz_ns_lo_up(void);

#endif
