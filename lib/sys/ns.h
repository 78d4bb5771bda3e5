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
/*
 * Be another user effectively, with root's capabilities and rights to files as
 * they are; 0: be root again. Whom a user namespace belongs to, and who has its
 * parent's capabilities, may do with its processes what root may.
 */
int vz_ns_act_as(uid_t uid);
/*
 * The same with CLONE_NEWUSER, the user namespace being that of `owner`, not
 * of root: the kernel counts what all users of a namespace hold together with
 * its owner, and keeps them within the owner's soft limits of that moment.
 * `signals`: how many may be queued (RLIM_INFINITY: as the caller has it).
 */
pid_t vz_ns_clone_owned(uint64_t flags, int cgroup_fd, uid_t owner, uint64_t signals,
			int *ret_pidfd);

/* Whose the user namespace of a process is: a host uid. 0 or -errno. */
int vz_ns_owner(pid_t pid, uid_t *ret);

/* Map ids 0 .. count-1 of a child's new user namespace. 0 or -errno. */
int vz_ns_write_maps(pid_t pid, uid_t uid, gid_t gid, uint32_t count);

/*
 * Move this process, which has no threads, into a new time namespace in which the
 * machine has just been booted: one of the user namespace that it is root of, or CRIU
 * could not dump it. 0 or -errno; -EINVAL: the kernel has no time namespaces.
 */
int vz_ns_new_time(void);

/*
 * Into a VE's network namespace for a moment. A descriptor of this process's own, for
 * vz_ns_leave_net(), or -errno. There is no way on from one that can't be left: what
 * follows would be done to the VE in place of the host, so the process ends.
 */
int vz_ns_enter_net(int netns);
void vz_ns_leave_net(int own);

/*
 * Without IPv6: in the network namespace `netns`, where this process is for that
 * moment. 0 or -errno; a kernel that has no IPv6 is fine.
 */
int vz_ns_no_ipv6(int netns);

/* Set the loopback link of this process's network namespace up. 0 or -errno. */
int vz_ns_lo_up(void);

/*
 * Under vzproc(8), which has a /proc of its own making: go back to the mount
 * namespace that it was called in, to which this link in its /proc leads. What
 * is mounted then is mounted there, and all processes are seen at once. 0 also
 * when this is no such /proc; -errno.
 */
#define VZ_NS_PROC_NODE ".node"
int vz_ns_leave_vzproc(void);

#endif
