/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/cpuset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "res/cpulist.h"

#define NODES "/sys/devices/system/node"

static bool is_all(const char *s)
{
	return !s || !strcmp(s, "all");
}

/* A list as the group above the VE's, or else the node, has it. */
static int available(const struct vz_cg *cg, const char *v1_file, const char *v2_file,
		     const char *node_file, struct vz_cpulist *ret)
{
	bool v2 = vz_cg_is_v2(cg->host, VZ_CG_CPUSET);
	struct vz_cg parent = *cg;
	char text[4096], *slash = strrchr(parent.name, '/');
	int r;

	if (slash)
		*slash = 0;
	else
		*parent.name = 0;
	r = vz_cg_read(&parent, VZ_CG_CPUSET, v2 ? v2_file : v1_file, text, sizeof(text));
	/* The first VE of all makes the group above it. */
	if (r || !*text)
		r = vz_read_small(AT_FDCWD, node_file, text, sizeof(text));
	return r ? r : vz_cpulist_parse(text, ret);
}

/* A mask of the administrator's; each number must be one of `have`. */
static int read_mask(const char *what, const char *mask, const struct vz_cpulist *have,
		     struct vz_cpulist *ret, struct vz_err *err)
{
	struct vz_cpulist want, there;
	char text[256] = "";
	int r = vz_cpulist_parse(mask, &want);

	if (r)
		return vz_err_set(err, VZ_E_CPU, 0, "%s '%s' is no list of numbers", what,
				  mask);
	there = want;
	vz_cpulist_and(&there, have);
	if (!vz_cpulist_count(&want) || !vz_cpulist_equal(&there, &want)) {
		vz_cpulist_format(have, text, sizeof(text));
		return vz_err_set(err, VZ_E_CPU, 0,
				  "%s '%s' names what this node does not have: it has %s",
				  what, mask, text);
	}
	*ret = want;
	return 0;
}

/* CPUMASK "auto": the CPUs of the memory nodes. */
static int cpus_of_nodes(const struct vz_cpulist *nodes, const struct vz_cpulist *have,
			 struct vz_cpulist *ret)
{
	struct vz_cpulist all = { 0 }, one;
	char path[80], text[4096];
	int r;

	for (unsigned int n = 0; n < VZ_CPULIST_MAX; n++) {
		if (!vz_cpulist_has(nodes, n))
			continue;
		snprintf(path, sizeof(path), NODES "/node%u/cpulist", n);
		r = vz_read_small(AT_FDCWD, path, text, sizeof(text));
		if (!r)
			r = vz_cpulist_parse(text, &one);
		if (r)
			return r;
		vz_cpulist_or(&all, &one);
	}
	vz_cpulist_and(&all, have);
	if (vz_cpulist_count(&all))
		*ret = all;
	return 0;
}

static int choose_cpus(const struct vz_cg *cg, const struct vz_cpuset_wish *wish,
		       const struct vz_cpulist *nodes, char *ret, size_t size,
		       struct vz_err *err)
{
	const char *id = strrchr(cg->name, '/');
	struct vz_cpulist have, cpus;
	int r = available(cg, "cpuset.cpus", "cpuset.cpus.effective",
			  "/sys/devices/system/cpu/online", &have);

	if (r)
		return vz_err_set(err, VZ_E_CPU, -r, "can't learn which CPUs there are");
	cpus = have;
	if (!is_all(wish->cpumask) && strcmp(wish->cpumask, "auto"))
		r = read_mask("cpumask", wish->cpumask, &have, &cpus, err);
	else if (wish->cpumask && !strcmp(wish->cpumask, "auto"))
		r = cpus_of_nodes(nodes, &have, &cpus);
	if (r)
		return r;
	if (wish->cpus)
		vz_cpulist_pick(&cpus, wish->cpus, id ? strtoull(id + 1, NULL, 10) : 0);
	if (!vz_cpulist_equal(&cpus, &have) && !vz_cpulist_format(&cpus, ret, size))
		return vz_err_set(err, VZ_E_CPU, E2BIG, "the list of CPUs");
	return 0;
}

int vz_cpuset_choose(const struct vz_cg *cg, const struct vz_cpuset_wish *wish,
		     char *ret_cpus, char *ret_mems, size_t size, struct vz_err *err)
{
	struct vz_cpulist have, nodes;
	int r;

	*ret_cpus = *ret_mems = 0;
	/* As nearly all VEs are: nothing to read. */
	if (!wish->cpus && is_all(wish->cpumask) && is_all(wish->nodemask))
		return 0;
	r = available(cg, "cpuset.mems", "cpuset.mems.effective", NODES "/online", &have);
	if (r)
		return vz_err_set(err, VZ_E_CPU, -r, "can't learn the NUMA nodes");
	nodes = have;
	if (!is_all(wish->nodemask))
		r = read_mask("nodemask", wish->nodemask, &have, &nodes, err);
	if (r)
		return r;
	if (!vz_cpulist_equal(&nodes, &have) &&
	    !vz_cpulist_format(&nodes, ret_mems, size))
		return vz_err_set(err, VZ_E_CPU, E2BIG, "the list of NUMA nodes");
	return choose_cpus(cg, wish, &nodes, ret_cpus, size, err);
}
