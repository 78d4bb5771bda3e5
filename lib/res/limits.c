/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "res/cpuset.h"
#include "sys/blkdev.h"

#define PAGE 4096u
#define CPU_PERIOD 100000u

const struct vz_limits vz_limits_none = {
	.cpuunits = 1000,
	.ram = VZ_UNLIMITED,
	.swap = VZ_UNLIMITED,
	.numproc = VZ_UNLIMITED,
	.ioprio = 4,
};

static uint64_t clamp(uint64_t v, uint64_t low, uint64_t high)
{
	return v < low ? low : v > high ? high : v;
}

#define ADD(l, c, s, f, ...)                                                             \
	vz_cg_values_add(                                                                \
		l,                                                                       \
		&(struct vz_cg_value){ .ctrl = VZ_CG_##c, .status = (s), .file = (f) },  \
		__VA_ARGS__)
#define ADD_OPTIONAL(l, c, s, f, ...)                                                    \
	vz_cg_values_add(l,                                                              \
			 &(struct vz_cg_value){ .ctrl = VZ_CG_##c,                       \
						.status = (s),                           \
						.file = (f),                             \
						.optional = true },                      \
			 __VA_ARGS__)

/* 1000 units are what the kernel gives a group that nobody asked for. */
uint64_t vz_limits_weight(bool v2, uint64_t units)
{
	return v2 ? clamp(units / 10, 1, VZ_WEIGHT_MAX(true))
		  : clamp(units * 1024 / 1000, 2, VZ_WEIGHT_MAX(false));
}

static void diff_cpu(bool v2, const struct vz_limits *old, const struct vz_limits *new,
		     struct vz_cg_values *l)
{
	if (old->cpuunits != new->cpuunits)
		ADD(l, CPU, VZ_E_CPU, v2 ? "cpu.weight" : "cpu.shares", "%" PRIu64,
		    vz_limits_weight(v2, new->cpuunits));
	if (old->cpulimit == new->cpulimit)
		return;
	if (v2 && new->cpulimit)
		ADD(l, CPU, VZ_E_CPU, "cpu.max", "%" PRIu64 " %u",
		    new->cpulimit *CPU_PERIOD / 100, CPU_PERIOD);
	else if (v2)
		ADD(l, CPU, VZ_E_CPU, "cpu.max", "max %u", CPU_PERIOD);
	else if (new->cpulimit)
		ADD(l, CPU, VZ_E_CPU, "cpu.cfs_quota_us", "%" PRIu64,
		    new->cpulimit *CPU_PERIOD / 100);
	else
		ADD(l, CPU, VZ_E_CPU, "cpu.cfs_quota_us", "-1");
}

static void diff_cpuset(const struct vz_limits *old, const struct vz_limits *new,
			struct vz_cg_values *l)
{
	if (strcmp(old->cpus, new->cpus))
		ADD(l, CPUSET, VZ_E_CPU, "cpuset.cpus", "%s", new->cpus);
	if (strcmp(old->mems, new->mems))
		ADD(l, CPUSET, VZ_E_CPU, "cpuset.mems", "%s", new->mems);
}

static void add_bytes(struct vz_cg_values *l, const char *file, bool optional, bool v2,
		      uint64_t bytes)
{
	struct vz_cg_value v = { VZ_CG_MEMORY, VZ_E_UBC, file, .optional = optional };

	if (bytes >= VZ_UNLIMITED)
		vz_cg_values_add(l, &v, "%s", v2 ? "max" : "-1");
	else
		vz_cg_values_add(l, &v, "%" PRIu64, bytes);
}

/* v1 limits memory and memory + swap. */
static uint64_t memsw(const struct vz_limits *l)
{
	return l->ram >= VZ_UNLIMITED || l->swap >= VZ_UNLIMITED ? VZ_UNLIMITED
								 : l->ram + l->swap;
}

static void diff_memory(bool v2, const struct vz_limits *old, const struct vz_limits *new,
			struct vz_cg_values *l)
{
	/* At no moment may v1's memory limit be above memory + swap. */
	bool sum_first = new->ram > memsw(old);

	if (v2) {
		if (old->min != new->min)
			add_bytes(l, "memory.min", false, v2, new->min);
		if (old->low != new->low)
			add_bytes(l, "memory.low", false, v2, new->low);
		if (old->swap != new->swap)
			add_bytes(l, "memory.swap.max", true, v2, new->swap);
		if (old->ram != new->ram)
			add_bytes(l, "memory.max", false, v2, new->ram);
		return;
	}
	if (memsw(old) != memsw(new) && sum_first)
		add_bytes(l, "memory.memsw.limit_in_bytes", true, v2, memsw(new));
	if (old->ram != new->ram)
		add_bytes(l, "memory.limit_in_bytes", false, v2, new->ram);
	if (memsw(old) != memsw(new) && !sum_first)
		add_bytes(l, "memory.memsw.limit_in_bytes", true, v2, memsw(new));
}

static void diff_numproc(const struct vz_limits *old, const struct vz_limits *new,
			 struct vz_cg_values *l)
{
	/* More than PID_MAX_LIMIT is refused, and is no limit anyway. */
	if (old->numproc == new->numproc)
		return;
	if (new->numproc > 4194304)
		ADD(l, PIDS, VZ_E_UBC, "pids.max", "max");
	else
		ADD(l, PIDS, VZ_E_UBC, "pids.max", "%" PRIu64, new->numproc);
}

/* The time slices that CFQ gave these priorities on OpenVZ: 4 is the kernel's 100. */
static unsigned int io_weight(uint64_t ioprio)
{
	return 20 + 20 * clamp(ioprio, 0, 7);
}

static void add_v1_throttle(struct vz_cg_values *l, dev_t disk, const char *read_file,
			    const char *write_file, uint64_t limit)
{
	ADD(l, BLKIO, VZ_E_IO, read_file, "%u:%u %" PRIu64, major(disk), minor(disk),
	    limit);
	ADD(l, BLKIO, VZ_E_IO, write_file, "%u:%u %" PRIu64, major(disk), minor(disk),
	    limit);
}

static void add_v2_throttle(struct vz_cg_values *l, dev_t disk, const char *unit,
			    uint64_t limit)
{
	char text[24] = "max";

	if (limit)
		snprintf(text, sizeof(text), "%" PRIu64, limit);
	ADD(l, BLKIO, VZ_E_IO, "io.max", "%u:%u r%s=%s w%s=%s", major(disk), minor(disk),
	    unit, text, unit, text);
}

/*
 * Which scheduler the disk has decides which weight counts. A limit holds for
 * reading and for writing each: the kernel has none for their sum.
 */
static void diff_io(bool v2, const struct vz_limits *old, const struct vz_limits *new,
		    struct vz_cg_values *l)
{
	unsigned int weight = io_weight(new->ioprio);

	if (old->ioprio != new->ioprio && v2) {
		ADD_OPTIONAL(l, BLKIO, VZ_E_IO, "io.weight", "%u", weight);
		ADD_OPTIONAL(l, BLKIO, VZ_E_IO, "io.bfq.weight", "%u", weight);
	} else if (old->ioprio != new->ioprio) {
		ADD_OPTIONAL(l, BLKIO, VZ_E_IO, "blkio.bfq.weight", "%u", weight);
		ADD_OPTIONAL(l, BLKIO, VZ_E_IO, "blkio.weight", "%u", weight);
	}
	if (old->iolimit != new->iolimit &&new->disk) {
		if (v2)
			add_v2_throttle(l, new->disk, "bps", new->iolimit);
		else
			add_v1_throttle(l, new->disk, "blkio.throttle.read_bps_device",
					"blkio.throttle.write_bps_device", new->iolimit);
	}
	if (old->iopslimit != new->iopslimit &&new->disk) {
		if (v2)
			add_v2_throttle(l, new->disk, "iops", new->iopslimit);
		else
			add_v1_throttle(l, new->disk, "blkio.throttle.read_iops_device",
					"blkio.throttle.write_iops_device",
					new->iopslimit);
	}
}

void vz_limits_diff(const struct vz_cg_host *host, enum vz_live live,
		    const struct vz_limits *old, const struct vz_limits *new,
		    struct vz_cg_values *values)
{
	if (live == VZ_LIVE_CPU)
		diff_cpu(vz_cg_is_v2(host, VZ_CG_CPU), old, new, values);
	else if (live == VZ_LIVE_CPUSET)
		diff_cpuset(old, new, values);
	else if (live == VZ_LIVE_MEMORY)
		diff_memory(vz_cg_is_v2(host, VZ_CG_MEMORY), old, new, values);
	else if (live == VZ_LIVE_NUMPROC)
		diff_numproc(old, new, values);
	else if (live == VZ_LIVE_IO)
		diff_io(vz_cg_is_v2(host, VZ_CG_BLKIO), old, new, values);
}

static uint64_t bytes_of(const struct vz_cfg *cfg, enum vz_param_id id)
{
	uint64_t pages = vz_cfg_limit(cfg, id).limit;

	return pages >= VZ_UNLIMITED / PAGE ? VZ_UNLIMITED : pages * PAGE;
}

/* The barrier, when somebody set it. */
static uint64_t guaranteed(const struct vz_cfg *cfg, enum vz_param_id id)
{
	uint64_t pages = vz_cfg_has(cfg, id) ? vz_cfg_limit(cfg, id).barrier : 0;

	return pages >= VZ_UNLIMITED / PAGE ? VZ_UNLIMITED : pages * PAGE;
}

void vz_limits_guarantee(const struct vz_cfg *cfg, uint64_t *ret_min, uint64_t *ret_low)
{
	uint64_t ram = bytes_of(cfg, VZ_P_PHYSPAGES);
	uint64_t min = vz_cfg_u64(cfg, VZ_P_MEMRESERVE) * PAGE;
	uint64_t oom = guaranteed(cfg, VZ_P_OOMGUARPAGES);
	uint64_t vm = guaranteed(cfg, VZ_P_VMGUARPAGES);

	min = clamp(oom, min, UINT64_MAX);
	*ret_min = clamp(min, 0, ram);
	*ret_low = clamp(clamp(vm, min, UINT64_MAX), 0, ram);
}

/* `reset`: there may be a limit of before, so a disk is sought, but need not be. */
static int find_disk(const struct vz_ctx *ctx, const struct vz_cfg *cfg, bool reset,
		     struct vz_limits *l, struct vz_err *err)
{
	const char *private = vz_cfg_str(cfg, VZ_P_VE_PRIVATE);
	bool wanted = l->iolimit || l->iopslimit;
	char fstype[32];
	int r;

	if ((!wanted && !reset) || !private)
		return 0;
	r = vz_blkdev_of(ctx, private, &l->disk, fstype);
	if (!r || !wanted)
		return 0;
	if (r != -ENODEV)
		return vz_err_set(err, VZ_E_IO, -r, "can't find the disk of %s", private);
	return vz_err_set(err, VZ_E_IO, 0,
			  "iolimit and iopslimit have no effect: %s is on %s, which has "
			  "no disk of its own",
			  private, *fstype ? fstype : "a file system without a device");
}

/* What one group of parameters says. */
static int read_cfg(const struct vz_ctx *ctx, const struct vz_cg *cg,
		    const struct vz_cfg *cfg, enum vz_live live, struct vz_limits *l,
		    struct vz_err *err)
{
	switch (live) {
	case VZ_LIVE_CPU:
		l->cpuunits = vz_cfg_u64(cfg, VZ_P_CPUUNITS);
		l->cpulimit = vz_cfg_u64(cfg, VZ_P_CPULIMIT);
		return 0;
	case VZ_LIVE_CPUSET:
		return vz_cpuset_choose(
			cg,
			&(struct vz_cpuset_wish){ vz_cfg_u64(cfg, VZ_P_CPUS),
						  vz_cfg_str(cfg, VZ_P_CPUMASK),
						  vz_cfg_str(cfg, VZ_P_NODEMASK) },
			l->cpus, l->mems, sizeof(l->cpus), err);
	case VZ_LIVE_MEMORY:
		l->ram = bytes_of(cfg, VZ_P_PHYSPAGES);
		l->swap = bytes_of(cfg, VZ_P_SWAPPAGES);
		vz_limits_guarantee(cfg, &l->min, &l->low);
		return 0;
	case VZ_LIVE_NUMPROC:
		l->numproc = vz_cfg_limit(cfg, VZ_P_NUMPROC).limit;
		return 0;
	case VZ_LIVE_IO:
		l->ioprio = vz_cfg_u64(cfg, VZ_P_IOPRIO);
		l->iolimit = vz_cfg_u64(cfg, VZ_P_IOLIMIT);
		l->iopslimit = vz_cfg_u64(cfg, VZ_P_IOPSLIMIT);
		return 0;
	default:
		return 0;
	}
}

/*
 * v2 kills processes when memory.max falls below what they use, v1 refuses.
 * Refuse on both: memory.high reclaims without killing and shows what is left.
 */
static int shrink_v2(const struct vz_cg *cg, uint64_t ram, struct vz_err *err)
{
	uint64_t used;
	char text[24];
	int r;

	if (vz_cg_read_u64(cg, VZ_CG_MEMORY, "memory.current", &used) || used <= ram)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64, ram);
	r = vz_cg_write(cg, VZ_CG_MEMORY, "memory.high", text, err);
	if (r)
		return r;
	r = vz_cg_read_u64(cg, VZ_CG_MEMORY, "memory.current", &used);
	vz_cg_write(cg, VZ_CG_MEMORY, "memory.high", "max", NULL);
	return r ? r : used > ram ? -EBUSY : 0;
}

static int set_memory(const struct vz_cg *cg, const struct vz_limits *new,
		      const struct vz_cg_values *values, struct vz_err *err)
{
	int r = 0;

	if (vz_cg_is_v2(cg->host, VZ_CG_MEMORY) && new->ram < VZ_UNLIMITED)
		r = shrink_v2(cg, new->ram, err);
	if (!r)
		r = vz_cg_set(cg, values, err);
	if (r == -EBUSY)
		vz_err_set(err, VZ_E_UBC, 0,
			   "the VE uses more memory than %" PRIu64
			   " MiB and can't give it back: end some of its processes first",
			   new->ram >> 20);
	return r;
}

/* A priority that no file of the kernel stands for would be a silent nothing. */
static int check_ioprio(const struct vz_cg *cg, const struct vz_limits *old,
			const struct vz_limits *new, struct vz_err *err)
{
	static const char *const files[] = { "io.weight", "io.bfq.weight",
					     "blkio.bfq.weight", "blkio.weight" };
	char path[256];

	if (old->ioprio == new->ioprio)
		return 0;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(files); i++)
		if (!vz_cg_path(cg, VZ_CG_BLKIO, files[i], path, sizeof(path)) &&
		    !access(path, F_OK))
			return 0;
	return vz_err_set(err, VZ_E_IO, 0,
			  "ioprio can't be set: this kernel has no weights of disk "
			  "time (BFQ or iocost)");
}

/* v1 shows no limit as the greatest number of whole pages. */
static uint64_t limit_in_force(const struct vz_cg *cg, const char *file)
{
	uint64_t v;

	if (vz_cg_read_u64(cg, VZ_CG_MEMORY, file, &v) || v > VZ_UNLIMITED / 2)
		return VZ_UNLIMITED;
	return v;
}

/* The order of writing depends on what is there, whoever wrote it. */
static void read_memory(const struct vz_cg *cg, struct vz_limits *l)
{
	uint64_t sum;

	if (vz_cg_is_v2(cg->host, VZ_CG_MEMORY)) {
		l->ram = limit_in_force(cg, "memory.max");
		l->swap = limit_in_force(cg, "memory.swap.max");
		l->min = limit_in_force(cg, "memory.min");
		l->low = limit_in_force(cg, "memory.low");
		return;
	}
	l->ram = limit_in_force(cg, "memory.limit_in_bytes");
	sum = limit_in_force(cg, "memory.memsw.limit_in_bytes");
	l->swap = sum >= VZ_UNLIMITED || sum < l->ram ? VZ_UNLIMITED : sum - l->ram;
}

/* Different from every configuration: what is in force is not known. */
static const struct vz_limits unknown = {
	.cpuunits = UINT64_MAX,
	.cpulimit = UINT64_MAX,
	.cpus = "?",
	.mems = "?",
	.numproc = UINT64_MAX,
	.ioprio = UINT64_MAX,
	.iolimit = UINT64_MAX,
	.iopslimit = UINT64_MAX,
};

static int apply(const struct vz_ctx *ctx, const struct vz_cg *cg, enum vz_live live,
		 const struct vz_cfg *old, const struct vz_cfg *cfg, struct vz_err *err)
{
	vz_autocgvalues struct vz_cg_values values = { 0 };
	struct vz_limits was = unknown, is = vz_limits_none;
	int r;

	/* What the old one could not have does not matter any more. */
	if (live == VZ_LIVE_MEMORY)
		read_memory(cg, &was);
	else if (old)
		read_cfg(ctx, cg, old, live, &was, NULL);
	r = read_cfg(ctx, cg, cfg, live, &is, err);
	if (!r && live == VZ_LIVE_IO) {
		r = find_disk(ctx, cfg, was.iolimit || was.iopslimit, &is, err);
		if (!r)
			r = check_ioprio(cg, old ? &was : &vz_limits_none, &is, err);
	}
	if (r)
		return r;
	vz_limits_diff(cg->host, live, &was, &is, &values);
	return live == VZ_LIVE_MEMORY ? set_memory(cg, &is, &values, err)
				      : vz_cg_set(cg, &values, err);
}

int vz_limits_cpu(const struct vz_ctx *ctx, const struct vz_cg *cg,
		  const struct vz_cfg *old, const struct vz_cfg *cfg, struct vz_err *err)
{
	return apply(ctx, cg, VZ_LIVE_CPU, old, cfg, err);
}

int vz_limits_cpuset(const struct vz_ctx *ctx, const struct vz_cg *cg,
		     const struct vz_cfg *old, const struct vz_cfg *cfg,
		     struct vz_err *err)
{
	return apply(ctx, cg, VZ_LIVE_CPUSET, old, cfg, err);
}

int vz_limits_memory(const struct vz_ctx *ctx, const struct vz_cg *cg,
		     const struct vz_cfg *old, const struct vz_cfg *cfg,
		     struct vz_err *err)
{
	return apply(ctx, cg, VZ_LIVE_MEMORY, old, cfg, err);
}

int vz_limits_numproc(const struct vz_ctx *ctx, const struct vz_cg *cg,
		      const struct vz_cfg *old, const struct vz_cfg *cfg,
		      struct vz_err *err)
{
	return apply(ctx, cg, VZ_LIVE_NUMPROC, old, cfg, err);
}

int vz_limits_io(const struct vz_ctx *ctx, const struct vz_cg *cg,
		 const struct vz_cfg *old, const struct vz_cfg *cfg, struct vz_err *err)
{
	return apply(ctx, cg, VZ_LIVE_IO, old, cfg, err);
}

int vz_limits_values(const struct vz_ctx *ctx, const struct vz_cg *cg,
		     const struct vz_cfg *cfg, struct vz_cg_values *values,
		     struct vz_err *err)
{
	static const enum vz_live order[] = { VZ_LIVE_CPU, VZ_LIVE_CPUSET, VZ_LIVE_MEMORY,
					      VZ_LIVE_NUMPROC, VZ_LIVE_IO };
	struct vz_limits l = vz_limits_none;
	struct vz_err why = { 0 };
	int r = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(order) && !r; i++)
		r = read_cfg(ctx, cg, cfg, order[i], &l, err);
	if (r)
		return r;
	/* A VE that has lost its disk's limit is better than none. */
	if (find_disk(ctx, cfg, false, &l, &why))
		vz_warn(ctx, "%s", why.text);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(order); i++)
		vz_limits_diff(cg->host, order[i], &vz_limits_none, &l, values);
	return 0;
}
