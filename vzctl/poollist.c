/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pools of VEs and the node: what is promised, what is used, what is free. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "conf/peek.h"
#include "ve/ids.h"
#include "ve/poolgroup.h"
#include "ve/reserve.h"
#include "vzctl/cmds.h"

enum { OPT_JSON, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_JSON] = { "json", 'j', NULL, "as JSON" },
	{ 0 },
};

/* All that the list is made of. */
struct poollist {
	struct vz_inv *inv;
	struct vz_cfg *cfg; /* of vz.conf */
	struct vz_cg_host host;
	struct vz_vepools pools;
	struct vz_reserves list;
	struct vz_capacity node;
	struct vz_ids ids; /* of all VEs … */
	struct vz_strv in; /* … and the pool that each is to be in, "" for none */
};

/* One pool's figures; VZ_UNLIMITED is none, of the used ones unknown. */
struct figures {
	uint64_t limit[VZ_RESERVE__COUNT], own[VZ_RESERVE__COUNT], ves[VZ_RESERVE__COUNT];
	uint64_t used; /* bytes of memory */
	size_t n_ves, n_running;
};

static void poollist_done(struct poollist *p)
{
	vz_cfg_free(p->cfg);
	vz_vepools_done(&p->pools);
	vz_reserves_done(&p->list);
	vz_ids_done(&p->ids);
	vz_strv_done(&p->in);
}

/* Which VEs name which pool: one key of each file. */
static int read_ves(struct poollist *p)
{
	const char *key = vz_params[VZ_P_POOL].key, *value;
	struct vz_peek peek = { 0 };
	char path[4096];
	int r = vz_ids_defined(p->inv->ctx, &p->ids);

	for (size_t i = 0; i < p->ids.n && !r; i++) {
		value = NULL;
		snprintf(path, sizeof(path), "%s/conf/%u.conf", p->inv->ctx->confdir,
			 p->ids.v[i]);
		/* One that is just removed is in no pool. */
		vz_peek_read(&peek, -1, path, &key, 1, &value);
		r = vz_strv_add(&p->in, value ? value : "");
	}
	vz_peek_done(&peek);
	return r ? vz_err_set(p->inv->err, VZ_E_SYSTEM, -r, "can't list the VEs") : 0;
}

static int read_all(struct poollist *p)
{
	const struct vz_ctx *ctx = p->inv->ctx;
	struct vz_err *err = p->inv->err;
	int r = vz_cfg_load_global(ctx, &p->cfg, err);

	if (!r)
		r = vz_cg_probe(ctx, &p->host, err);
	if (!r)
		r = vz_vepools_load(ctx, &p->pools, err);
	if (!r)
		r = vz_reserves_read(ctx, &p->list, err);
	if (!r)
		r = vz_capacity_read(ctx, &p->node, err);
	return r ? r : read_ves(p);
}

static uint64_t used_memory(const struct poollist *p, const char *pool)
{
	bool v2 = vz_cg_is_v2(&p->host, VZ_CG_MEMORY);
	struct vz_cg cg = { .host = &p->host };
	uint64_t used;

	if (vz_poolgroup_name(vz_cfg_str(p->cfg, VZ_P_CGROUP), pool, cg.name, NULL) ||
	    vz_cg_read_u64(&cg, VZ_CG_MEMORY,
			   v2 ? "memory.current" : "memory.usage_in_bytes", &used))
		return VZ_UNLIMITED;
	return used;
}

static void read_figures(const struct poollist *p, const struct vz_vepool *pool,
			 struct figures *f)
{
	*f = (struct figures){ .used = used_memory(p, pool->name) };
	for (size_t i = 0; i < p->ids.n; i++)
		f->n_ves += !strcmp(p->in.v[i], pool->name);
	for (size_t i = 0; i < p->list.n; i++) {
		if (strcmp(p->list.v[i].pool, pool->name))
			continue;
		f->n_running++;
		for (int k = 0; k < VZ_RESERVE__COUNT; k++)
			f->ves[k] += p->list.v[i].want[k];
	}
	for (int k = 0; k < VZ_RESERVE__COUNT; k++) {
		f->own[k] = vz_reserve_pool_own(pool, k);
		f->limit[k] = vz_reserve_pool_limit(pool, k);
	}
}

/* -- text -- */

static const char *mib(uint64_t bytes, char buf[24])
{
	if (bytes >= VZ_UNLIMITED)
		return "-";
	snprintf(buf, 24, "%" PRIu64, bytes >> 20);
	return buf;
}

static const char *percent(uint64_t v, char buf[24])
{
	if (v >= VZ_UNLIMITED)
		return "-";
	snprintf(buf, 24, "%" PRIu64, v);
	return buf;
}

#define ROW "%-16s %4s %4s %7s %6s %6s %6s %8s %7s %7s %7s\n"

static void print_pool(const struct vz_vepool *pool, const struct figures *f)
{
	char b[10][24];

	snprintf(b[0], 24, "%zu", f->n_ves);
	snprintf(b[1], 24, "%zu", f->n_running);
	printf(ROW, pool->name, b[0], b[1],
	       percent(vz_cfg_u64(pool->cfg, VZ_P_CPUUNITS), b[2]),
	       percent(f->limit[VZ_RESERVE_CPU], b[3]),
	       percent(f->own[VZ_RESERVE_CPU], b[4]),
	       percent(f->ves[VZ_RESERVE_CPU], b[5]), mib(f->limit[VZ_RESERVE_MEM], b[6]),
	       mib(f->own[VZ_RESERVE_MEM], b[7]), mib(f->ves[VZ_RESERVE_MEM], b[8]),
	       mib(f->used, b[9]));
}

static void print_node(const struct poollist *p)
{
	uint64_t cpu = vz_reserves_sum(&p->list, &p->pools, VZ_RESERVE_CPU);
	uint64_t mem = vz_reserves_sum(&p->list, &p->pools, VZ_RESERVE_MEM);
	uint64_t c = p->node.ves[VZ_RESERVE_CPU], m = p->node.ves[VZ_RESERVE_MEM];

	printf("For VEs the node has %" PRIu64 "%% of a CPU, reserved %" PRIu64
	       "%%, free %" PRIu64 "%%;\n%" PRIu64 " MiB of memory, reserved %" PRIu64
	       " MiB, free %" PRIu64 " MiB.\n",
	       c, cpu, cpu < c ? c - cpu : 0, m >> 20, mem >> 20,
	       (mem < m ? m - mem : 0) >> 20);
}

/* -- JSON -- */

static json_t *number(uint64_t v)
{
	return v >= VZ_UNLIMITED ? json_null() : json_integer(v);
}

static json_t *resource(const struct figures *f, enum vz_reserve_kind k)
{
	return json_pack("{soso so}", "limit", number(f->limit[k]), "reserved",
			 number(f->own[k]), "reserved_by_ves", number(f->ves[k]));
}

static json_t *ves_of(const struct poollist *p, const char *pool, bool running)
{
	json_t *list = json_array();

	for (size_t i = 0; !running && i < p->ids.n; i++)
		if (!strcmp(p->in.v[i], pool))
			json_array_append_new(list, json_integer(p->ids.v[i]));
	for (size_t i = 0; running && i < p->list.n; i++)
		if (!strcmp(p->list.v[i].pool, pool))
			json_array_append_new(list, json_integer(p->list.v[i].veid));
	return list;
}

static json_t *to_json(const struct poollist *p, const struct vz_vepool *pool,
		       const struct figures *f)
{
	const char *text = vz_cfg_str(pool->cfg, VZ_P_DESCRIPTION);
	json_t *mem = resource(f, VZ_RESERVE_MEM);

	json_object_set_new(mem, "used", number(f->used));
	return json_pack("{ssss?sbsososIsoso}", "name", pool->name, "description", text,
			 "expandable", pool->expandable, "ves",
			 ves_of(p, pool->name, false), "running",
			 ves_of(p, pool->name, true), "cpuunits",
			 (json_int_t)vz_cfg_u64(pool->cfg, VZ_P_CPUUNITS), "cpu_percent",
			 resource(f, VZ_RESERVE_CPU), "memory_bytes", mem);
}

static json_t *node_json(const struct poollist *p, enum vz_reserve_kind k)
{
	return json_pack("{sIsIsI}", "total", (json_int_t)p->node.all[k], "for_ves",
			 (json_int_t)p->node.ves[k], "reserved",
			 (json_int_t)vz_reserves_sum(&p->list, &p->pools, k));
}

/* -- the command -- */

static bool is_wanted(const struct vz_strv *words, const char *name)
{
	return !words->n || vz_strv_has(words, name);
}

static void show(const struct poollist *p, const struct vz_strv *words, bool as_json)
{
	json_t *list = json_array(), *all;
	struct figures f;

	if (!as_json)
		printf(ROW, "POOL", "VES", "RUN", "CPUUNI", "CPULIM", "CPURSV", "VESRSV",
		       "MEMLIM", "MEMRSV", "VESRSV", "MEMUSED");
	for (size_t i = 0; i < p->pools.n; i++) {
		if (!is_wanted(words, p->pools.v[i].name))
			continue;
		read_figures(p, &p->pools.v[i], &f);
		if (as_json)
			json_array_append_new(list, to_json(p, &p->pools.v[i], &f));
		else
			print_pool(&p->pools.v[i], &f);
	}
	if (!as_json) {
		json_decref(list);
		print_node(p);
		return;
	}
	all = json_pack("{s{soso}so}", "node", "cpu_percent",
			node_json(p, VZ_RESERVE_CPU), "memory_bytes",
			node_json(p, VZ_RESERVE_MEM), "pools", list);
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static int run(struct vz_inv *inv)
{
	const char *given[OPT__COUNT] = { NULL };
	vz_autostrv struct vz_strv words = { 0 };
	VZ_CLEANUP(poollist_done) struct poollist p = { .inv = inv };
	const struct vz_opt_parse how = { .own = options,
					  .ret_values = given,
					  .words = &words };
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	if (!r)
		r = read_all(&p);
	for (size_t i = 0; i < words.n && !r; i++)
		if (!vz_vepools_find(&p.pools, words.v[i]))
			r = vz_err_set(inv->err, VZ_E_NOCONF, 0, "there is no pool %.80s",
				       words.v[i]);
	if (!r)
		show(&p, &words, given[OPT_JSON]);
	return r ? (int)inv->err->status : 0;
}

const struct vz_cmd vz_cmd_pool_list = {
	.name = "pool-list",
	.args = "[NAME ...] [--json]",
	.help = "show pools of VEs: limits, what is reserved, what is used",
	.flags = VZ_CMD_NOVE,
	.opts = options,
	.run = run,
};
