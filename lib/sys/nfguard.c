/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/nfguard.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "nf.skel.h"
#include "sys/acct.h"
#include "sys/bpffs.h"

#define KIND VZ_NFGUARD_VERSION
#define LSMS "/sys/kernel/security/lsm"

static void nf_destroyp(struct nf **n)
{
	nf__destroy(*n);
}
#define autoskeleton VZ_CLEANUP(nf_destroyp)

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* How nftables' rules are seen: the first that the kernel takes. */
enum how {
	HOW_LSM,
	HOW_TRACE,
	HOW_NOT,
};

/* They attach without it, too, and are never called. */
static bool calls_lsm_programs(void)
{
	char text[256], *at, *word;

	if (vz_read_small(AT_FDCWD, LSMS, text, sizeof(text)))
		return false;
	for (word = strtok_r(text, ",\n", &at); word; word = strtok_r(NULL, ",\n", &at))
		if (!strcmp(word, "bpf"))
			return true;
	return false;
}

static struct nf *load_some(enum how how)
{
	autoskeleton struct nf *nf = nf__open();

	if (!nf)
		return NULL;
	bpf_program__set_autoload(nf->progs.sent_lsm, how == HOW_LSM);
	bpf_program__set_autoload(nf->progs.sent, how == HOW_TRACE);
	return nf__load(nf) ? NULL : vz_take(nf);
}

static void unpin(const char *dir, const char *name)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);

	if (path)
		unlink(path);
}

static int attach_sent(const struct bpf_program *prog, const char *dir)
{
	struct bpf_link *link = bpf_program__attach(prog);
	int r = link ? vz_bpffs_pin(dir, "sent", bpf_link__fd(link)) : -errno;

	bpf_link__destroy(link);
	return r;
}

/* 0: all is pinned but its seal. */
static int make(enum how how, const char *dir)
{
	autoskeleton struct nf *nf = NULL;
	int r;

	/* Of a way that was not gone to its end: it looks into a map of its own. */
	unpin(dir, "sent");
	errno = 0;
	nf = load_some(how);
	r = nf ? 0 : errno ? -errno : -EINVAL;
	if (!r && how != HOW_NOT)
		r = attach_sent(how == HOW_LSM ? nf->progs.sent_lsm : nf->progs.sent,
				dir);
	if (!r)
		r = vz_bpffs_pin(dir, "tables_stateless",
				 bpf_program__fd(nf->progs.tables_stateless));
	if (!r)
		r = vz_bpffs_pin(dir, "tables_stateful",
				 bpf_program__fd(nf->progs.tables_stateful));
	return r ? r : vz_bpffs_pin(dir, "groups", bpf_map__fd(nf->maps.groups));
}

static int load(const struct vz_ctx *ctx, struct vz_err *err)
{
	vz_autofd int lock = -1, groups = -1;
	char dir[PATH_MAX];
	int r = vz_bpffs_lock(ctx, KIND, dir, sizeof(dir), &lock, err);

	if (r)
		return r;
	/* Another one may have been faster. */
	groups = vz_bpffs_get(ctx, KIND, "groups");
	if (groups >= 0)
		return 0;
	libbpf_set_print(quiet);
	r = calls_lsm_programs() ? make(HOW_LSM, dir) : -EOPNOTSUPP;
	if (r)
		r = make(HOW_TRACE, dir);
	if (r)
		r = make(HOW_NOT, dir);
	return r ? vz_err_set(err, VZ_E_KERNEL, -r,
			      "the kernel does not take the programs that look at VEs' "
			      "rules of netfilter (BPF)")
		 : 0;
}

/* The map is the last one that is pinned: the seal. */
static int open_groups(const struct vz_ctx *ctx, struct vz_err *err)
{
	int r = 0, fd = vz_bpffs_get(ctx, KIND, "groups");

	if (fd >= 0)
		return fd;
	r = load(ctx, err);
	if (r)
		return r;
	fd = vz_bpffs_get(ctx, KIND, "groups");
	return fd >= 0 ? fd
		       : vz_err_set(err, VZ_E_KERNEL, -fd, "can't open %s/bpf/%s/groups",
				    ctx->rundir, KIND);
}

static bool is_pinned(const struct vz_ctx *ctx, const char *name)
{
	int fd = vz_bpffs_get(ctx, KIND, name);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int attach_tables(const struct vz_ctx *ctx, int group_dir, uint32_t refuse)
{
	vz_autofd int prog = vz_bpffs_get(ctx, KIND,
					  refuse & VZ_NF_TRACKING ? "tables_stateless"
								  : "tables_stateful");
	union bpf_attr attr = { .target_fd = group_dir,
				.attach_bpf_fd = prog,
				.attach_type = BPF_CGROUP_SETSOCKOPT,
				.attach_flags = BPF_F_ALLOW_MULTI };

	return prog < 0 ? prog : vz_bpf(BPF_PROG_ATTACH, &attr);
}

int vz_nfguard_begin(const struct vz_ctx *ctx, uint32_t veid, int group_dir,
		     uint32_t refuse, bool *ret_nft, struct vz_err *err)
{
	vz_autofd int groups = open_groups(ctx, err);
	union bpf_attr attr = { 0 };
	uint64_t group;
	int r = groups < 0 ? groups : vz_acct_group(group_dir, &group);

	if (groups < 0)
		return r;
	if (!r)
		r = attach_tables(ctx, group_dir, refuse);
	attr.map_fd = groups;
	attr.key = (uintptr_t)&group;
	attr.value = (uintptr_t)&refuse;
	if (!r)
		r = vz_bpf(BPF_MAP_UPDATE_ELEM, &attr);
	if (r)
		return vz_err_set(err, VZ_E_KERNEL, -r,
				  "VE %u's rules of netfilter can't be looked at", veid);
	*ret_nft = is_pinned(ctx, "sent");
	return 0;
}

void vz_nfguard_end(const struct vz_ctx *ctx, uint64_t group)
{
	vz_autofd int groups = vz_bpffs_get(ctx, KIND, "groups");
	union bpf_attr attr = { 0 };

	attr.map_fd = groups;
	attr.key = (uintptr_t)&group;
	if (groups >= 0)
		vz_bpf(BPF_MAP_DELETE_ELEM, &attr);
}
