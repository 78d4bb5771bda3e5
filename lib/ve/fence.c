/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "res/limits.h"
#include "sys/caps.h"
#include "sys/feature.h"
#include "sys/seccomp.h"
#include "ve/balance.h"
#include "ve/poolgroup.h"
#include "ve/reserve.h"

int vz_fence_find(const struct vz_ve *ve, const char *pool, struct vz_fence *ret,
		  struct vz_err *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->veid = ve->id;
	ret->ctx = ve->ctx;
	ret->cfg = ve->cfg;
	ret->uid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID);
	ret->gid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID);
	ret->privileged = !ret->uid;
	snprintf(ret->pool, sizeof(ret->pool), "%s", pool ? pool : "");
	ret->cg.host = &ret->host;
	r = vz_poolgroup_name_ve(vz_cfg_str(ve->cfg, VZ_P_CGROUP), pool, ve->id,
				 ret->cg.name, err);
	return r ? r : vz_cg_probe(ve->ctx, &ret->host, err);
}

static uint32_t seccomp_flags(const struct vz_fence *f)
{
	uint32_t flags = f->privileged ? VZ_SECCOMP_PRIVILEGED : 0;

	if (f->features & VZ_F_BIT(VZ_F_KEYCTL))
		flags |= VZ_SECCOMP_KEYCTL;
	if (f->features & VZ_F_BIT(VZ_F_IOURING))
		flags |= VZ_SECCOMP_IOURING;
	if (vz_cfg_u64(f->cfg, VZ_P_NETFILTER) == VZ_NETFILTER_DISABLED)
		flags |= VZ_SECCOMP_NO_NETFILTER;
	return flags;
}

int vz_fence_read(const struct vz_ve *ve, struct vz_fence *ret, struct vz_err *err)
{
	const struct vz_cfg *cfg = ve->cfg;
	int r = vz_fence_find(ve, vz_cfg_str(cfg, VZ_P_POOL), ret, err);

	if (r)
		return r;
	r = vz_feature_parse(vz_cfg_list(cfg, VZ_P_FEATURES), &ret->features, err);
	ret->seccomp = seccomp_flags(ret);
	if (!r)
		r = vz_caps_parse(ret->privileged, vz_cfg_list(cfg, VZ_P_CAPABILITY),
				  &ret->caps, err);
	if (!r)
		r = vz_dev_set_build("/dev", ret->features,
				     vz_cfg_list(cfg, VZ_P_DEVNODES),
				     vz_cfg_list(cfg, VZ_P_DEVICES), &ret->dev, err);
	if (r)
		vz_fence_done(ret);
	return r;
}

void vz_fence_done(struct vz_fence *f)
{
	vz_dev_set_done(&f->dev);
	vz_cg_values_done(&f->rules);
}

static bool has_v1_devices(const struct vz_fence *f)
{
	return f->host.v1[VZ_CG_DEVICES][0];
}

/* v1: the rules are files of the group, set as it is made. */
static int add_device_rules(struct vz_fence *f)
{
	static const struct vz_cg_value deny = { VZ_CG_DEVICES, VZ_E_DEVICE,
						 .file = "devices.deny" };
	static const struct vz_cg_value allow = { VZ_CG_DEVICES, VZ_E_DEVICE,
						  .file = "devices.allow" };
	vz_autostr struct vz_str lines = { 0 };
	char rule[VZ_DEV_RULE_TEXT];

	for (size_t i = 0; i < f->dev.n_rules; i++) {
		vz_dev_rule_text(&f->dev.rule[i], rule);
		vz_str_addf(&lines, "%s\n", rule);
	}
	if (lines.failed)
		return -ENOMEM;
	vz_cg_values_add(&f->rules, &deny, "a");
	vz_cg_values_add(&f->rules, &allow, "%s", lines.s ? lines.s : "");
	return 0;
}

/* v2: the rules are a program on the group, which goes with it. */
static int attach_device_program(const struct vz_fence *f, struct vz_err *err)
{
	size_t count;
	vz_autofree struct bpf_insn *insns = vz_dev_bpf(&f->dev, &count);
	union bpf_attr load = { 0 }, attach = { 0 };
	vz_autofd int prog = -1, dir = -1;
	char path[256];
	int r = insns ? vz_cg_path(&f->cg, VZ_CG_UNIFIED, NULL, path, sizeof(path))
		      : -ENOMEM;

	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uintptr_t)insns;
	load.insn_cnt = count;
	load.license = (uintptr_t) "GPL";
	if (!r)
		prog = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (prog >= 0)
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	attach.target_fd = dir;
	attach.attach_bpf_fd = prog;
	attach.attach_type = BPF_CGROUP_DEVICE;
	if (dir >= 0 && !syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)))
		return 0;
	return vz_err_set(err, VZ_E_DEVICE, r ? -r : errno,
			  "can't restrict the VE's devices");
}

int vz_fence_raise(struct vz_fence *f, struct vz_err *err)
{
	int r = 0;

	if (has_v1_devices(f) && add_device_rules(f))
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't list device rules");
	r = vz_limits_values(f->ctx, &f->cg, f->cfg, &f->rules, err);
	if (!r)
		r = vz_dev_make_nodes("/dev", f->veid, &f->dev, f->uid, f->gid, err);
	if (!r)
		r = vz_cg_create_home(&f->cg, &f->rules, f->uid, f->gid, err);
	if (!r && !has_v1_devices(f))
		r = attach_device_program(f, err);
	if (r)
		vz_fence_drop(f, NULL);
	return r;
}

int vz_fence_finish(struct vz_fence *f, struct vz_err *err)
{
	return vz_cg_create_rest(&f->cg, &f->rules, f->uid, f->gid, err);
}

int vz_fence_drop(struct vz_fence *f, struct vz_err *err)
{
	int r = vz_cg_remove(&f->cg, err), q;

	q = vz_dev_remove_nodes("/dev", f->veid);
	if (q && !r)
		r = vz_err_set(err, VZ_E_DEVICE, -q, "can't remove /dev/vz/%u", f->veid);
	return r;
}

/* Under the lock: who claims next makes the group anew, and then its VE's in it. */
static int drop_pool(const struct vz_fence *f, const char *pool, struct vz_err *err)
{
	vz_autoreserves struct vz_reserves l = { 0 };
	vz_autofd int fd = -1;
	int r = vz_reserve_lock(f->ctx, &fd);

	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't lock %s/reserved",
				  f->ctx->rundir);
	r = vz_reserves_read(f->ctx, &l, err);
	if (r)
		return r;
	for (size_t i = 0; i < l.n; i++)
		if (!strcmp(l.v[i].pool, pool))
			return 0;
	return vz_poolgroup_drop(&f->host, f->cfg, pool, err);
}

int vz_fence_release(struct vz_fence *f, struct vz_err *err)
{
	struct vz_reserve was;
	int r = vz_reserve_release(f->ctx, f->veid, &was, err);

	if (r == -ENOENT)
		return 0;
	if (!r && *was.pool)
		r = drop_pool(f, was.pool, err);
	return r ? r : vz_balance(f->ctx, &f->host, f->cfg, &was, err);
}
