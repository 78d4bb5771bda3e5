/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One VE's part, by vz_bpf(2) itself: see acct_read.c. */
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/bpffs.h"
#include "sys/procfiles.h"

#define KIND VZ_PROCFILES_VERSION

static int put_address(int map, uint32_t veid, uint32_t index, const struct vz_ip *ip)
{
	struct vz_procfiles_addr_key key = { veid, index };
	struct vz_procfiles_addr addr = { 0 };
	union bpf_attr attr = { .map_fd = map,
				.key = (uintptr_t)&key,
				.value = (uintptr_t)&addr };
	char text[VZ_IP_STRLEN];

	addr.len = snprintf(addr.text, sizeof(addr.text), " %15s",
			    vz_ip_host_text(ip, text));
	return vz_bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

/* Those from the place `index` on. */
static void drop_addresses(int map, uint32_t veid, uint32_t index)
{
	struct vz_procfiles_addr_key key = { veid, index };
	union bpf_attr attr = { .map_fd = map, .key = (uintptr_t)&key };

	while (!vz_bpf(BPF_MAP_DELETE_ELEM, &attr))
		key.index++;
}

void vz_procfiles_addresses(const struct vz_ctx *ctx, uint32_t veid,
			    const struct vz_ip *v, size_t n)
{
	vz_autofd int map = vz_bpffs_get(ctx, KIND, "addresses");
	size_t i = 0;

	if (map < 0)
		return;
	while (i < n && !put_address(map, veid, i, &v[i]))
		i++;
	drop_addresses(map, veid, i);
}

int vz_procfiles_begin(const struct vz_ctx *ctx, uint32_t veid, int group_dir,
		       struct vz_err *err)
{
	vz_autofd int prog = vz_bpffs_get(ctx, KIND, "ioacct");
	int r;

	/* Of one whose end nobody saw. */
	vz_procfiles_addresses(ctx, veid, NULL, 0);
	if (prog < 0)
		return 0;
	r = vz_bpffs_show(ctx, KIND, prog, "ioacct", veid, group_dir);
	return r ? vz_err_set(err, VZ_E_KERNEL, -r, "can't make %s/proc/bc/%u/ioacct",
			      ctx->rundir, veid)
		 : 0;
}

void vz_procfiles_end(const struct vz_ctx *ctx, uint32_t veid, uint64_t group)
{
	vz_autofd int io = vz_bpffs_get(ctx, KIND, "io");
	union bpf_attr attr = { .map_fd = io, .key = (uintptr_t)&group };

	vz_procfiles_addresses(ctx, veid, NULL, 0);
	vz_bpffs_hide(ctx, KIND, "ioacct", veid);
	if (io >= 0)
		vz_bpf(BPF_MAP_DELETE_ELEM, &attr);
}
