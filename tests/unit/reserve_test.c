/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What VEs were promised: whether it fits, and the weights that keep it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/fs.h"
#include "tests/unit/tap.h"
#include "ve/balance.h"
#include "ve/reserve.h"

#define MIB (1ull << 20)

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

/* On a node with 1000 MiB and 400 % for VEs; VE 1 asks. */
static const struct {
	const char *name;
	enum vz_reserve_kind kind;
	const char *pool_file; /* of pool "a" */
	const char *list; /* VEID:POOL:AMOUNT …, in MiB or % */
	const char *why; /* NULL: it fits */
} fits[] = {
	{ "alone", VZ_RESERVE_MEM, NULL, "1::1000", NULL },
	{ "too much alone", VZ_RESERVE_MEM, NULL, "1::1001",
	  "can't reserve 1001 MiB of memory: the node has 1000 MiB, reserved are 0 MiB "
	  "(0 "
	  "other VEs and what pools keep), free are 1000 MiB" },
	{ "beside others", VZ_RESERVE_MEM, NULL, "1::400 2::300 3::300", NULL },
	{ "beside too many others", VZ_RESERVE_MEM, NULL, "1::400 2::300 3::301 4::0",
	  "can't reserve 400 MiB of memory: the node has 1000 MiB, reserved are 601 MiB "
	  "(2 "
	  "other VEs and what pools keep), free are 399 MiB" },
	{ "nothing, where others have too much", VZ_RESERVE_MEM, NULL, "1::0 2::3000",
	  NULL },
	{ "CPU time", VZ_RESERVE_CPU, NULL, "1::150 2::250", NULL },
	{ "too much CPU time", VZ_RESERVE_CPU, NULL, "1::151 2::250",
	  "can't reserve 151% of a CPU: the node has 400%, reserved are 250% (1 other VE "
	  "and what pools keep), free are 150%" },
	{ "what a pool keeps", VZ_RESERVE_MEM, "MEMRESERVE=\"600M\"\n", "1::401 2:a:100",
	  "can't reserve 401 MiB of memory: the node has 1000 MiB, reserved are 600 MiB "
	  "(1 other VE and what pools keep), free are 400 MiB" },
	{ "what a pool leaves", VZ_RESERVE_MEM, "MEMRESERVE=\"600M\"\n", "1::400 2:a:600",
	  NULL },
	{ "in a pool", VZ_RESERVE_MEM, "MEMRESERVE=\"600M\"\n", "1:a:400 2:a:200 3::400",
	  NULL },
	{ "too much in a pool", VZ_RESERVE_MEM, "MEMRESERVE=\"600M\"\n",
	  "1:a:401 2:a:200",
	  "can't reserve 401 MiB of memory: pool a has 600 MiB, reserved are 200 MiB (1 "
	  "other VE and what pools keep), free are 400 MiB" },
	{ "in a pool that may grow", VZ_RESERVE_MEM,
	  "MEMRESERVE=\"600M\"\nEXPANDABLE=\"yes\"\n", "1:a:401 2:a:200 3::399", NULL },
	{ "in a pool that may grow where nothing is left", VZ_RESERVE_MEM,
	  "MEMRESERVE=\"600M\"\nEXPANDABLE=\"yes\"\n", "1:a:401 2:a:200 3::400",
	  "can't reserve 401 MiB of memory: the node has 1000 MiB, reserved are 600 MiB "
	  "(2 other VEs and what pools keep), free are 400 MiB" },
	{ "in a pool that keeps nothing itself", VZ_RESERVE_MEM, "CPUUNITS=\"1000\"\n",
	  "1:a:500 2:a:500", NULL },
	{ "above a pool's limit", VZ_RESERVE_CPU, "CPULIMIT=\"100\"\n", "1:a:60 2:a:50",
	  "can't reserve 60% of a CPU: pool a has 100%, reserved are 50% (1 other VE and "
	  "what pools keep), free are 50%" },
	{ "in a pool that is gone", VZ_RESERVE_MEM, NULL, "1:b:500 2::500", NULL },
};

static void read_list(const char *text, enum vz_reserve_kind kind, struct vz_reserves *l)
{
	char *copy = strdup(text), *save, *word;

	l->v = calloc(16, sizeof(*l->v));
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct vz_reserve *v = &l->v[l->n++];
		char *pool = strchr(word, ':') + 1, *amount = strchr(pool, ':');

		*amount++ = 0;
		v->veid = atoi(word);
		snprintf(v->pool, sizeof(v->pool), "%s", pool);
		v->want[kind] = atoll(amount) * (kind == VZ_RESERVE_MEM ? MIB : 1);
	}
	free(copy);
}

static void test_fits(void)
{
	static const struct vz_capacity node = {
		.ves = { [VZ_RESERVE_CPU] = 400, [VZ_RESERVE_MEM] = 1000 * MIB },
	};

	for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++) {
		char top[] = "/tmp/vz-reserve-XXXXXX";
		struct vz_ctx ctx = { .confdir = mkdtemp(top) };
		vz_autoreserves struct vz_reserves l = { 0 };
		vz_autovepools struct vz_vepools pools = { 0 };
		struct vz_err err = { 0 };
		int r;

		if (fits[i].pool_file)
			put(top, "pools/a.conf", fits[i].pool_file);
		tap_is_int(vz_vepools_load(&ctx, &pools, &err), 0, "pools");
		read_list(fits[i].list, fits[i].kind, &l);
		r = vz_reserves_check(&l, 1, fits[i].kind, &pools, &node, &err);
		tap_ok(!r == !fits[i].why, "%s", fits[i].name);
		tap_is_str(err.text, fits[i].why ? fits[i].why : "", fits[i].name);
		tap_ok(!r || err.status == VZ_E_OVERCOMMIT, "%s: status", fits[i].name);
		vz_remove_tree(AT_FDCWD, top);
	}
}

/* base:need in millionths, and what they become. */
static const struct {
	const char *name;
	uint64_t others, max;
	struct vz_balance_entry in[3];
	uint64_t out[3];
} weights[] = {
	{ "nobody needs anything", 100, 10000, { { .base = 100 } }, { 100 } },
	{ "half beside one", 100, 10000, { { .base = 100, .need = 500000 } }, { 100 } },
	{ "half beside three", 300, 10000, { { .base = 100, .need = 500000 } }, { 300 } },
	{ "a tenth beside three",
	  300,
	  10000,
	  { { .base = 100, .need = 100000 } },
	  { 100 } },
	{ "half and a quarter",
	  100,
	  10000,
	  { { .base = 100, .need = 500000 }, { .base = 10, .need = 250000 } },
	  { 200, 100 } },
	{ "one who has more than he needs is no burden",
	  0,
	  10000,
	  { { .base = 100, .need = 600000 }, { .base = 100, .need = 200000 } },
	  { 150, 100 } },
	{ "all of it leaves a hundredth",
	  100,
	  100000,
	  { { .base = 100, .need = 1000000 } },
	  { 9900 } },
	{ "no more than there is",
	  100,
	  10000,
	  { { .base = 1, .need = 800000 }, { .base = 1, .need = 800000 } },
	  { 4950, 4950 } },
	{ "the kernel's greatest",
	  500,
	  1000,
	  { { .base = 1, .need = 900000 } },
	  { 1000 } },
};

static void test_weights(void)
{
	for (size_t i = 0; i < sizeof(weights) / sizeof(*weights); i++) {
		struct vz_balance_entry v[3];
		size_t n = 0;

		memcpy(v, weights[i].in, sizeof(v));
		while (n < 3 && v[n].base)
			n++;
		vz_balance_weights(v, n, weights[i].others, weights[i].max);
		for (size_t k = 0; k < n; k++)
			/* Rounded up. */
			tap_ok(v[k].weight == weights[i].out[k] ||
				       v[k].weight == weights[i].out[k] + 1,
			       "%s: %llu, not %llu", weights[i].name,
			       (unsigned long long)weights[i].out[k],
			       (unsigned long long)v[k].weight);
	}
}

static void test_list(void)
{
	char top[] = "/tmp/vz-reserve-XXXXXX";
	struct vz_ctx ctx = { .procdir = "/proc" };
	vz_autoreserves struct vz_reserves l = { 0 };
	vz_autocfg struct vz_cfg *cfg = NULL;
	struct vz_reserve was = { 0 };
	struct vz_err err = { 0 };

	ctx.confdir = ctx.rundir = mkdtemp(top);
	put(top, "vz.conf", "");
	put(top, "pools/a.conf", "CPUUNITS=\"500\"\n");
	if (vz_cfg_new(0, &cfg))
		return;
	tap_is_int(vz_reserve_claim(&ctx, 105, cfg, 0, &err), 0, "nothing is claimed");
	tap_is_int(vz_reserves_read(&ctx, &l, &err), 0, "the list");
	tap_is_int(l.n, 0, "has nothing of it");
	tap_is_int(vz_reserve_release(&ctx, 105, &was, &err), -ENOENT,
		   "nor to give back");
	vz_cfg_set(cfg, VZ_P_MEMRESERVE, "4M", NULL);
	tap_is_int(vz_reserve_claim(&ctx, 105, cfg, 0, &err), 0, "some memory");
	vz_cfg_set(cfg, VZ_P_POOL, "a", NULL);
	tap_is_int(vz_reserve_claim(&ctx, 103, cfg, 0, &err), 0, "in a pool");
	tap_is_int(vz_reserve_claim(&ctx, 104, cfg, VZ_RESERVE_POOL, &err), 0, "only so");
	tap_is_int(vz_reserve_claim(&ctx, 105, cfg, VZ_RESERVE_LIVE, &err), 0, "again");
	vz_reserves_done(&l);
	tap_is_int(vz_reserves_read(&ctx, &l, &err), 0, "the list");
	if (tap_is_int(l.n, 3, "has three")) {
		tap_is_int(l.v[0].veid, 103, "in order");
		tap_is_str(l.v[0].pool, "a", "with the pool");
		tap_ok(l.v[1].veid == 104 && !l.v[1].want[VZ_RESERVE_MEM],
		       "one has none");
		tap_ok(l.v[2].want[VZ_RESERVE_MEM] == 4 * MIB, "one has memory");
		tap_is_str(l.v[2].pool, "", "and stays in no pool while it runs");
	}
	tap_is_int(vz_reserve_release(&ctx, 103, &was, &err), 0, "given back");
	tap_is_str(was.pool, "a", "is what there was");
	vz_cfg_set(cfg, VZ_P_POOL, "none", NULL);
	tap_is_int(vz_reserve_claim(&ctx, 106, cfg, 0, &err), -EINVAL, "no pool");
	tap_is_int(err.status, VZ_E_BADCONF, "is an error");
	vz_cfg_set(cfg, VZ_P_POOL, "", NULL);
	vz_cfg_set(cfg, VZ_P_MEMRESERVE, "8000G", NULL);
	tap_is_int(vz_reserve_claim(&ctx, 106, cfg, 0, &err), -EINVAL, "too much");
	tap_is_int(err.status, VZ_E_OVERCOMMIT, "is refused");
	tap_is_int(vz_reserve_claim(&ctx, 106, cfg, VZ_RESERVE_FORCE, &err), 0, "forced");
	vz_remove_tree(AT_FDCWD, top);
}

int main(void)
{
	test_fits();
	test_weights();
	test_list();
	return tap_done();
}
