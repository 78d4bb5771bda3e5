/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/netfilter.h"

#include "sys/nfguard.h"

/* In the order of the parameter's words; disabled has its own way, full needs none. */
static const uint32_t refused[] = {
	[VZ_NETFILTER_DISABLED] = 0,
	[VZ_NETFILTER_STATELESS] = VZ_NF_TRACKING | VZ_NF_NAT,
	[VZ_NETFILTER_STATEFUL] = VZ_NF_NAT,
	[VZ_NETFILTER_FULL] = 0,
};

void vz_netfilter_begin(const struct vz_ve *ve, int group_dir)
{
	enum vz_netfilter is = vz_cfg_u64(ve->cfg, VZ_P_NETFILTER);
	const char *what = is == VZ_NETFILTER_STATEFUL
				   ? "address translation"
				   : "connection tracking and address translation";
	struct vz_err err = { 0 };
	bool nft = false;
	int r;

	if (!refused[is])
		return;
	r = vz_nfguard_begin(ve->ctx, ve->id, group_dir, refused[is], &nft, &err);
	/* By default it is as well as the kernel can. */
	if ((r || !nft) && vz_cfg_has(ve->cfg, VZ_P_NETFILTER))
		vz_warn(ve->ctx, "VE %u may use %s %s: %s", ve->id, what,
			r ? "of netfilter" : "by nftables",
			r ? err.text
			  : "this kernel does not take a program that sees "
			    "its rules, see NETFILTER in vzctl(8)");
}
