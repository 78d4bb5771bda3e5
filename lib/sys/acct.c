/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/acct.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acct.skel.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/bpffs.h"
#include "sys/bpfpart.h"

#define KIND VZ_ACCT_VERSION
#define B VZ_UBC_BIT

static void acct_destroyp(struct acct **a)
{
	acct__destroy(*a);
}
#define autoskeleton VZ_CLEANUP(acct_destroyp)

/* What a set of programs counts exactly, and without which it does not. */
enum tier {
	TIER_ANY, /* every kernel that takes us at all */
	TIER_TRACE, /* programs on the kernel's functions */
	TIER_GROUP, /* programs of groups, where those are refused */
};

/* What is made of a program: see sys/bpfpart.h. */
#define PIN_PROGRAM VZ_BPFPART_PIN
#define ATTACH VZ_BPFPART_ATTACH
#define ITERATE VZ_BPFPART_ITERATE
#define ITERATE_ROWS VZ_BPFPART_ITERATE_ROWS

static const struct part {
	const char *name;
	enum tier tier;
	enum vz_bpfpart how;
	uint32_t counts; /* exact only with this one */
	bool optional; /* not on every machine */
	bool extra; /* limits something that is counted without it */
} parts[] = {
	{ "command", TIER_ANY, PIN_PROGRAM },
	{ "learn", TIER_ANY, PIN_PROGRAM },
	{ "sample_begin", TIER_ANY, PIN_PROGRAM },
	{ "sample_end", TIER_ANY, PIN_PROGRAM },
	{ "resources", TIER_ANY, PIN_PROGRAM },
	{ "group_option_set", TIER_ANY, PIN_PROGRAM, .extra = true },
	{ "group_sysctl_set", TIER_ANY, PIN_PROGRAM, .extra = true },
	{ "walk_tasks", TIER_ANY, ITERATE },
	{ "walk_files", TIER_ANY, ITERATE },
	{ "dump", TIER_ANY, ITERATE_ROWS },
	{ "user_beancounters", TIER_ANY, ITERATE_ROWS },
	{ "signal_sent", TIER_ANY, ATTACH },
	/* What frees comes before what charges, so that nothing is held for ever. */
	{ "file_freed", TIER_TRACE, ATTACH, B(VZ_UBC_NUMFILE) },
	{ "file_freed_2", TIER_TRACE, ATTACH },
	{ "file_opened", TIER_TRACE, ATTACH, B(VZ_UBC_NUMFILE) | B(VZ_UBC_NUMPTY) },
	{ "file_made", TIER_TRACE, ATTACH, B(VZ_UBC_NUMFILE) },
	{ "socket_freed", TIER_TRACE, ATTACH,
	  B(VZ_UBC_NUMTCPSOCK) | B(VZ_UBC_NUMOTHERSOCK) },
	{ "socket_freed_2", TIER_TRACE, ATTACH },
	{ "socket_cloned", TIER_TRACE, ATTACH, B(VZ_UBC_NUMTCPSOCK) },
	{ "connection_asked", TIER_TRACE, ATTACH, B(VZ_UBC_NUMTCPSOCK) },
	{ "unix_connected", TIER_TRACE, ATTACH, B(VZ_UBC_NUMOTHERSOCK) },
	{ "socket_made", TIER_TRACE, ATTACH,
	  B(VZ_UBC_NUMTCPSOCK) | B(VZ_UBC_NUMOTHERSOCK) },
	{ "datagram_read", TIER_TRACE, ATTACH, .extra = true },
	{ "datagram_came", TIER_TRACE, ATTACH, .extra = true },
	{ "message_freed", TIER_TRACE, ATTACH, .extra = true },
	{ "message_sent", TIER_TRACE, ATTACH, .extra = true },
	{ "rules_sent", TIER_TRACE, ATTACH, .extra = true },
	{ "lock_freed", TIER_TRACE, ATTACH, B(VZ_UBC_NUMFLOCK) },
	{ "lock_made", TIER_TRACE, ATTACH, B(VZ_UBC_NUMFLOCK) },
	{ "lock_asked", TIER_TRACE, ATTACH, B(VZ_UBC_NUMFLOCK) },
	{ "terminal_freed", TIER_TRACE, ATTACH, B(VZ_UBC_NUMPTY) },
	{ "terminal_made", TIER_TRACE, ATTACH, B(VZ_UBC_NUMPTY) },
	{ "segment_begun", TIER_TRACE, ATTACH, B(VZ_UBC_SHMPAGES) },
	{ "segment_asked", TIER_TRACE, ATTACH, B(VZ_UBC_SHMPAGES) },
	{ "segment_ended", TIER_TRACE, ATTACH, B(VZ_UBC_SHMPAGES) },
	{ "signal_asked", TIER_TRACE, ATTACH },
	{ "fork_asked", TIER_TRACE, ATTACH },
	{ "memory_freed", TIER_TRACE, ATTACH, B(VZ_UBC_PRIVVMPAGES) },
	{ "memory_asked", TIER_TRACE, ATTACH, B(VZ_UBC_PRIVVMPAGES) },
	{ "memory_locked", TIER_TRACE, ATTACH, B(VZ_UBC_LOCKEDPAGES) },
	{ "mapped", TIER_TRACE, ATTACH, B(VZ_UBC_PRIVVMPAGES) },
	{ "unmapped", TIER_TRACE, ATTACH, 0, true },
	{ "unmapped_32", TIER_TRACE, ATTACH, 0, true },
	{ "broken", TIER_TRACE, ATTACH, 0, true },
	{ "broken_32", TIER_TRACE, ATTACH, 0, true },
	{ "remapped", TIER_TRACE, ATTACH, 0, true },
	{ "remapped_32", TIER_TRACE, ATTACH, 0, true },
	{ "protected", TIER_TRACE, ATTACH, 0, true },
	{ "protected_32", TIER_TRACE, ATTACH, 0, true },
	{ "executed", TIER_TRACE, ATTACH, B(VZ_UBC_PRIVVMPAGES) },
	{ "forked", TIER_TRACE, ATTACH, B(VZ_UBC_PRIVVMPAGES) },
	{ "group_socket_made", TIER_GROUP, PIN_PROGRAM, B(VZ_UBC_NUMTCPSOCK) },
	{ "group_socket_freed", TIER_GROUP, PIN_PROGRAM, B(VZ_UBC_NUMTCPSOCK) },
	{ "group_socket_state", TIER_GROUP, PIN_PROGRAM, B(VZ_UBC_NUMTCPSOCK) },
	{ "group_connection_asked", TIER_GROUP, PIN_PROGRAM, B(VZ_UBC_NUMTCPSOCK) },
};

/* Never counted by a program, always by the walk. */
#define SAMPLED                                                                          \
	(B(VZ_UBC_LOCKEDPAGES) | B(VZ_UBC_TCPSNDBUF) | B(VZ_UBC_TCPRCVBUF) |             \
	 B(VZ_UBC_OTHERSOCKBUF) | B(VZ_UBC_DGRAMRCVBUF) | B(VZ_UBC_NUMSIGINFO))
/* Counted by programs where these are taken, by the walk else. */
#define EITHER                                                                           \
	(B(VZ_UBC_NUMFILE) | B(VZ_UBC_NUMTCPSOCK) | B(VZ_UBC_NUMOTHERSOCK) |             \
	 B(VZ_UBC_NUMFLOCK) | B(VZ_UBC_NUMPTY) | B(VZ_UBC_PRIVVMPAGES))
/* Without programs the kernel refuses these by itself, and tells nobody. */
#define REFUSED_UNSEEN (B(VZ_UBC_NUMPTY) | B(VZ_UBC_SHMPAGES) | B(VZ_UBC_LOCKEDPAGES))

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* Whether the kernel has what a program is to be put on. */
static bool has_target(const struct btf *kernel, const struct bpf_program *prog)
{
	static const char *const kinds[] = { "fmod_ret/", "fentry/", "fexit/" };
	const char *section = bpf_program__section_name(prog);

	for (size_t i = 0; i < VZ_ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i]);

		if (!strncmp(section, kinds[i], n))
			return btf__find_by_name_kind(kernel, section + n,
						      BTF_KIND_FUNC) > 0;
	}
	return true;
}

/*
 * Choose the programs of a tier, less those of counters that lack one of
 * theirs. Returns the counters that are then exact.
 */
static uint32_t choose(struct acct *skel, const struct btf *kernel, enum tier tier,
		       bool extra)
{
	uint32_t all = 0, broken = 0;
	bool use[VZ_ARRAY_SIZE(parts)];

	for (size_t i = 0; i < VZ_ARRAY_SIZE(parts); i++) {
		struct bpf_program *p =
			bpf_object__find_program_by_name(skel->obj, parts[i].name);

		use[i] = p && (parts[i].tier == TIER_ANY || parts[i].tier == tier) &&
			 (extra || !parts[i].extra);
		if (use[i] && !has_target(kernel, p)) {
			use[i] = false;
			broken |= parts[i].optional ? 0 : parts[i].counts;
		}
		all |= use[i] ? parts[i].counts : 0;
	}
	for (size_t i = 0; i < VZ_ARRAY_SIZE(parts); i++) {
		if (parts[i].counts && !(parts[i].counts & ~broken))
			use[i] = false;
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(skel->obj, parts[i].name),
			use[i]);
	}
	return all & ~broken;
}

/*
 * As many objects as there can be: the kernel's own bound of open files is one
 * for each ten kilobytes. A map's table takes 16 bytes for each, whether there
 * are any or not, and a walk forgets what it has seen by going through its own.
 */
static int size_maps(struct acct *skel)
{
	uint64_t n = (uint64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) >> 13;
	int r;

	n = n < 65536 ? 65536 : n > 8 << 20 ? 8 << 20 : n;
	skel->rodata->flights_share = n / 4 / 16;
	r = bpf_map__set_max_entries(skel->maps.owners, n);
	if (!r)
		r = bpf_map__set_max_entries(skel->maps.flights, n / 4);
	return r ? r : bpf_map__set_max_entries(skel->maps.seen, n / 4);
}

static struct acct *load_tier(const struct btf *kernel, enum tier tier, bool extra,
			      unsigned int level)
{
	autoskeleton struct acct *skel = acct__open();
	uint32_t exact;

	if (!skel)
		return NULL;
	if (size_maps(skel))
		return NULL;
	exact = choose(skel, kernel, tier, extra);
	skel->rodata->level = level;
	skel->rodata->sampled_mask = SAMPLED | (EITHER & ~exact);
	skel->rodata->unknown_fail = REFUSED_UNSEEN & ~exact;
	skel->rodata->frees_are_seen = bpf_program__autoload(skel->progs.message_freed);
	if (acct__load(skel))
		return NULL;
	return vz_take(skel);
}

/* RUNDIR/proc, where programs look that looked in /proc on OpenVZ. */
static int link_files(const struct vz_ctx *ctx, const char *dir)
{
	vz_autofree char *target = vz_strf("%s/user_beancounters", dir);
	vz_autofree char *bc = vz_strf("%s/proc/bc", ctx->rundir);
	vz_autofree char *all = vz_strf("%s/proc/user_beancounters", ctx->rundir);
	vz_autofree char *same = vz_strf("%s/proc/bc/resources", ctx->rundir);
	int r = target && bc && all && same ? vz_mkdir_p(bc, 0755) : -ENOMEM;

	if (r)
		return r;
	unlink(all);
	unlink(same);
	return symlink(target, all) || symlink(target, same) ? -errno : 0;
}

static int pin_map(const char *dir, const char *name, const struct bpf_map *map)
{
	return vz_bpffs_pin(dir, name, bpf_map__fd(map));
}

static int pin_all(const struct vz_ctx *ctx, struct acct *skel, const char *dir,
		   unsigned int level)
{
	char mark[32];
	int r;

	snprintf(mark, sizeof(mark), "level-%u", level);
	r = pin_map(dir, "rows", skel->maps.rows);
	if (!r)
		r = pin_map(dir, "seen", skel->maps.seen);
	if (!r)
		r = pin_map(dir, "own_group", skel->maps.own_group);
	if (!r)
		r = pin_map(dir, mark, skel->maps.rows);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(parts) && !r; i++) {
		r = vz_bpfpart_pin(
			bpf_object__find_program_by_name(skel->obj, parts[i].name),
			parts[i].how, bpf_map__fd(skel->maps.rows), dir);
		if (parts[i].extra)
			r = 0;
	}
	if (!r)
		r = link_files(ctx, dir);
	if (!r)
		r = pin_map(dir, "seal", skel->maps.rows);
	return r;
}

static int load(const struct vz_ctx *ctx, const char *dir, unsigned int level,
		struct vz_err *err)
{
	static const enum tier tiers[] = { TIER_TRACE, TIER_GROUP, TIER_ANY };
	autoskeleton struct acct *skel = NULL;
	struct btf *kernel = btf__load_vmlinux_btf();
	int r = -ENOENT;

	if (!kernel)
		return vz_err_set(err, VZ_E_KERNEL, 0,
				  "beancounters are not kept: the kernel has no BTF "
				  "(/sys/kernel/btf/vmlinux), see vzubc(8)");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(tiers) && !skel; i++) {
		errno = 0;
		skel = load_tier(kernel, tiers[i], true, level);
		r = errno ? -errno : -EINVAL;
		/* Rather fewer limits than other numbers. */
		if (!skel && r != -EPERM)
			skel = load_tier(kernel, tiers[i], false, level);
	}
	btf__free(kernel);
	if (skel)
		r = pin_all(ctx, skel, dir, level);
	return r ? vz_err_set(err, VZ_E_KERNEL, -r,
			      "beancounters are not kept: the kernel does not take "
			      "their programs (BPF)")
		 : 0;
}

static int check_level(const struct vz_ctx *ctx, unsigned int level, struct vz_err *err)
{
	char mark[32];
	int fd;

	snprintf(mark, sizeof(mark), "level-%u", level);
	fd = vz_bpffs_get(ctx, KIND, mark);
	if (fd < 0)
		return vz_err_set(err, VZ_E_KERNEL, 0,
				  "beancounters are kept for another CGROUP than vz.conf "
				  "has now: they can follow it after a reboot");
	close(fd);
	return 0;
}

int vz_acct_open(const struct vz_ctx *ctx, unsigned int level, struct vz_acct *ret,
		 struct vz_err *err)
{
	vz_autofd int lock = -1;
	char dir[PATH_MAX];
	int r;

	if (!vz_acct_find(ctx, ret)) {
		r = check_level(ctx, level, err);
		if (r)
			vz_acct_close(ret);
		return r;
	}
	libbpf_set_print(quiet);
	r = vz_bpffs_lock(ctx, KIND, dir, sizeof(dir), &lock, err);
	/* Another one may have been faster. */
	if (!r && vz_acct_find(ctx, ret)) {
		r = load(ctx, dir, level, err);
		if (!r && vz_acct_find(ctx, ret))
			r = vz_err_set(err, VZ_E_KERNEL, errno, "can't open %s", dir);
	}
	return r;
}
