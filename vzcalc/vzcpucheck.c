/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzcpucheck: the CPU units of VEs against what the node can do. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "res/cfg.h"
#include "sys/machine.h"
#include "tool/main.h"
#include "ve/ids.h"
#include "ve/state.h"

enum { VERBOSE, ALL };

static const struct vz_opt opts[] = {
	[VERBOSE] = { "verbose", 'v', NULL, "each VE, not only the sum" },
	[ALL] = { "all", 'a', NULL, "VEs that do not run, too" },
	{ 0 },
};

struct sum {
	const struct vz_ctx *ctx;
	bool verbose, partial;
	uint64_t units;
};

static void add(struct sum *sum, uint32_t id, uint64_t units)
{
	if (sum->verbose)
		printf("%-10u %10" PRIu64 "\n", id, units);
	sum->units += units;
}

/* A VE's configuration that can't be read is left out, and said to be. */
static void add_ve(struct sum *sum, uint32_t id)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	struct vz_err err = { 0 };

	if (vz_cfg_load_ve(sum->ctx, id, &cfg, &err)) {
		vz_warn(sum->ctx, "VE %u is left out: %s", id, err.text);
		sum->partial = true;
		return;
	}
	add(sum, id, vz_cfg_u64(cfg, VZ_P_CPUUNITS));
}

static int find_ves(const struct vz_ctx *ctx, bool all, struct vz_ids *ret)
{
	vz_autoids struct vz_ids active = { 0 };
	int r = all ? vz_ids_defined(ctx, ret) : vz_ids_active(ctx, &active);

	for (size_t i = 0; !r && i < active.n; i++)
		if (vz_state_running(ctx, active.v[i]) == 1)
			r = vz_ids_add(ret, active.v[i]);
	vz_ids_sort(ret);
	return r;
}

static int check(struct vz_tool_run *run)
{
	struct sum sum = { .ctx = run->ctx, .verbose = run->value[VERBOSE] };
	vz_autocfg struct vz_cfg *global = NULL;
	vz_autoids struct vz_ids ids = { 0 };
	struct vz_machine machine;
	int r = vz_machine_read(run->ctx, &machine, run->err);

	if (!r)
		r = vz_cfg_load_global(run->ctx, &global, run->err);
	if (r)
		return r;
	r = find_ves(run->ctx, run->value[ALL], &ids);
	if (r)
		return vz_err_set(run->err, VZ_E_SYSTEM, -r, "can't list VEs");
	if (sum.verbose)
		printf("%-10s %10s\n---------------------\n", "VEID", "CPUUNITS");
	add(&sum, 0, vz_cfg_u64(global, VZ_P_VE0CPUUNITS));
	for (size_t i = 0; i < ids.n; i++)
		add_ve(&sum, ids.v[i]);
	printf("Current CPU utilization: %" PRIu64 "\n", sum.units);
	if (!machine.cpu_power)
		puts("Power of the node: -");
	else
		printf("Power of the node: %" PRIu64 "\n", machine.cpu_power);
	if (machine.cpu_power && sum.units > machine.cpu_power)
		puts("Warning: the VEs have more CPU units than the node has power");
	return sum.partial;
}

int main(int argc, char **argv)
{
	static const struct vz_tool tool = {
		.name = "vzcpucheck",
		.args = "[-v] [-a]",
		.about = "Show the CPU units of the node and of VEs that run, and the "
			 "power "
			 "of its CPUs.",
		.opts = opts,
		.plans = true,
		.run = check,
	};

	return vz_tool_main(&tool, argc, argv);
}
