/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/ns.h"
#include "ve/apply.h"
#include "ve/dist.h"
#include "ve/launch.h"
#include "ve/netdev.h"
#include "ve/rate.h"
#include "ve/state.h"
#include "ve/venet.h"
#include "ve/veth.h"

static int open_netns(const struct vz_ve *ve, pid_t init, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/%d/ns/net", ve->ctx->procdir, init);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return fd < 0 ? vz_err_set(err, VZ_E_SYSTEM, errno,
				   "can't open the VE's network namespace")
		      : fd;
}

/*
 * RUNDIR/VEID/net says that something of the VE's may be on the node's network,
 * and is there before it: most VEs' starts and ends need not look.
 */
static int mark(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/%u/net", ve->ctx->rundir, ve->id);
	vz_autofd int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

	return fd < 0 ? vz_err_set(err, VZ_E_SYSTEM, errno, "can't make %s", path) : 0;
}

static bool is_marked(const struct vz_ve *ve)
{
	vz_autofree char *path = vz_strf("%s/%u/net", ve->ctx->rundir, ve->id);

	return !path || !access(path, F_OK);
}

static bool has(const struct vz_ve *ve, enum vz_param_id id)
{
	return vz_cfg_list(ve->cfg, id)->n;
}

static bool has_rate(const struct vz_cfg *cfg)
{
	const char *rate = vz_cfg_str(cfg, VZ_P_RATE);

	return rate && *rate;
}

/* Said, not set: vzctl boot does that for the node, unless it is not to. */
static void look_at_forwarding(const struct vz_ve *ve, const struct vz_cfg *cfg)
{
	static const struct {
		char sign;
		const char *version, *file;
	} families[] = { { '.', "4", "ipv4/ip_forward" },
			 { ':', "6", "ipv6/conf/all/forwarding" } };
	vz_autofree char *all = vz_cfg_text(cfg, VZ_P_IP_ADDRESS);

	for (size_t i = 0; all && i < VZ_ARRAY_SIZE(families); i++) {
		vz_autofree char *path =
			vz_strf("%s/sys/net/%s", ve->ctx->procdir, families[i].file);
		char now[8];

		if (!strchr(all, families[i].sign) || !path ||
		    vz_read_small(AT_FDCWD, path, now, sizeof(now)) || strcmp(now, "0"))
			continue;
		vz_warn(ve->ctx,
			"VE %u reaches nobody but the node by IPv%s: %s is 0; the "
			"service vz sets it",
			ve->id, families[i].version, path);
	}
}

static int no_ipv6(int netns, struct vz_err *err)
{
	int r = vz_ns_no_ipv6(netns);

	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't switch the VE's IPv6 off") : 0;
}

int vz_net_up(const struct vz_ve *ve, pid_t init, struct vz_err *err)
{
	bool links =
		has(ve, VZ_P_IP_ADDRESS) || has(ve, VZ_P_NETIF) || has(ve, VZ_P_NETDEV);
	bool ipv6 = vz_cfg_bool(ve->cfg, VZ_P_IPV6);
	vz_autofd int netns = -1;
	int r;

	if (!links && ipv6)
		return 0;
	netns = open_netns(ve, init, err);
	r = netns < 0 ? netns : ipv6 ? 0 : no_ipv6(netns, err);
	if (r || !links)
		return r < 0 ? r : 0;
	r = mark(ve, err);
	if (r)
		return r;
	if (has(ve, VZ_P_NETDEV))
		r = vz_netdev_set(ve, netns, vz_cfg_list(ve->cfg, VZ_P_NETDEV), err);
	if (!r && has(ve, VZ_P_NETIF))
		r = vz_veth_set(ve, netns, NULL, ve->cfg, true, err);
	if (!r && has(ve, VZ_P_IP_ADDRESS))
		r = vz_venet_set(ve, netns, NULL, ve->cfg, err);
	if (!r && has_rate(ve->cfg))
		r = vz_rate_set(ve, ve->cfg, err);
	if (r)
		vz_net_down(ve, NULL);
	else
		look_at_forwarding(ve, ve->cfg);
	return r;
}

int vz_net_down(const struct vz_ve *ve, struct vz_err *err)
{
	int r, s;

	if (!is_marked(ve))
		return 0;
	r = vz_venet_remove(ve, err);
	s = vz_veth_remove(ve, r ? NULL : err);
	r = r ? r : s;
	s = vz_rate_remove(ve, r ? NULL : err);
	r = r ? r : s;
	s = vz_netdev_remove(ve, r ? NULL : err);
	return r ? r : s;
}

/* Of a VE that runs: -ESRCH else. */
static int running_netns(const struct vz_ve *ve, struct vz_err *err)
{
	struct vz_state st;
	int pidfd, fd, r = vz_state_open_init(ve->ctx, ve->id, &st, &pidfd, err);
	struct pollfd p = { .events = POLLIN };

	if (r)
		return r;
	fd = open_netns(ve, st.init, err);
	/* Still it, so the number was its own. */
	p.fd = pidfd;
	if (fd >= 0 && poll(&p, 1, 0)) {
		close(fd);
		fd = vz_err_set(err, VZ_E_NOTRUNNING, ESRCH, "VE %u has ended", ve->id);
	}
	close(pidfd);
	return fd;
}

int vz_net_apply_address(struct vz_ve *ve, const struct vz_cfg *old,
			 const struct vz_cfg *new, struct vz_err *err)
{
	vz_autofd int netns = running_netns(ve, err);
	struct vz_err why = { 0 };
	int r = netns < 0 ? netns : mark(ve, err);

	if (!r)
		r = vz_venet_set(ve, netns, old, new, err);
	if (!r && has_rate(new))
		r = vz_rate_set(ve, new, err);
	if (!r)
		look_at_forwarding(ve, new);
	/* The VE has them. Its shell, or the lack of one, does not decide that. */
	if (!r && vz_dist_apply_addresses(ve, old, new, &why))
		vz_warn(ve->ctx, "VE %u: its own files keep the old addresses: %s",
			ve->id, why.text);
	return r;
}

int vz_net_apply_netif(struct vz_ve *ve, const struct vz_cfg *old,
		       const struct vz_cfg *new, struct vz_err *err)
{
	vz_autofd int netns = running_netns(ve, err);
	int r = netns < 0 ? netns : mark(ve, err);

	if (!r)
		r = vz_veth_set(ve, netns, old, new, false, err);
	return !r && has_rate(new) ? vz_rate_set(ve, new, err) : r;
}

int vz_net_apply_rate(struct vz_ve *ve, const struct vz_cfg *old,
		      const struct vz_cfg *new, struct vz_err *err)
{
	int r = mark(ve, err);

	return r ? r : vz_rate_set(ve, new, err);
}

int vz_net_apply_netdev(struct vz_ve *ve, const struct vz_cfg *old,
			const struct vz_cfg *new, struct vz_err *err)
{
	vz_autofd int netns = running_netns(ve, err);
	int r = netns < 0 ? netns : mark(ve, err);

	return r ? r : vz_netdev_set(ve, netns, vz_cfg_list(new, VZ_P_NETDEV), err);
}

int vz_net_repair(struct vz_ve *ve, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	vz_autofd int netns = -1;
	int r;

	if (vz_state_running(ve->ctx, ve->id) != 1)
		return vz_launch_cleanup(ve, err);
	r = vz_apply_in_force(ve, &cfg, err);
	if (r)
		return r;
	netns = running_netns(ve, err);
	r = netns < 0 ? netns : mark(ve, err);
	if (!r)
		r = vz_netdev_set(ve, netns, vz_cfg_list(cfg, VZ_P_NETDEV), err);
	if (!r)
		r = vz_veth_set(ve, netns, cfg, cfg, true, err);
	if (!r)
		r = vz_venet_set(ve, netns, cfg, cfg, err);
	return r ? r : vz_rate_set(ve, cfg, err);
}
