/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/checks.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "res/netif.h"
#include "sys/criu.h"
#include "sys/feature.h"
#include "ve/ids.h"
#include "ve/name.h"
#include "ve/reserve.h"
#include "ve/state.h"
#include "ve/venet.h"
#include "vzmigrate/base.h"
#include "vzmigrate/capacity.h"
#include "vzmigrate/landing.h"
#include "vzmigrate/limits.h"
#include "vzmigrate/scripts.h"

struct check {
	const struct vz_ctx *ctx;
	uint32_t veid;
	const struct vz_cfg *cfg; /* as it will be here */
	bool live; /* its processes go on */
	bool starts; /* it runs there, and will here */
	uint64_t bytes, inodes; /* of its files */
	json_t *problems;
};

/* --- who is there already --- */

static void check_absent(const struct check *c)
{
	const char *name = vz_cfg_str(c->cfg, VZ_P_NAME);
	struct vz_err err = { 0 };

	if (landing_check_absent(c->ctx, c->veid, vz_cfg_str(c->cfg, VZ_P_VE_PRIVATE),
				 &err))
		problem_add(c->problems, "", MIG_E_EXISTS, "%s", err.text);
	vz_err_clear(&err);
	if (name && *name && vz_name_check(c->ctx, c->veid, name, &err))
		problem_add(c->problems, "", MIG_E_CONFIG, "%s", err.text);
}

static bool has_address(const struct vz_ips *ips, const struct vz_ip *ip)
{
	for (size_t i = 0; i < ips->n; i++)
		if (vz_ip_same(&ips->v[i], ip))
			return true;
	return false;
}

static void check_others(const struct check *c, const struct vz_ips *ips)
{
	vz_autoids struct vz_ids ids = { 0 };
	char text[VZ_IP_STRLEN];

	vz_ids_defined(c->ctx, &ids);
	for (size_t i = 0; i < ids.n; i++) {
		vz_autoips struct vz_ips theirs = { 0 };
		vz_autove struct vz_ve ve = { 0 };
		struct vz_err err = { 0 };

		if (ids.v[i] == c->veid || vz_ve_open(c->ctx, ids.v[i], &ve, &err) ||
		    vz_ips_read(ve.cfg, &theirs, NULL, &err))
			continue;
		for (size_t k = 0; k < theirs.n; k++)
			if (has_address(ips, &theirs.v[k]))
				problem_add(c->problems, "ip", MIG_E_IPUSED,
					    "VE %u has the address %s", ids.v[i],
					    vz_ip_host_text(&theirs.v[k], text));
	}
}

static void check_own(const struct check *c, const struct vz_ips *ips)
{
	struct ifaddrs *all = NULL;
	char text[VZ_IP_STRLEN];

	if (getifaddrs(&all))
		return;
	for (struct ifaddrs *a = all; a; a = a->ifa_next) {
		struct vz_ip ip = { 0 };

		if (!a->ifa_addr)
			continue;
		ip.family = a->ifa_addr->sa_family;
		if (ip.family == AF_INET)
			memcpy(ip.a, &((struct sockaddr_in *)a->ifa_addr)->sin_addr, 4);
		else if (ip.family == AF_INET6)
			memcpy(ip.a, &((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr,
			       16);
		else
			continue;
		ip.bits = 8 * vz_ip_len(&ip);
		if (has_address(ips, &ip))
			problem_add(c->problems, "ip", MIG_E_IPUSED,
				    "%s is the node's own address",
				    vz_ip_host_text(&ip, text));
	}
	freeifaddrs(all);
}

static void check_addresses(const struct check *c)
{
	vz_autoips struct vz_ips ips = { 0 };
	struct vz_err err = { 0 };
	size_t skipped = 0;

	if (vz_ips_read(c->cfg, &ips, &skipped, &err)) {
		problem_add(c->problems, "", MIG_E_CONFIG, "%s", err.text);
		return;
	}
	if (!ips.n)
		return;
	check_others(c, &ips);
	check_own(c, &ips);
}

/* --- what it needs of the node --- */

static void check_layout(const struct check *c, const json_t *about)
{
	struct vz_err err = { 0 };

	if (base_check(c->cfg, about, c->ctx, false, &err))
		problem_add(c->problems, "", (enum mig_exit)err.status, "%s", err.text);
}

static void check_space(const struct check *c)
{
	vz_autofree char *dir = strdup(vz_cfg_str(c->cfg, VZ_P_VE_PRIVATE));
	struct statvfs fs;
	uint64_t free_bytes;
	char *slash;

	/* The nearest directory above that is there already. */
	while (dir && statvfs(dir, &fs)) {
		slash = strrchr(dir, '/');
		if (!slash || slash == dir)
			return;
		*slash = 0;
	}
	if (!dir)
		return;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes < c->bytes)
		problem_add(c->problems, "space", MIG_E_QUOTA,
			    "%llu MiB are free below %s, the VE has %llu MiB of files",
			    (unsigned long long)free_bytes >> 20, dir,
			    (unsigned long long)c->bytes >> 20);
	if (fs.f_files && fs.f_favail < c->inodes)
		problem_add(c->problems, "space", MIG_E_QUOTA,
			    "%llu inodes are free below %s, the VE has %llu files",
			    (unsigned long long)fs.f_favail, dir,
			    (unsigned long long)c->inodes);
}

static void check_kernel(const struct check *c)
{
	static const struct {
		const char *ns, *what;
	} needs[] = { { "user", "user" },
		      { "pid", "pid" },
		      { "net", "network" },
		      { "cgroup", "control group" },
		      { "time", "time" } };
	const struct vz_strv *features = vz_cfg_list(c->cfg, VZ_P_FEATURES);
	struct vz_err err = { 0 };
	uint32_t mask = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(needs); i++) {
		vz_autofree char *path =
			vz_strf("%s/self/ns/%s", c->ctx->procdir, needs[i].ns);

		if (path && access(path, F_OK))
			problem_add(c->problems, "kernel", MIG_E_NOSUITE,
				    "the kernel has no %s namespaces", needs[i].what);
	}
	if (features->n && vz_feature_parse(features, &mask, &err))
		problem_add(c->problems, "", MIG_E_CONFIG, "%s", err.text);
	for (int i = 0; i < VZ_F__COUNT; i++) {
		const char *node = vz_features[i].node;
		vz_autofree char *path = node ? vz_strf("/dev/%s", node) : NULL;

		if (mask & VZ_F_BIT(i) && path && access(path, F_OK))
			problem_add(c->problems, "kernel", MIG_E_NOSUITE,
				    "FEATURES=%s:on needs %s, which is not there",
				    vz_features[i].name, path);
	}
}

/* An older source does not say how many of its users have limits. */
static int check_quota(const struct check *c, const json_t *ask, struct vz_err *err)
{
	const json_t *about = json_object_get(ask, "files");
	const struct vz_layout *layout;
	uint64_t limits = 0;
	const char *name;
	int r = json_object_get(ask, "limits")
			? wire_num(ask, "limits", INT64_MAX, &limits, err)
			: 0;

	if (!r)
		r = wire_text(about, "layout", 32, &name, err);
	if (r || vz_layout_find(name, &layout, NULL))
		return r;
	limits_check(c->ctx, vz_cfg_str(c->cfg, VZ_P_VE_PRIVATE), c->cfg, layout, limits,
		     c->problems);
	return 0;
}

/* Bridges that its interfaces are ports of, devices of the node that it is given. */
static void check_net(const struct check *c)
{
	const struct vz_strv *netdevs = vz_cfg_list(c->cfg, VZ_P_NETDEV);
	const struct vz_strv *netifs = vz_cfg_list(c->cfg, VZ_P_NETIF);

	for (size_t i = 0; i < netdevs->n; i++)
		if (!if_nametoindex(netdevs->v[i]))
			problem_add(c->problems, "net", MIG_E_CONFIG,
				    "there is no device %s to give to the VE",
				    netdevs->v[i]);
	for (size_t i = 0; i < netifs->n; i++) {
		struct vz_netif n;

		if (!vz_netif_parse(netifs->v[i], &n) && n.bridge[0] &&
		    !if_nametoindex(n.bridge))
			problem_add(c->problems, "net", MIG_E_CONFIG,
				    "there is no bridge %s for the VE's %s", n.bridge,
				    n.ifname);
	}
}

/* --- whether there is room for it --- */

/* vzcalc's sum: what the VEs that run here were promised, and this one. */
static void check_plan(const struct check *c)
{
	struct capacity room;
	struct vz_err err = { 0 };
	struct vz_plan one;

	vz_plan_of_cfg(c->cfg, &one);
	if (!capacity_read(c->ctx, &room, &err) && !capacity_fits(&room, &one))
		problem_add(c->problems, "capacity", MIG_E_START,
			    "the node can't promise the VE its memory beside the %zu VEs "
			    "that run there",
			    room.ves);
}

static void check_reserve(const struct check *c)
{
	vz_autovepools struct vz_vepools pools = { 0 };
	vz_autoreserves struct vz_reserves all = { 0 };
	struct vz_capacity node;
	struct vz_err err = { 0 };
	struct vz_reserve *v;

	if (vz_vepool_check(c->ctx, c->cfg, &err)) {
		problem_add(c->problems, "", MIG_E_CONFIG, "%s", err.text);
		return;
	}
	if (vz_vepools_load(c->ctx, &pools, &err) ||
	    vz_capacity_read(c->ctx, &node, &err) || vz_reserves_read(c->ctx, &all, &err))
		return;
	v = realloc(all.v, (all.n + 1) * sizeof(*v));
	if (!v)
		return;
	all.v = v;
	vz_reserve_of(c->veid, c->cfg, &v[all.n++]);
	for (int k = 0; k < VZ_RESERVE__COUNT; k++)
		if (vz_reserves_check(&all, c->veid, k, &pools, &node, &err))
			problem_add(c->problems, "capacity", MIG_E_START, "%s", err.text);
}

/* What restores it, and the ids that its processes have. */
static void check_live(const struct check *c)
{
	uint32_t uid = vz_cfg_u64(c->cfg, VZ_P_LOCAL_UID);
	vz_autoidrange struct vz_idrange range = VZ_IDRANGE_NONE;
	struct vz_err err = { 0 };
	struct vz_criu criu;

	if (vz_criu_find(c->ctx, vz_cfg_str(c->cfg, VZ_P_CRIU), &criu, &err))
		problem_add(c->problems, "", MIG_E_VERSION, "%s", err.text);
	vz_err_clear(&err);
	if (uid && (vz_idrange_prefer(c->ctx, c->cfg, c->veid, uid, &range, &err) ||
		    range.first != uid))
		problem_add(c->problems, "", MIG_E_CONFIG,
			    "the VE's host ids from %u on are another's here, or not of "
			    "UID_POOL: they can't change while it runs",
			    uid);
}

int checks_run(const struct vz_ctx *ctx, const json_t *ask, json_t *problems,
	       struct vz_err *err)
{
	autolanding_conf struct landing_conf conf = { 0 };
	vz_autofree char *text = NULL;
	struct check c = { .ctx = ctx, .problems = problems };
	bool moved;
	uint64_t veid;
	size_t len;
	int r = wire_num(ask, "veid", VZ_VEID_MAX, &veid, err);

	if (!r)
		r = wire_bytes(ask, "conf", SCRIPT_MAX, &text, &len, err);
	if (!r)
		r = wire_flag(ask, "moved", &moved, err);
	if (!r)
		r = wire_flag(ask, "live", &c.live, err);
	if (!r)
		r = wire_flag(ask, "start", &c.starts, err);
	if (!r)
		r = wire_num(ask, "bytes", INT64_MAX, &c.bytes, err);
	if (!r)
		r = wire_num(ask, "inodes", INT64_MAX, &c.inodes, err);
	if (!r)
		r = facts_compare(ctx, json_object_get(ask, "facts"), c.live, problems,
				  err);
	if (!r)
		r = landing_conf_read(ctx, veid, text, moved, &conf, err);
	if (r)
		return r;
	c.veid = veid;
	c.cfg = conf.cfg;
	r = check_quota(&c, ask, err);
	if (r)
		return r;
	check_absent(&c);
	check_layout(&c, json_object_get(ask, "files"));
	check_addresses(&c);
	check_space(&c);
	check_kernel(&c);
	check_net(&c);
	if (c.live)
		check_live(&c);
	if (c.starts) {
		check_plan(&c);
		check_reserve(&c);
	}
	return 0;
}
