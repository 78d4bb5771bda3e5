/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that more than one value, or more than its form, has to do with. */
#include <string.h>

#include "base/ip.h"
#include "res/cfg_priv.h"
#include "res/netif.h"

/* Soft and hard, barrier and limit: the first may not be greater. */
static int check_limit(const struct vz_cfg *cfg, enum vz_param_id id, struct vz_err *err)
{
	struct vz_limit v = vz_cfg_limit(cfg, id);

	if (v.barrier <= v.limit)
		return 0;
	return vz_err_set(err, VZ_E_VALUE, 0,
			  "%s=\"%llu:%llu\": expected the first number not to be greater "
			  "than the second",
			  vz_params[id].key, (unsigned long long)v.barrier,
			  (unsigned long long)v.limit);
}

static int check_limits(const struct vz_cfg *cfg, struct vz_err *err)
{
	int r = 0;

	for (int i = 0; !r && i < VZ_P__COUNT; i++)
		if (vz_params[i].type == VZ_T_LIMIT && vz_cfg_has(cfg, i))
			r = check_limit(cfg, i, err);
	return r;
}

/* A path that all VEs share would let one VE have another's files. */
static int check_path(const struct vz_cfg *cfg, enum vz_param_id id, struct vz_err *err)
{
	const struct vz_cfg_entry *e = &cfg->v[id];

	if (e->origin != VZ_ORIGIN_GLOBAL || strcmp(e->value.str, e->path))
		return 0;
	return vz_err_set(err, VZ_E_BADCONF, 0,
			  "%s=\"%s\" in vz.conf: expected $VEID in it, since each VE "
			  "needs its own",
			  vz_params[id].key, e->value.str);
}

static int check_ids(const struct vz_cfg *cfg, struct vz_err *err)
{
	uint64_t uid = vz_cfg_u64(cfg, VZ_P_LOCAL_UID);
	uint64_t gid = vz_cfg_u64(cfg, VZ_P_LOCAL_GID);

	if (!vz_cfg_has(cfg, VZ_P_LOCAL_UID) || !vz_cfg_has(cfg, VZ_P_LOCAL_GID) ||
	    !uid == !gid)
		return 0;
	return vz_err_set(err, VZ_E_VALUE, 0,
			  "LOCAL_UID=%llu and LOCAL_GID=%llu: expected both to be 0 or "
			  "neither",
			  (unsigned long long)uid, (unsigned long long)gid);
}

/* A promise that the limit makes empty is a mistake. */
static int check_reserves(const struct vz_cfg *cfg, struct vz_err *err)
{
	uint64_t cpu = vz_cfg_u64(cfg, VZ_P_CPURESERVE);
	uint64_t cpulimit = vz_cfg_u64(cfg, VZ_P_CPULIMIT);
	uint64_t mem = vz_cfg_u64(cfg, VZ_P_MEMRESERVE);
	uint64_t ram = vz_cfg_limit(cfg, VZ_P_PHYSPAGES).limit;
	uint64_t cpus = vz_cfg_u64(cfg, VZ_P_CPUS);

	if (cpus && cpu > cpus * 100)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "CPURESERVE=%llu: expected no more than the VE's CPUs "
				  "have, which are CPUS=%llu",
				  (unsigned long long)cpu, (unsigned long long)cpus);
	if (cpulimit && cpu > cpulimit)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "CPURESERVE=%llu: expected no more than CPULIMIT, "
				  "which is %llu",
				  (unsigned long long)cpu, (unsigned long long)cpulimit);
	if (mem > ram)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "MEMRESERVE=%llu: expected no more than the limit of "
				  "PHYSPAGES, which is %llu",
				  (unsigned long long)mem, (unsigned long long)ram);
	return 0;
}

/* A VE that does not run would be told only as it starts. */
static int check_addresses(const struct vz_cfg *cfg, struct vz_err *err)
{
	const struct vz_strv *list = vz_cfg_list(cfg, VZ_P_IP_ADDRESS);
	struct vz_ip ip;

	for (size_t i = 0; i < list->n; i++)
		if (vz_ip_parse(list->v[i], &ip) || !vz_ip_usable(&ip))
			return vz_err_set(err, VZ_E_IP, 0, "%s can't be a VE's address",
					  list->v[i]);
	return 0;
}

int vz_cfg_check(const struct vz_cfg *cfg, struct vz_err *err)
{
	int r = check_limits(cfg, err);

	if (!r)
		r = check_path(cfg, VZ_P_VE_ROOT, err);
	if (!r)
		r = check_path(cfg, VZ_P_VE_PRIVATE, err);
	if (!r)
		r = check_reserves(cfg, err);
	if (!r)
		r = check_addresses(cfg, err);
	if (!r)
		r = vz_netif_check(vz_cfg_list(cfg, VZ_P_NETIF), err);
	return r ? r : check_ids(cfg, err);
}
