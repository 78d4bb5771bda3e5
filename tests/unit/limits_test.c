/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From parameters' numbers to the kernel's files: lists of CPUs, limits, disks. */
#include "res/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "base/str.h"
#include "res/cpulist.h"
#include "sys/blkdev.h"
#include "tests/unit/tap.h"

/* makedev(3) for initialisers: both numbers are small. */
#define DEVICE(major, minor) ((dev_t)(major) << 8 | (minor))

static const struct {
	const char *text;
	int r;
	const char *back;
} lists[] = {
	{ "0", 0, "0" },
	{ "", 0, "" },
	{ "0-3", 0, "0-3" },
	{ "3,1,2", 0, "1-3" },
	{ "0-1,3,5-6,63-64", 0, "0-1,3,5-6,63-64" },
	{ "8191", 0, "8191" },
	{ "8192", -ERANGE, NULL },
	{ "99999999999999999999", -ERANGE, NULL },
	{ "3-1", -EINVAL, NULL },
	{ "1,", -EINVAL, NULL },
	{ ",1", -EINVAL, NULL },
	{ "1-", -EINVAL, NULL },
	{ "-1", -EINVAL, NULL },
	{ "1 2", -EINVAL, NULL },
	{ "a", -EINVAL, NULL },
};

static void test_lists(void)
{
	char back[128];

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct vz_cpulist l;
		int r = vz_cpulist_parse(lists[i].text, &l);

		tap_ok(r == lists[i].r, "the list '%s' gives %d", lists[i].text,
		       lists[i].r);
		if (!r && vz_cpulist_format(&l, back, sizeof(back)))
			tap_is_str(back, lists[i].back, "and back");
	}
}

static const struct {
	const char *have;
	size_t n;
	uint64_t seed;
	const char *picked;
} picks[] = {
	{ "0-3", 1, 0, "0" },	{ "0-3", 1, 1, "1" },	  { "0-3", 1, 5, "1" },
	{ "0-3", 2, 1, "2-3" }, { "0-3", 3, 1, "0-1,3" }, { "0-3", 4, 9, "0-3" },
	{ "0-3", 9, 9, "0-3" }, { "1,5,9", 1, 2, "9" },	  { "0-3", 1, UINT64_MAX, "3" },
	{ "", 1, 1, "" },
};

static void test_picks(void)
{
	char text[64];

	for (size_t i = 0; i < sizeof(picks) / sizeof(*picks); i++) {
		struct vz_cpulist l;

		vz_cpulist_parse(picks[i].have, &l);
		vz_cpulist_pick(&l, picks[i].n, picks[i].seed);
		vz_cpulist_format(&l, text, sizeof(text));
		tap_is_str(text, picks[i].picked, "CPUs spread over the node");
	}
}

/* What differs from a new group, as "file=value" words. */
static const struct {
	const char *name;
	bool v2;
	enum vz_live live;
	struct vz_limits old, new;
	const char *want;
} diffs[] = {
#define NEW .cpuunits = 1000, .ram = VZ_UNLIMITED, .swap = VZ_UNLIMITED
	{ "nothing", false, VZ_LIVE_CPU, { .cpuunits = 7 }, { .cpuunits = 7 }, "" },
	{ "shares", false, VZ_LIVE_CPU, { NEW }, { .cpuunits = 500 }, "cpu.shares=512" },
	{ "few shares", false, VZ_LIVE_CPU, { NEW }, { .cpuunits = 8 }, "cpu.shares=8" },
	{ "all shares",
	  false,
	  VZ_LIVE_CPU,
	  { NEW },
	  { .cpuunits = 500000 },
	  "cpu.shares=262144" },
	{ "weight", true, VZ_LIVE_CPU, { NEW }, { .cpuunits = 500 }, "cpu.weight=50" },
	{ "low weight", true, VZ_LIVE_CPU, { NEW }, { .cpuunits = 8 }, "cpu.weight=1" },
	{ "top weight",
	  true,
	  VZ_LIVE_CPU,
	  { NEW },
	  { .cpuunits = 500000 },
	  "cpu.weight=10000" },
	{ "quota",
	  false,
	  VZ_LIVE_CPU,
	  { 0 },
	  { .cpulimit = 150 },
	  "cpu.cfs_quota_us=150000" },
	{ "no quota",
	  false,
	  VZ_LIVE_CPU,
	  { .cpulimit = 1 },
	  { 0 },
	  "cpu.cfs_quota_us=-1" },
	{ "max", true, VZ_LIVE_CPU, { 0 }, { .cpulimit = 1 }, "cpu.max=1000 100000" },
	{ "no max", true, VZ_LIVE_CPU, { .cpulimit = 1 }, { 0 }, "cpu.max=max 100000" },
	{ "cpuset",
	  true,
	  VZ_LIVE_CPUSET,
	  { 0 },
	  { .cpus = "1", .mems = "0" },
	  "cpuset.cpus=1 cpuset.mems=0" },
	{ "all CPUs", true, VZ_LIVE_CPUSET, { .cpus = "1" }, { 0 }, "cpuset.cpus=" },
	{ "numproc", true, VZ_LIVE_NUMPROC, { 0 }, { .numproc = 99 }, "pids.max=99" },
	{ "numproc of none",
	  false,
	  VZ_LIVE_NUMPROC,
	  { 0 },
	  { .numproc = VZ_UNLIMITED },
	  "pids.max=max" },
	{ "first memory",
	  false,
	  VZ_LIVE_MEMORY,
	  { NEW },
	  { .ram = 100, .swap = 50 },
	  "memory.limit_in_bytes=100 memory.memsw.limit_in_bytes=150" },
	{ "less memory",
	  false,
	  VZ_LIVE_MEMORY,
	  { .ram = 100, .swap = 50 },
	  { .ram = 60, .swap = 30 },
	  "memory.limit_in_bytes=60 memory.memsw.limit_in_bytes=90" },
	{ "more memory",
	  false,
	  VZ_LIVE_MEMORY,
	  { .ram = 100, .swap = 50 },
	  { .ram = 200, .swap = 50 },
	  "memory.memsw.limit_in_bytes=250 memory.limit_in_bytes=200" },
	{ "memory for swap",
	  false,
	  VZ_LIVE_MEMORY,
	  { .ram = 100, .swap = 50 },
	  { .ram = 120, .swap = 30 },
	  "memory.limit_in_bytes=120" },
	{ "no limit of memory",
	  false,
	  VZ_LIVE_MEMORY,
	  { .ram = 100, .swap = 50 },
	  { .ram = VZ_UNLIMITED, .swap = VZ_UNLIMITED },
	  "memory.memsw.limit_in_bytes=-1 memory.limit_in_bytes=-1" },
	{ "memory.max",
	  true,
	  VZ_LIVE_MEMORY,
	  { NEW },
	  { .ram = 100, .swap = 0 },
	  "memory.swap.max=0 memory.max=100" },
	{ "no memory.max",
	  true,
	  VZ_LIVE_MEMORY,
	  { .ram = 1, .swap = 2 },
	  { .ram = VZ_UNLIMITED, .swap = VZ_UNLIMITED },
	  "memory.swap.max=max memory.max=max" },
	{ "a guarantee",
	  true,
	  VZ_LIVE_MEMORY,
	  { NEW },
	  { .ram = 100, .swap = VZ_UNLIMITED, .min = 40, .low = 60 },
	  "memory.min=40 memory.low=60 memory.max=100" },
	{ "a guarantee of all",
	  true,
	  VZ_LIVE_MEMORY,
	  { NEW },
	  { NEW, .min = VZ_UNLIMITED, .low = VZ_UNLIMITED },
	  "memory.min=max memory.low=max" },
	{ "no guarantee any more",
	  true,
	  VZ_LIVE_MEMORY,
	  { NEW, .min = 40, .low = 60 },
	  { NEW },
	  "memory.min=0 memory.low=0" },
	{ "no guarantee of one group alone on v1",
	  false,
	  VZ_LIVE_MEMORY,
	  { NEW },
	  { NEW, .min = 40, .low = 60 },
	  "" },
	{ "priority",
	  false,
	  VZ_LIVE_IO,
	  { .ioprio = 4 },
	  { .ioprio = 7 },
	  "blkio.bfq.weight=160 blkio.weight=160" },
	{ "priority",
	  true,
	  VZ_LIVE_IO,
	  { .ioprio = 4 },
	  { .ioprio = 0 },
	  "io.weight=20 io.bfq.weight=20" },
	{ "iolimit",
	  false,
	  VZ_LIVE_IO,
	  { 0 },
	  { .iolimit = 5, .disk = DEVICE(8, 16) },
	  "blkio.throttle.read_bps_device=8:16 5 blkio.throttle.write_bps_device=8:16 "
	  "5" },
	{ "iopslimit",
	  true,
	  VZ_LIVE_IO,
	  { 0 },
	  { .iopslimit = 5, .disk = DEVICE(8, 0) },
	  "io.max=8:0 riops=5 wiops=5" },
	{ "no iolimit",
	  true,
	  VZ_LIVE_IO,
	  { .iolimit = 5 },
	  { .disk = DEVICE(8, 0) },
	  "io.max=8:0 rbps=max wbps=max" },
	{ "no disk", true, VZ_LIVE_IO, { 0 }, { .iolimit = 5 }, "" },
};

static void test_diffs(void)
{
	static const struct vz_cg_host v1 = {
		.v1 = { [VZ_CG_CPU] = "/x", [VZ_CG_MEMORY] = "/x", [VZ_CG_BLKIO] = "/x" }
	};
	static const struct vz_cg_host v2 = { .unified = "/x", .v2_controllers = ~0u };

	for (size_t i = 0; i < sizeof(diffs) / sizeof(*diffs); i++) {
		vz_autocgvalues struct vz_cg_values l = { 0 };
		vz_autostr struct vz_str b = { 0 };

		vz_limits_diff(diffs[i].v2 ? &v2 : &v1, diffs[i].live, &diffs[i].old,
			       &diffs[i].new, &l);
		for (size_t k = 0; k < l.n; k++)
			vz_str_addf(&b, "%s%s=%s", k ? " " : "", l.v[k].file,
				    l.v[k].value);
		tap_is_str(b.s ? b.s : "", diffs[i].want, diffs[i].name);
	}
}

/* What a configuration guarantees, in pages. */
static const struct {
	const char *name;
	const char *reserve, *oomguar, *vmguar, *ram;
	uint64_t min, low;
} guarantees[] = {
	{ "nothing", NULL, NULL, NULL, NULL, 0, 0 },
	{ "a reserve", "100", NULL, NULL, NULL, 100, 100 },
	{ "oomguarpages", NULL, "50:unlimited", NULL, NULL, 50, 50 },
	{ "vmguarpages", NULL, NULL, "70", NULL, 0, 70 },
	{ "all of them", "60", "50", "70", NULL, 60, 70 },
	{ "the greater ones", "10", "50", "30", NULL, 50, 50 },
	{ "no more than the limit", NULL, "500", "700", "0:300", 300, 300 },
	{ "all there is, which is the limit", NULL, "unlimited", NULL, "0:300", 300,
	  300 },
	{ "not what --ram implies", NULL, NULL, NULL, "0:300", 0, 0 },
};

static void test_guarantees(void)
{
	for (size_t i = 0; i < sizeof(guarantees) / sizeof(*guarantees); i++) {
		vz_autocfg struct vz_cfg *cfg = NULL;
		uint64_t min = 1, low = 1;

		if (vz_cfg_new(101, &cfg))
			return;
		vz_cfg_set(cfg, VZ_P_MEMRESERVE, guarantees[i].reserve, NULL);
		vz_cfg_set(cfg, VZ_P_OOMGUARPAGES, guarantees[i].oomguar, NULL);
		vz_cfg_set(cfg, VZ_P_VMGUARPAGES, guarantees[i].vmguar, NULL);
		vz_cfg_set(cfg, VZ_P_PHYSPAGES, guarantees[i].ram, NULL);
		vz_cfg_set(cfg, VZ_P_SWAPPAGES, guarantees[i].ram, NULL);
		vz_limits_guarantee(cfg, &min, &low);
		tap_ok(min == guarantees[i].min * 4096, "%s: min", guarantees[i].name);
		tap_ok(low == guarantees[i].low * 4096, "%s: low", guarantees[i].name);
	}
}

static void put(const char *top, const char *path, const char *text)
{
	char full[256], *slash;

	snprintf(full, sizeof(full), "%s/%s", top, path);
	slash = strrchr(full, '/');
	*slash = 0;
	vz_mkdir_p(full, 0755);
	*slash = '/';
	vz_replace_file(full, text, strlen(text), 0644);
}

static void link_to(const char *top, const char *path, const char *to)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	tap_ok(!symlink(to, full), "link %s", path);
}

static void test_disks(void)
{
	char top[] = "/tmp/vz-limits-XXXXXX";
	dev_t disk = 0;

	if (!mkdtemp(top))
		return;
	put(top, "devices/sda/dev", "8:0\n");
	put(top, "devices/sda/sda1/partition", "1\n");
	put(top, "devices/sda/sda1/dev", "8:1\n");
	put(top, "devices/dm-0/dev", "253:0\n");
	put(top, "dev/block/none", "");
	link_to(top, "dev/block/8:0", "../../devices/sda");
	link_to(top, "dev/block/8:1", "../../devices/sda/sda1");
	link_to(top, "dev/block/253:0", "../../devices/dm-0");
	tap_is_int(vz_blkdev_whole(top, makedev(8, 1), &disk), 0, "a partition");
	tap_ok(disk == DEVICE(8, 0), "is on its disk");
	tap_is_int(vz_blkdev_whole(top, DEVICE(8, 0), &disk), 0, "a disk");
	tap_ok(disk == DEVICE(8, 0), "is one");
	tap_is_int(vz_blkdev_whole(top, makedev(253, 0), &disk), 0, "a mapped device");
	tap_ok(disk == makedev(253, 0), "is a disk of its own");
	tap_is_int(vz_blkdev_whole(top, makedev(9, 9), &disk), -ENODEV, "no device");
	vz_remove_tree(AT_FDCWD, top);
}

static void test_no_disk(void)
{
	struct vz_ctx ctx = { .procdir = "/proc" };
	char fstype[32] = "?";
	dev_t disk;

	tap_is_int(vz_blkdev_of(&ctx, "/proc", &disk, fstype), -ENODEV,
		   "what lies on no disk");
	tap_is_str(fstype, "proc", "lies on something else");
	tap_is_int(vz_blkdev_of(&ctx, "/none/such", &disk, fstype), -ENOENT, "nothing");
}

int main(void)
{
	test_lists();
	test_picks();
	test_diffs();
	test_guarantees();
	test_disks();
	test_no_disk();
	return tap_done();
}
