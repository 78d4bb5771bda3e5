/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/count.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/acct.h"
#include "sys/mnt.h"
#include "sys/netguard.h"
#include "sys/nfguard.h"
#include "sys/procfiles.h"
#include "ve/netclass.h"

/* How deep a VE's group is below cgroup2's root: CGROUP has a part or more. */
static unsigned int level_of(const struct vz_cfg *cfg)
{
	const char *parent = vz_cfg_str(cfg, VZ_P_CGROUP);
	unsigned int level = 1;

	while (parent && *parent) {
		parent += strspn(parent, "/");
		level += *parent != '\0';
		parent += strcspn(parent, "/");
	}
	return level;
}

static void read_limits(const struct vz_cfg *cfg, struct vz_acct_command *ret)
{
	*ret = (struct vz_acct_command){ .op = VZ_ACCT_LIMITS };
	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		struct vz_limit l = vz_cfg_limit(cfg, vz_ubc_descs[i].param);

		ret->mask |= VZ_UBC_BIT(i);
		ret->barrier[i] = l.barrier > VZ_UNLIMITED ? VZ_UNLIMITED : l.barrier;
		ret->limit[i] = l.limit > VZ_UNLIMITED ? VZ_UNLIMITED : l.limit;
	}
}

static uint32_t old_groups(const struct vz_cg_host *host)
{
	return (vz_cg_is_v2(host, VZ_CG_MEMORY) ? 0 : VZ_ACCT_MEMORY_V1) |
	       (vz_cg_is_v2(host, VZ_CG_PIDS) ? 0 : VZ_ACCT_PIDS_V1);
}

/* Nothing in it is executed, and no device: the VE's root may look at it. */
static int clone_file(const struct vz_ctx *ctx)
{
	vz_autofree char *path = vz_strf("%s/proc/user_beancounters", ctx->rundir);
	vz_autofd int fd = path ? vz_mnt_clone(AT_FDCWD, path, false) : -1;

	if (fd < 0 || vz_mnt_set_private(fd) ||
	    vz_mnt_set_attr(fd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
			    false))
		return -1;
	return vz_take_fd(&fd);
}

int vz_count_begin(const struct vz_ve *ve, const struct vz_cg *cg, int group_dir,
		   struct vz_count *ret, int *ret_file, struct vz_err *err)
{
	struct vz_acct_command limits;
	struct vz_err why = { 0 };
	int r = vz_acct_open(ve->ctx, level_of(ve->cfg), &ret->acct, &why);

	*ret_file = -1;
	if (!r) {
		read_limits(ve->cfg, &limits);
		r = vz_acct_begin(&ret->acct, ve->id, group_dir, &limits,
				  old_groups(cg->host), &why);
	}
	ret->on = !r;
	if (!r)
		*ret_file = clone_file(ve->ctx);
	else if (vz_cfg_u64(ve->cfg, VZ_P_ACCOUNTING) == VZ_ACCOUNTING_REQUIRED)
		return vz_err_set(err, VZ_E_KERNEL, 0, "ACCOUNTING=required, but %s",
				  why.text);
	else
		vz_warn(ve->ctx, "%s", why.text);
	return 0;
}

/* Its links may come later: the file of their counters is there from the start. */
static void show_traffic(const struct vz_ve *ve, int group_dir)
{
	vz_autonetguard struct vz_netguard guard = VZ_NETGUARD_NONE;
	int r = vz_netguard_show(ve->ctx, ve->id, group_dir);

	if (r != -ENOENT || (!vz_cfg_list(ve->cfg, VZ_P_IP_ADDRESS)->n &&
			     !vz_cfg_list(ve->cfg, VZ_P_NETIF)->n))
		return;
	/* The first one that needs the guard. What fails is said when it does. */
	if (!vz_netclass_open_guard(ve->ctx, &guard, NULL))
		vz_netguard_show(ve->ctx, ve->id, group_dir);
}

void vz_count_attach(const struct vz_ve *ve, int group_dir, const struct vz_count *count)
{
	struct vz_err err = { 0 };
	int r;

	show_traffic(ve, group_dir);
	/* Without the programs it has been said already. */
	if (!count->on)
		return;
	r = vz_acct_attach(ve->ctx, &count->acct, ve->id, group_dir, &err);
	/* What is in RUNDIR/proc beside the beancounters. */
	if (!r)
		r = vz_procfiles_open(ve->ctx, level_of(ve->cfg), &count->acct, &err);
	if (!r)
		r = vz_procfiles_begin(ve->ctx, ve->id, group_dir, &err);
	if (r)
		vz_warn(ve->ctx, "%s", err.text);
}

uint64_t vz_count_kernel_limit(const struct vz_ve *ve, enum vz_ubc_id id)
{
	struct vz_acct_about about;

	vz_acct_describe(ve->ctx, id, false, &about);
	return about.live ? VZ_UNLIMITED
			  : vz_cfg_limit(ve->cfg, vz_ubc_descs[id].param).limit;
}

void vz_count_learn(const struct vz_ve *ve, pid_t init, const struct vz_count *count)
{
	struct vz_err err = { 0 };

	if (count->on && vz_acct_learn(&count->acct, init, &err))
		vz_warn(ve->ctx, "%s", err.text);
}

static int group_of(const struct vz_cg *cg, uint64_t *ret)
{
	char path[PATH_MAX];
	vz_autofd int dir = -1;
	int r = vz_cg_path(cg, VZ_CG_UNIFIED, NULL, path, sizeof(path));

	if (!r)
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r ? r : dir < 0 ? -errno : vz_acct_group(dir, ret);
}

void vz_count_end(const struct vz_ve *ve, const struct vz_cg *cg)
{
	uint64_t group;

	if (group_of(cg, &group))
		return;
	vz_procfiles_end(ve->ctx, ve->id, group);
	vz_acct_end(ve->ctx, ve->id, group);
	vz_nfguard_end(ve->ctx, group);
	vz_netguard_hide(ve->ctx, ve->id, group);
}

int vz_count_limits(const struct vz_ve *ve, const struct vz_cg *cg,
		    const struct vz_cfg *cfg, struct vz_err *err)
{
	vz_autoacct struct vz_acct acct = VZ_ACCT_NONE;
	struct vz_acct_command limits;
	int r = vz_acct_find(ve->ctx, &acct);

	read_limits(cfg, &limits);
	if (!r)
		r = group_of(cg, (uint64_t *)&limits.group);
	if (!r)
		r = vz_acct_command(&acct, &limits);
	if (r == -ENOENT) {
		vz_warn(ve->ctx,
			"VE %u has no beancounters: only what its groups limit "
			"is changed",
			ve->id);
		return 0;
	}
	return r ? vz_err_set(err, VZ_E_UBC, -r, "can't set VE %u's beancounters", ve->id)
		 : 0;
}

void vz_count_warm(const struct vz_ve *ve)
{
	vz_autoacct struct vz_acct acct = VZ_ACCT_NONE;
	struct vz_err ignored = { 0 };

	vz_acct_open(ve->ctx, level_of(ve->cfg), &acct, &ignored);
}
