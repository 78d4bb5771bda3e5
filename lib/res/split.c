/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of this file are OpenVZ's, so that nodes are split as they were. */
#include "res/split.h"

#include <inttypes.h>

#include "base/num.h"

#define MIB ((uint64_t)1 << 20)
#define PAGE 4096
#define NODE_MEMORY (50 * MIB) /* what the node keeps */
#define VE_MEMORY 5542912 /* at least, a VE; of it … */
#define VE_LOW 1348608 /* … in low memory */

#define MIN_PROCS 30
#define MIN_GUARANTEE 1024 /* pages */
#define MIN_TCP_BUF 65536
#define MIN_SOCK_BUF 32768
#define SOCK_PACKET 2560
#define PROC_FILES 32

#define NODE_DISK ((uint64_t)10 << 20) /* KiB */
#define NODE_INODES 100000
#define SMALL_DISK 225280 /* KiB, of a VE for which the disk has no room */
#define SMALL_INODES 88000

/* How generous a level is: fractions are in tenths. */
struct level {
	int kernel; /* memory for the kernel, of 40 per cent of low memory */
	int procs; /* processes, of the node's */
	int procs_a_running; /* at most so many for each that runs on average */
	int proc_kmem; /* kernel memory for one of those */
	int sock_least, sock_each; /* buffers: all TCP sockets, each socket */
	int siginfo;
	int file_dcache;
	int overcommit; /* private memory, of what is guaranteed */
	int locked; /* pages in 200 KiB of kernel memory */
	int64_t least; /* memory for the kernel below which it is not this level */
};

static const struct level levels[] = {
	[VZ_SPLIT_PLENTY] = { 10, 10, 8, 81920, 262144, 4096, 1024, 5760, 60, 10,
			      10 * MIB },
	[VZ_SPLIT_NORMAL] = { 12, 15, 5, 65536, 131072, 3036, 512, 4608, 30, 3, 2 * MIB },
	[VZ_SPLIT_TIGHT] = { 18, 20, 3, 53248, 65536, SOCK_PACKET, 256, 3840, 15, 1, 0 },
	[VZ_SPLIT_SHORTAGE] = { 20, 20, 2, 53248, MIN_TCP_BUF, SOCK_PACKET, 256, 3840, 15,
				1, 0 },
};

/* A VE's part of the node, while it is worked out. */
struct part {
	int64_t total; /* bytes */
	int64_t guarantee; /* pages */
	int64_t low; /* bytes: kernel memory and buffers */
	int64_t kmem;
	int64_t procs, running;
	int64_t tcp_buf, sock_buf; /* barriers */
	int64_t room; /* above these barriers, for a packet a socket */
};

static int64_t at_least(int64_t v, int64_t least)
{
	return v < least ? least : v;
}

static int64_t at_most(int64_t v, int64_t most)
{
	return v > most ? most : v;
}

static uint64_t low_memory(const struct vz_machine *m)
{
	return m->lowmem ? m->lowmem : m->ram;
}

/* What of the node's memory is for the kernel's side of this VE. */
static void share_memory(const struct vz_split *s, const struct level *l, struct part *p)
{
	const struct vz_machine *m = &s->node.machine;

	p->total = (m->ram + m->swap - NODE_MEMORY) / s->ves;
	p->low = (unsigned __int128)low_memory(m) * 4 * l->kernel / (100 * s->ves);
	p->guarantee = (p->total - p->low) / PAGE;
	if (p->guarantee < MIN_GUARANTEE) {
		p->guarantee = MIN_GUARANTEE;
		p->low = p->total - p->guarantee * PAGE;
	}
	p->procs = s->threads * l->procs / (10 * s->ves);
}

/* Half of it is the kernel's own, the rest are the buffers' in thirds. */
static bool fits(const struct vz_split *s, const struct level *l, struct part *p)
{
	int64_t third;

	share_memory(s, l, p);
	p->kmem = p->low / 2;
	p->running = p->kmem / l->proc_kmem;
	if (p->low < l->least || p->running < MIN_PROCS / 2)
		return false;
	p->procs = at_least(p->procs, at_least(2 * p->running, MIN_PROCS));
	p->procs = at_most(p->procs, p->running * l->procs_a_running);
	third = (p->low - p->kmem) / 3;
	p->room = l->sock_each * p->procs;
	if (third < l->sock_least + p->room)
		return false;
	p->tcp_buf = third - p->room;
	p->sock_buf = p->tcp_buf / 2;
	return true;
}

/* The buffers get the least that they can do with, and the kernel the rest. */
static bool fits_shortage(const struct vz_split *s, const struct level *l, struct part *p)
{
	share_memory(s, l, p);
	do {
		p->procs = at_least(p->procs / 2, MIN_PROCS);
		p->running = p->procs / 2;
		p->room = SOCK_PACKET * p->procs;
		p->kmem = p->low - 2 * (MIN_TCP_BUF + MIN_SOCK_BUF) - 3 * p->room;
	} while (p->kmem < p->running * l->proc_kmem && p->procs > MIN_PROCS);
	p->tcp_buf = MIN_TCP_BUF;
	p->sock_buf = MIN_SOCK_BUF;
	return p->kmem >= p->running * l->proc_kmem;
}

static void set(struct vz_split *s, enum vz_param_id id, uint64_t barrier, uint64_t limit)
{
	s->v[id] = (struct vz_limit){ barrier, limit };
}

static void set_both(struct vz_split *s, enum vz_param_id id, uint64_t v)
{
	set(s, id, v, v);
}

static void set_kernel(struct vz_split *s, const struct level *l, const struct part *p)
{
	int64_t files = p->running * PROC_FILES, dcache = files * l->file_dcache / 10;
	int64_t locks = at_most(files / 10, 1000);

	set_both(s, VZ_P_NUMPROC, p->procs);
	set_both(s, VZ_P_AVNUMPROC, p->running);
	set(s, VZ_P_KMEMSIZE, p->kmem, p->kmem + p->kmem / 10);
	set_both(s, VZ_P_NUMFILE, files);
	set(s, VZ_P_DCACHESIZE, dcache * 100 / 103, dcache);
	set(s, VZ_P_NUMFLOCK, locks, locks + locks / 10);
	set_both(s, VZ_P_NUMPTY, at_most(at_least(p->procs / 10, 4), 512));
	set_both(s, VZ_P_NUMSIGINFO, l->siginfo);
	set_both(s, VZ_P_LOCKEDPAGES, at_least(p->kmem * l->locked / (200 << 10), 4));
	set_both(s, VZ_P_NUMIPTENT, at_least(at_most(2000 / s->ves, 200), 4));
}

static void set_sockets(struct vz_split *s, const struct part *p)
{
	set_both(s, VZ_P_NUMTCPSOCK, p->procs);
	set_both(s, VZ_P_NUMOTHERSOCK, p->procs);
	set(s, VZ_P_TCPSNDBUF, p->tcp_buf, p->tcp_buf + p->room);
	set(s, VZ_P_TCPRCVBUF, p->tcp_buf, p->tcp_buf + p->room);
	set(s, VZ_P_OTHERSOCKBUF, p->sock_buf, p->sock_buf + p->room);
	set_both(s, VZ_P_DGRAMRCVBUF, p->sock_buf);
}

/* More than is guaranteed may be allocated, as long as it is not the node. */
static void set_memory(struct vz_split *s, const struct level *l, struct part *p)
{
	int64_t private = p->guarantee * l->overcommit / 10;
	int64_t most = s->node.machine.ram / PAGE * 6 / 10;

	if (private > p->total / PAGE)
	private = p->guarantee;
	if (s->ves > 1 && private > most) {
		private = most;
		p->guarantee = at_most(p->guarantee, private);
	}
	set(s, VZ_P_PRIVVMPAGES, private, private + private / 10);
	set(s, VZ_P_VMGUARPAGES, p->guarantee, VZ_UNLIMITED);
	set(s, VZ_P_OOMGUARPAGES, p->guarantee, VZ_UNLIMITED);
	set(s, VZ_P_PHYSPAGES, 0, VZ_UNLIMITED);
	set_both(s, VZ_P_SHMPAGES, private / 10);
}

/* RAM without what the node keeps, and all of the swap space. */
static void split_vswap(struct vz_split *s)
{
	const struct vz_machine *m = &s->node.machine;

	set(s, VZ_P_PHYSPAGES, 0, (m->ram - NODE_MEMORY) / s->ves / PAGE);
	set(s, VZ_P_SWAPPAGES, 0, m->swap / s->ves / PAGE);
}

static int split_counters(struct vz_split *s, struct vz_err *err)
{
	const struct level *l = levels;
	struct part p = { 0 };

	while (l < levels + VZ_SPLIT_SHORTAGE && !fits(s, l, &p))
		l++;
	s->level = l - levels;
	if (s->level == VZ_SPLIT_SHORTAGE && !fits_shortage(s, l, &p))
		return vz_err_set(
			err, VZ_E_RESOURCES, 0,
			"the node has too little memory for the kernel's side of "
			"%" PRIu64 " VEs: take fewer",
			s->ves);
	set_kernel(s, l, &p);
	set_sockets(s, &p);
	set_memory(s, l, &p);
	return 0;
}

/* Without what the node keeps, which of a small one is half. */
static uint64_t after_node(uint64_t have, uint64_t node, bool *ret_small)
{
	if (have / 2 >= node)
		return have - node;
	*ret_small = true;
	return have / 2;
}

/* Half of the disk is shared out: VEs grow. */
static void split_disk(struct vz_split *s)
{
	uint64_t disk = after_node(s->node.disk, NODE_DISK, &s->small_disk);
	uint64_t inodes =
		s->node.inodes ? after_node(s->node.inodes, NODE_INODES, &s->small_disk)
			       : disk / SMALL_DISK * SMALL_INODES;
	uint64_t space = disk / (2 * s->ves), files = inodes / (2 * s->ves);

	if (!s->node.disk)
		s->small_disk = false;
	s->disk_full = s->node.disk &&
		       (disk / SMALL_DISK < s->ves || inodes / SMALL_INODES < s->ves);
	if (!s->node.disk || s->disk_full) {
		space = SMALL_DISK;
		files = SMALL_INODES;
	}
	set(s, VZ_P_DISKSPACE, space * 10 / 11, space);
	set(s, VZ_P_DISKINODES, files * 10 / 11, files);
}

/* How many VEs there is memory for, at the very least that one needs. */
static uint64_t most_ves(const struct vz_machine *m)
{
	uint64_t all, low = low_memory(m);

	if (m->ram <= NODE_MEMORY || low <= NODE_MEMORY)
		return 0;
	all = (m->ram + m->swap - NODE_MEMORY) / VE_MEMORY;
	low = (low - NODE_MEMORY) / VE_LOW;
	return all < low ? all : low;
}

int vz_split(const struct vz_split_node *node, uint64_t n, bool vswap,
	     struct vz_split *ret, struct vz_err *err)
{
	struct vz_split s = { .ves = n, .node = *node, .vswap = vswap };
	uint64_t most = most_ves(&node->machine);
	int r = 0;

	if (!n)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "can't split a node among 0 VEs: expected 1 or more");
	if (n > most)
		return vz_err_set(
			err, VZ_E_RESOURCES, 0,
			"the node's %" PRIu64 " MiB of RAM and swap space have room "
			"for %" PRIu64 " VEs at most, not for %" PRIu64,
			(node->machine.ram + node->machine.swap) / MIB, most, n);
	/* Process numbers of old: 16000 on all but the smallest nodes. */
	s.threads = at_most(node->machine.threads_max,
			    low_memory(&node->machine) > 2048 * MIB ? 16000 : 8000);
	if (vswap)
		split_vswap(&s);
	else
		r = split_counters(&s, err);
	split_disk(&s);
	if (!r)
		*ret = s;
	return r;
}

/* -- as a file -- */

static const char *const level_words[] = {
	[VZ_SPLIT_PLENTY] = "plenty of everything: any value may go up.",
	[VZ_SPLIT_NORMAL] = "enough of everything: secondary values may go up.",
	[VZ_SPLIT_TIGHT] = "little memory: only auxiliary values may go up.",
	[VZ_SPLIT_SHORTAGE] = "as little as works: no value can go up.",
};

/* clang-format off */
static const enum vz_param_id order[] = {
	VZ_P_NUMPROC, VZ_P_AVNUMPROC, VZ_P_NUMTCPSOCK, VZ_P_NUMOTHERSOCK, VZ_P_VMGUARPAGES,
	VZ_P_KMEMSIZE, VZ_P_TCPSNDBUF, VZ_P_TCPRCVBUF, VZ_P_OTHERSOCKBUF, VZ_P_DGRAMRCVBUF,
	VZ_P_OOMGUARPAGES, VZ_P_PRIVVMPAGES,
	VZ_P_LOCKEDPAGES, VZ_P_SHMPAGES, VZ_P_PHYSPAGES, VZ_P_NUMFILE, VZ_P_NUMFLOCK,
	VZ_P_NUMPTY, VZ_P_NUMSIGINFO, VZ_P_DCACHESIZE, VZ_P_NUMIPTENT,
};
/* clang-format on */

static void put(const struct vz_split *s, enum vz_param_id id, struct vz_str *out)
{
	const struct vz_limit *v = &s->v[id];

	vz_str_addf(out, "%s=\"%" PRIu64 ":", vz_params[id].key, v->barrier);
	if (v->limit == VZ_UNLIMITED)
		vz_str_add(out, "unlimited\"\n");
	else
		vz_str_addf(out, "%" PRIu64 "\"\n", v->limit);
}

static void put_counters(const struct vz_split *s, struct vz_str *out)
{
	vz_str_addf(out, "# Level %d: %s\n", s->level, level_words[s->level]);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(order); i++) {
		if (!i)
			vz_str_add(out, "\n# Primary\n");
		else if (order[i] == VZ_P_KMEMSIZE)
			vz_str_add(out, "\n# Secondary\n");
		else if (order[i] == VZ_P_LOCKEDPAGES)
			vz_str_add(out, "\n# Auxiliary\n");
		put(s, order[i], out);
	}
}

void vz_split_format(const struct vz_split *s, struct vz_str *out)
{
	const struct vz_machine *m = &s->node.machine;

	vz_str_addf(out,
		    "# Made by vzsplit: one of %" PRIu64 " VEs on a node with %" PRIu64
		    " MiB of RAM,\n# %" PRIu64 " MiB of it low memory, %" PRIu64
		    " MiB of swap space, %" PRIu64 " threads.\n",
		    s->ves, m->ram / MIB, low_memory(m) / MIB, m->swap / MIB, s->threads);
	if (s->vswap) {
		vz_str_add(out, "\n# RAM and swap space; all else follows from these.\n");
		put(s, VZ_P_PHYSPAGES, out);
		put(s, VZ_P_SWAPPAGES, out);
	} else {
		put_counters(s, out);
	}
	vz_str_add(out, "\n# Disk\n");
	put(s, VZ_P_DISKSPACE, out);
	put(s, VZ_P_DISKINODES, out);
	vz_str_add(out, "\nCPUUNITS=\"1000\"\n");
}
