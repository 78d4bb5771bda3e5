/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/netguard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net.skel.h"
#include "sys/bpffs.h"

#define KIND VZ_NETGUARD_VERSION

static void net_destroyp(struct net **n)
{
	net__destroy(*n);
}

static int pin_all(struct net *net, const char *dir)
{
	static const char *const maps[] = { "nets4",  "nets6",	"links",  "addrs",
					    "asking", "groups", "traffic" };
	static const char *const progs[] = { "from_ve", "to_ve" };
	int r = 0;

	if (bpf_program__autoload(net->progs.netacct))
		r = vz_bpffs_pin(dir, "netacct", bpf_program__fd(net->progs.netacct));
	for (size_t i = 0; i < VZ_ARRAY_SIZE(maps) && !r; i++)
		r = vz_bpffs_pin(dir, maps[i],
				 bpf_object__find_map_fd_by_name(net->obj, maps[i]));
	for (size_t i = 0; i < VZ_ARRAY_SIZE(progs) && !r; i++)
		r = vz_bpffs_pin(dir, progs[i],
				 bpf_program__fd(bpf_object__find_program_by_name(
					 net->obj, progs[i])));
	return r;
}

static struct net *load_some(bool netacct)
{
	VZ_CLEANUP(net_destroyp) struct net *net = net__open();

	if (!net)
		return NULL;
	bpf_program__set_autoload(net->progs.netacct, netacct);
	return net__load(net) ? NULL : vz_take(net);
}

static int load(const char *dir, struct vz_err *err)
{
	VZ_CLEANUP(net_destroyp) struct net *net = load_some(true);
	int r;

	errno = 0;
	if (!net)
		net = load_some(false);
	r = net ? pin_all(net, dir) : errno ? -errno : -EINVAL;
	return r ? vz_err_set(err, VZ_E_KERNEL, -r,
			      "the kernel does not take the filter of VEs' links (BPF)")
		 : 0;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

int vz_netguard_open(const struct vz_ctx *ctx, struct vz_netguard *ret, bool *ret_fresh,
		     struct vz_err *err)
{
	vz_autofd int lock = -1;
	char dir[PATH_MAX];
	bool fresh = false;
	int r;

	libbpf_set_print(quiet);
	if (ret_fresh)
		*ret_fresh = false;
	if (!vz_netguard_find(ctx, ret))
		return 0;
	r = vz_bpffs_lock(ctx, KIND, dir, sizeof(dir), &lock, err);
	/* Another one may have been faster. */
	if (!r && vz_netguard_find(ctx, ret)) {
		r = load(dir, err);
		if (!r && vz_netguard_find(ctx, ret))
			r = vz_err_set(err, VZ_E_KERNEL, errno, "can't open %s", dir);
		fresh = !r;
	}
	if (ret_fresh)
		*ret_fresh = fresh;
	return r;
}

static int attach_one(int dev, enum bpf_tc_attach_point where, int prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = dev, .attach_point = where);
	LIBBPF_OPTS(bpf_tc_opts, how, .prog_fd = prog, .handle = 1, .priority = 1,
		    .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &how);
}

/* Per-CPU values: what comes from elsewhere is put with the first CPU. */
static int begin_counters(const struct vz_netguard *g, uint32_t veid,
			  const struct vz_guard_traffic *base)
{
	int cpus = libbpf_num_possible_cpus();
	vz_autofree struct vz_guard_traffic *v =
		cpus > 0 ? calloc(cpus, sizeof(*v)) : NULL;

	if (!v)
		return -ENOMEM;
	if (base)
		v[0] = *base;
	return bpf_map_update_elem(g->traffic, &veid, v, BPF_NOEXIST) && errno != EEXIST
		       ? -errno
		       : 0;
}

/* At once as many as ever. */
static int begin_asking(const struct vz_netguard *g, uint32_t veid)
{
	const struct vz_guard_asking full = { .left = VZ_GUARD_ASK_MOST };

	return bpf_map_update_elem(g->asking, &veid, &full, BPF_NOEXIST) &&
			       errno != EEXIST
		       ? -errno
		       : 0;
}

int vz_netguard_attach(const struct vz_netguard *g, int dev,
		       const struct vz_guard_link *link,
		       const struct vz_guard_traffic *base, struct vz_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, both, .ifindex = dev,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	uint32_t key = dev;
	int r = begin_counters(g, link->veid, base);

	if (!r)
		r = begin_asking(g, link->veid);
	if (!r && bpf_map_update_elem(g->links, &key, link, BPF_ANY))
		r = -errno;
	if (!r)
		r = bpf_tc_hook_create(&both);
	if (!r || r == -EEXIST)
		r = attach_one(dev, BPF_TC_INGRESS, g->from_ve);
	if (!r)
		r = attach_one(dev, BPF_TC_EGRESS, g->to_ve);
	return r ? vz_err_set(err, VZ_E_KERNEL, -r,
			      "can't guard VE %u's link (clsact and BPF on device %d)",
			      link->veid, dev)
		 : 0;
}

void vz_netguard_forget(const struct vz_netguard *g, int dev)
{
	uint32_t key = dev;

	bpf_map_delete_elem(g->links, &key);
}

static struct vz_guard_addr make_key(uint32_t veid, const struct vz_ip *ip)
{
	struct vz_guard_addr key = { .veid = veid, .family = vz_ip_v6(ip) ? 6 : 4 };

	memcpy(key.addr, ip->a, vz_ip_len(ip));
	return key;
}

int vz_netguard_allow(const struct vz_netguard *g, uint32_t veid, const struct vz_ip *ip,
		      struct vz_err *err)
{
	struct vz_guard_addr key = make_key(veid, ip);
	char text[VZ_IP_STRLEN];
	uint8_t one = 1;

	return bpf_map_update_elem(g->addrs, &key, &one, BPF_ANY)
		       ? vz_err_set(err, VZ_E_ADDIP, errno, "can't let %s through",
				    vz_ip_host_text(ip, text))
		       : 0;
}

void vz_netguard_forbid(const struct vz_netguard *g, uint32_t veid,
			const struct vz_ip *ip)
{
	struct vz_guard_addr key = make_key(veid, ip);

	bpf_map_delete_elem(g->addrs, &key);
}

static int put_class(const struct vz_netguard *g, const struct vz_netguard_class *c)
{
	struct vz_guard_net4 k4 = { .bits = c->net.bits };
	struct vz_guard_net6 k6 = { .bits = c->net.bits };

	memcpy(k4.addr, c->net.a, 4);
	memcpy(k6.addr, c->net.a, 16);
	return vz_ip_v6(&c->net) ? bpf_map_update_elem(g->nets6, &k6, &c->class, BPF_ANY)
				 : bpf_map_update_elem(g->nets4, &k4, &c->class, BPF_ANY);
}

static bool is_listed(const struct vz_netguard_class *v, size_t n, int family,
		      uint32_t bits, const uint8_t *addr)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].net.family == family && v[i].net.bits == bits &&
		    !memcmp(v[i].net.a, addr, vz_ip_len(&v[i].net)))
			return true;
	return false;
}

/* Those of before that are not among the new ones. */
static void drop_classes(const struct vz_netguard *g, const struct vz_netguard_class *v,
			 size_t n)
{
	struct vz_guard_net4 k4, next4;
	struct vz_guard_net6 k6, next6;

	for (int r = bpf_map_get_next_key(g->nets4, NULL, &next4); !r;) {
		k4 = next4;
		r = bpf_map_get_next_key(g->nets4, &k4, &next4);
		if (!is_listed(v, n, AF_INET, k4.bits, k4.addr))
			bpf_map_delete_elem(g->nets4, &k4);
	}
	for (int r = bpf_map_get_next_key(g->nets6, NULL, &next6); !r;) {
		k6 = next6;
		r = bpf_map_get_next_key(g->nets6, &k6, &next6);
		if (!is_listed(v, n, AF_INET6, k6.bits, k6.addr))
			bpf_map_delete_elem(g->nets6, &k6);
	}
}

int vz_netguard_classes(const struct vz_netguard *g, const struct vz_netguard_class *v,
			size_t n, struct vz_err *err)
{
	char text[VZ_IP_STRLEN];

	for (size_t i = 0; i < n; i++)
		if (put_class(g, &v[i]))
			return vz_err_set(err, VZ_E_SYSTEM, errno,
					  "can't count the network %s as class %u",
					  vz_ip_text(&v[i].net, text), v[i].class);
	drop_classes(g, v, n);
	return 0;
}

void vz_netguard_reset(const struct vz_netguard *g, uint32_t veid)
{
	bpf_map_delete_elem(g->traffic, &veid);
	bpf_map_delete_elem(g->asking, &veid);
}
