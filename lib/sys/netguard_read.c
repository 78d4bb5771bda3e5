/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is read of the guard: without libbpf, half a megabyte of which a list of
 * VEs has no use.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/bpffs.h"
#include "sys/netguard.h"

/* The names of the pins, in the order in which they are made: the last is the seal. */
static const struct pin {
	const char *name;
	size_t at;
} pins[] = {
	{ "nets4", offsetof(struct vz_netguard, nets4) },
	{ "nets6", offsetof(struct vz_netguard, nets6) },
	{ "links", offsetof(struct vz_netguard, links) },
	{ "addrs", offsetof(struct vz_netguard, addrs) },
	{ "asking", offsetof(struct vz_netguard, asking) },
	{ "groups", offsetof(struct vz_netguard, groups) },
	{ "traffic", offsetof(struct vz_netguard, traffic) },
	{ "from_ve", offsetof(struct vz_netguard, from_ve) },
	{ "to_ve", offsetof(struct vz_netguard, to_ve) },
};

static int *fd_at(struct vz_netguard *g, const struct pin *pin)
{
	return (int *)((char *)g + pin->at);
}

void vz_netguard_close(struct vz_netguard *g)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(pins); i++) {
		int *fd = fd_at(g, &pins[i]);

		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

int vz_netguard_find(const struct vz_ctx *ctx, struct vz_netguard *ret)
{
	struct vz_netguard g = VZ_NETGUARD_NONE;
	int r = 0;

	/* From the seal backwards. */
	for (size_t i = VZ_ARRAY_SIZE(pins); i-- && r >= 0;)
		r = *fd_at(&g, &pins[i]) =
			vz_bpffs_get(ctx, VZ_NETGUARD_VERSION, pins[i].name);
	if (r < 0) {
		vz_netguard_close(&g);
		return r;
	}
	*ret = g;
	return 0;
}

/* As many values has a per-CPU map an element: "0-3" has four, "0" one. */
static int possible_cpus(void)
{
	char list[256], *last;
	size_t n;

	if (vz_read_small(AT_FDCWD, "/sys/devices/system/cpu/possible", list,
			  sizeof(list)))
		return 0;
	n = strlen(list);
	for (last = list + n; last > list && last[-1] >= '0' && last[-1] <= '9'; last--)
		;
	return atoi(last) + 1;
}

static void add(struct vz_guard_count *to, const struct vz_guard_count *c)
{
	to->packets += c->packets;
	to->bytes += c->bytes;
}

int vz_netguard_traffic(const struct vz_netguard *g, uint32_t veid,
			struct vz_guard_traffic *ret)
{
	int cpus = possible_cpus();
	vz_autofree struct vz_guard_traffic *v =
		cpus > 0 ? calloc(cpus, sizeof(*v)) : NULL;
	struct vz_guard_traffic sum = { 0 };
	union bpf_attr attr = { 0 };

	if (!v)
		return -ENOMEM;
	attr.map_fd = g->traffic;
	attr.key = (uintptr_t)&veid;
	attr.value = (uintptr_t)v;
	if (syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)))
		return -errno;
	for (int cpu = 0; cpu < cpus; cpu++) {
		for (size_t i = 0; i < VZ_TRAFFIC_CLASSES; i++) {
			add(&sum.in[i], &v[cpu].in[i]);
			add(&sum.out[i], &v[cpu].out[i]);
		}
		add(&sum.dropped, &v[cpu].dropped);
	}
	*ret = sum;
	return 0;
}

int vz_netguard_show(const struct vz_ctx *ctx, uint32_t veid, int group_dir)
{
	vz_autofd int prog = vz_bpffs_get(ctx, VZ_NETGUARD_VERSION, "netacct");
	vz_autofd int groups = vz_bpffs_get(ctx, VZ_NETGUARD_VERSION, "groups");
	union bpf_attr attr = { 0 };
	struct stat st;

	if (prog < 0 || groups < 0)
		return prog < 0 ? prog : groups;
	/* kernfs: the inode is the group's number. */
	if (fstat(group_dir, &st))
		return -errno;
	attr.map_fd = groups;
	attr.key = (uintptr_t)&st.st_ino;
	attr.value = (uintptr_t)&veid;
	if (vz_bpf(BPF_MAP_UPDATE_ELEM, &attr))
		return -errno;
	return vz_bpffs_show(ctx, VZ_NETGUARD_VERSION, prog, "netacct", veid, group_dir);
}

void vz_netguard_hide(const struct vz_ctx *ctx, uint32_t veid, uint64_t group)
{
	vz_autofd int groups = vz_bpffs_get(ctx, VZ_NETGUARD_VERSION, "groups");
	union bpf_attr attr = { 0 };

	vz_bpffs_hide(ctx, VZ_NETGUARD_VERSION, "netacct", veid);
	attr.map_fd = groups;
	attr.key = (uintptr_t)&group;
	if (groups >= 0)
		vz_bpf(BPF_MAP_DELETE_ELEM, &attr);
}
