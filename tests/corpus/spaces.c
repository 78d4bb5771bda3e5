/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts, namespaces and network devices. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "corpus.h"

static pid_t child;
static int fd = -1;

static bool has_child(void)
{
	return lives(child);
}

static bool has_fd(void)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* --- mounts --- */

static void mount_at(const char *dir, const char *what, const char *type,
		     const char *options)
{
	must(!mkdir(dir, 0755) || errno == EEXIST, dir);
	skip_unless(!mount(what, dir, type, 0, options), type);
}

static void new_file(const char *path)
{
	fd = open(path, O_RDWR | O_CREAT, 0600);
	must(fd >= 0 && writes(fd, WORD), path);
}

static bool has_file(void)
{
	return !lseek(fd, 0, SEEK_SET) && reads(fd, WORD);
}

static void make_tmpfs(void)
{
	mount_at("m", "none", "tmpfs", "size=1m");
	new_file("m/file");
}

static void bind_in(const char *from)
{
	must(!mkdir("m", 0755) && !mount(from, "m", NULL, MS_BIND, NULL), "bind");
}

static void make_bind_dir(void)
{
	must(!mkdir("from", 0755), "from");
	bind_in("from");
	new_file("m/file");
}

static void make_bind_tmpfs_dir(void)
{
	must(!mkdir("/dev/shm/from", 0755), "from");
	bind_in("/dev/shm/from");
	new_file("m/file");
}

static void make_bind_device(void)
{
	close(open("m", O_RDWR | O_CREAT, 0600));
	must(!mount("/dev/null", "m", NULL, MS_BIND, NULL), "bind");
	fd = open("m", O_RDWR);
}

static void make_overlay(void)
{
	char dir[200], options[800];

	must(!mkdir("lower", 0755) && getcwd(dir, sizeof(dir)), "lower");
	mount_at("up", "none", "tmpfs", NULL);
	must(!mkdir("up/upper", 0755) && !mkdir("up/work", 0755), "mkdir");
	snprintf(options, sizeof(options),
		 "lowerdir=%s/lower,upperdir=%s/up/upper,workdir=%s/up/work,userxattr",
		 dir, dir, dir);
	mount_at("m", "overlay", "overlay", options);
	new_file("m/file");
}

/* As systemd does for services that watch the pressure on their memory. */
static void make_cgroup_file(void)
{
	close(open("m", O_RDWR | O_CREAT, 0600));
	skip_unless(!mount("/sys/fs/cgroup/cgroup.procs", "m", NULL, MS_BIND, NULL),
		    "a control group's file");
	fd = open("m", O_RDONLY);
}

static void make_ramfs(void)
{
	mount_at("m", "none", "ramfs", NULL);
	new_file("m/file");
}

static void make_mqueue(void)
{
	mount_at("m", "none", "mqueue", NULL);
	must(!close(open("m/queue", O_RDWR | O_CREAT, 0600)), "queue");
	fd = 0;
}

static void make_fuse(void)
{
	char options[100];

	fd = open("/dev/fuse", O_RDWR);
	skip_unless(fd >= 0, "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 fd);
	mount_at("m", "corpus", "fuse", options);
}

/* A file of what something else was mounted over. */
static void make_overmounted(void)
{
	make_tmpfs();
	mount_at("m", "none", "tmpfs", "size=1m");
}

/* A file of what is mounted no more. */
static void make_unmounted(void)
{
	make_tmpfs();
	must(!umount2("m", MNT_DETACH), "umount");
}

static void own_mounts(void)
{
	skip_unless(!unshare(CLONE_NEWNS), "mount namespace");
	make_tmpfs();
}

static void make_mount_ns(void)
{
	child = helper(own_mounts);
}

/* --- namespaces --- */

static void apart(int flags, const char *what)
{
	skip_unless(!unshare(flags), what);
}

static void net_ns(void)
{
	apart(CLONE_NEWNET, "network namespace");
}

static void make_net_ns(void)
{
	child = helper(net_ns);
}

static void net_ns_socket(void)
{
	net_ns();
	must(socket(AF_INET, SOCK_STREAM, 0) >= 0, "socket");
}

static void make_net_ns_socket(void)
{
	child = helper(net_ns_socket);
}

static void uts_ns(void)
{
	apart(CLONE_NEWUTS, "uts namespace");
}

static void make_uts_ns(void)
{
	child = helper(uts_ns);
}

static void ipc_ns(void)
{
	apart(CLONE_NEWIPC, "ipc namespace");
}

static void make_ipc_ns(void)
{
	child = helper(ipc_ns);
}

static void user_ns(void)
{
	apart(CLONE_NEWUSER, "user namespace");
}

static void make_user_ns(void)
{
	child = helper(user_ns);
}

static void cgroup_ns(void)
{
	apart(CLONE_NEWCGROUP, "cgroup namespace");
}

static void make_cgroup_ns(void)
{
	child = helper(cgroup_ns);
}

static void time_ns(void)
{
	apart(0x80, "time namespace");
}

static void make_time_ns(void)
{
	child = helper(time_ns);
}

static void wait_here(void)
{
}

static void make_pid_ns(void)
{
	apart(CLONE_NEWPID, "pid namespace");
	child = helper(wait_here);
}

static void make_ns_fd(void)
{
	fd = open("/proc/self/ns/net", O_RDONLY);
	must(fd >= 0, "ns");
}

/* Of a namespace that no process is in. */
static void make_ns_fd_empty(void)
{
	char path[64];

	make_net_ns();
	snprintf(path, sizeof(path), "/proc/%d/ns/net", child);
	fd = open(path, O_RDONLY);
	must(fd >= 0 && !kill(child, 9) && waitpid(child, NULL, 0) == child, "ns");
}

/* As `ip netns add` has it. */
static void make_ns_mount(void)
{
	make_net_ns();
	close(open("m", O_RDWR | O_CREAT, 0600));
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", child);
	skip_unless(!mount(path, "m", NULL, MS_BIND, NULL), "mount of a namespace");
	must(!kill(child, 9) && waitpid(child, NULL, 0) == child, "ns");
	fd = 0;
}

/* --- devices --- */

static void tun_of(int flags)
{
	struct ifreq ifr = { .ifr_flags = flags | IFF_NO_PI };

	fd = open("/dev/net/tun", O_RDWR);
	skip_unless(fd >= 0, "/dev/net/tun");
	strcpy(ifr.ifr_name, "corpus0");
	skip_unless(!ioctl(fd, TUNSETIFF, &ifr), "TUNSETIFF");
}

static void make_tun(void)
{
	tun_of(IFF_TUN);
}

static void make_tap(void)
{
	tun_of(IFF_TAP);
}

/* A link of a kind without parameters. */
static void link_of(const char *kind)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
		char room[256];
	} m = { .h = { NLMSG_LENGTH(sizeof(m.i)), RTM_NEWLINK,
		       NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 1, 0 } };
	struct rtattr *name = (void *)m.room, *info, *k;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char room[1024];
	} answer;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	name->rta_type = IFLA_IFNAME;
	name->rta_len = RTA_LENGTH(8);
	memcpy(RTA_DATA(name), "corpus0", 8);
	info = (void *)((char *)name + RTA_ALIGN(name->rta_len));
	k = RTA_DATA(info);
	k->rta_type = IFLA_INFO_KIND;
	k->rta_len = RTA_LENGTH(strlen(kind) + 1);
	strcpy(RTA_DATA(k), kind);
	info->rta_type = IFLA_LINKINFO;
	info->rta_len = RTA_LENGTH(RTA_ALIGN(k->rta_len));
	m.h.nlmsg_len = (char *)info + RTA_ALIGN(info->rta_len) - (char *)&m;
	must(send(s, &m, m.h.nlmsg_len, 0) > 0 && recv(s, &answer, sizeof(answer), 0) > 0,
	     kind);
	errno = -answer.e.error;
	skip_unless(!answer.e.error, kind);
	close(s);
	fd = 0;
}

static void make_dummy(void)
{
	link_of("dummy");
}

static void make_bridge(void)
{
	link_of("bridge");
}

static void make_veth(void)
{
	link_of("veth");
}

static void make_ifb(void)
{
	link_of("ifb");
}

const struct thing space_things[] = {
	{ "mount-tmpfs", make_tmpfs, has_file },
	{ "mount-bind-dir", make_bind_dir, has_file },
	{ "mount-bind-tmpfs", make_bind_tmpfs_dir, has_file },
	{ "mount-bind-device", make_bind_device, has_fd },
	{ "mount-overlay", make_overlay, has_file },
	{ "mount-cgroup-file", make_cgroup_file, has_fd },
	{ "mount-ramfs", make_ramfs, has_file },
	{ "mount-mqueue", make_mqueue, has_fd },
	{ "mount-fuse", make_fuse, has_fd },
	{ "mount-overmounted", make_overmounted, has_file },
	{ "mount-gone", make_unmounted, has_file },
	{ "mount-ns", make_mount_ns, has_child },
	{ "net-ns", make_net_ns, has_child },
	{ "net-ns-socket", make_net_ns_socket, has_child },
	{ "uts-ns", make_uts_ns, has_child },
	{ "ipc-ns", make_ipc_ns, has_child },
	{ "user-ns", make_user_ns, has_child },
	{ "cgroup-ns", make_cgroup_ns, has_child },
	{ "time-ns", make_time_ns, has_child },
	{ "pid-ns", make_pid_ns, has_child },
	{ "ns-fd", make_ns_fd, has_fd },
	{ "ns-fd-empty", make_ns_fd_empty, has_fd },
	{ "ns-mount", make_ns_mount, has_fd },
	{ "tun", make_tun, has_fd },
	{ "tap", make_tap, has_fd },
	{ "link-dummy", make_dummy, has_fd },
	{ "link-bridge", make_bridge, has_fd },
	{ "link-veth", make_veth, has_fd },
	{ "link-ifb", make_ifb, has_fd },
	{ 0 },
};
