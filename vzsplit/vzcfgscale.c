/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzcfgscale: a configuration made larger or smaller. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "res/scale.h"
#include "res/validate.h"
#include "tool/cfgfile.h"
#include "tool/main.h"

enum { ALL, CPU, MEMORY, DISK, COUNTERS, NETWORK, OUTPUT, VALIDATE, REMOVE };

static const struct vz_opt opts[] = {
	[ALL] = { "all", 'a', "FACTOR", "scale everything" },
	[CPU] = { "cpu-only", 'c', "FACTOR", "CPU units and CPU limit" },
	[MEMORY] = { "memory-only", 'm', "FACTOR", "beancounters in bytes and pages" },
	[DISK] = { "disk-only", 'd', "FACTOR", "disk space and inodes" },
	[COUNTERS] = { "ubc-only", 'u', "FACTOR", "all beancounters" },
	[NETWORK] = { "network-only", 'n', "FACTOR", "bandwidth" },
	[OUTPUT] = { "output-file", 'o', "OUT", "write there, not to standard output" },
	[VALIDATE] = { "validate", 'v', NULL,
		       "write nothing that vzcfgvalidate refuses" },
	[REMOVE] = { "remove", 'r', NULL, "leave out what is one VE's alone" },
	{ 0 },
};

#define EXIT_BROKEN 2

/* Which groups an option is for; the later row overrules the earlier. */
static const struct {
	int opt;
	unsigned int groups;
} meanings[] = {
	{ ALL, ~0u },
	{ COUNTERS, 1u << VZ_SCALE_MEMORY | 1u << VZ_SCALE_COUNTS },
	{ MEMORY, 1u << VZ_SCALE_MEMORY },
	{ CPU, 1u << VZ_SCALE_CPU },
	{ DISK, 1u << VZ_SCALE_DISK },
	{ NETWORK, 1u << VZ_SCALE_NETWORK },
};

static int find_factors(struct vz_tool_run *run, struct vz_scale *ret)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(meanings); i++) {
		const char *word = run->value[meanings[i].opt];
		uint64_t factor;

		if (!word)
			continue;
		if (vz_scale_parse(word, &factor))
			return vz_err_set(
				run->err, VZ_E_VALUE, 0,
				"-%c %.80s: expected a factor such as 1.5, above "
				"0 and at most 1000",
				opts[meanings[i].opt].letter, word);
		for (int g = 0; g < VZ_SCALE__COUNT; g++)
			if (meanings[i].groups & 1u << g)
				ret->factor[g] = factor;
	}
	return 0;
}

/* What no other VE can have: its names, addresses and places. */
static int remove_own(struct vz_cfg *cfg, struct vz_err *err)
{
	int r = 0;

	for (int id = 0; !r && id < VZ_P__COUNT; id++)
		if (vz_cfg_own(cfg, id) &&
		    (vz_params[id].flags & VZ_PF_CONFIG_MAP || id == VZ_P_NETIF ||
		     id == VZ_P_NETDEV || id == VZ_P_NAMESERVER ||
		     id == VZ_P_SEARCHDOMAIN || id == VZ_P_DESCRIPTION))
			r = vz_cfg_set(cfg, id, NULL, err);
	return r;
}

/* Rules that the result breaks; recommendations are none. */
static int count_broken(struct vz_tool_run *run, const struct vz_cfg *cfg, bool print,
			unsigned int *ret)
{
	struct vz_validator v = { .cfg = cfg, .vswap = vz_validate_vswap(cfg) };
	struct vz_machine machine;
	struct vz_breach b;
	int r = vz_machine_read(run->ctx, &machine, run->err);

	if (r)
		return r;
	v.machine = &machine;
	while (vz_validate_next(&v, &b)) {
		if (b.level == VZ_BREACH_ADVICE)
			continue;
		if (print)
			fprintf(stderr, "%s: %s: %s\n", run->name,
				vz_params[b.id].opt[0].name, b.text);
		++*ret;
	}
	return 0;
}

static int scale(struct vz_tool_run *run)
{
	vz_autocfgfile struct vz_cfgfile file = { 0 };
	vz_autocfg struct vz_cfg *cfg = NULL;
	struct vz_scale factors = { 0 };
	unsigned int broken = 0;
	int r = find_factors(run, &factors);

	if (!r)
		r = vz_cfgfile_load(run->ctx, run->words.v[0], &file, run->err);
	if (!r && vz_cfg_copy(file.cfg, &cfg))
		r = vz_err_set(run->err, VZ_E_RESOURCES, ENOMEM, "can't scale it");
	if (!r)
		r = vz_scale(cfg, &factors, run->err);
	if (!r && run->value[REMOVE])
		r = remove_own(cfg, run->err);
	if (!r)
		r = count_broken(run, cfg, run->value[VALIDATE], &broken);
	if (r)
		return r;
	if (broken && run->value[VALIDATE])
		return EXIT_BROKEN;
	if (broken)
		vz_warn(run->ctx, "the result breaks %u of vzcfgvalidate's rules",
			broken);
	return vz_cfgfile_save(&file, cfg, run->value[OUTPUT] ?: "-", run->err);
}

int main(int argc, char **argv)
{
	static const struct vz_tool tool = {
		.name = "vzcfgscale",
		.args = "[-a FACTOR] [-c FACTOR] [-m FACTOR] [-d FACTOR] [-u FACTOR]\n"
			"                  [-n FACTOR] [-r] [-v] [-o OUT] FILE",
		.about = "Multiply the resources of a configuration.",
		.opts = opts,
		.words_min = 1,
		.words_max = 1,
		.plans = true,
		.run = scale,
	};

	return vz_tool_main(&tool, argc, argv);
}
