/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools of VEs: make, change and remove them. */
#include <string.h>

#include "ve/poolset.h"
#include "vzctl/cmds.h"

enum { OPT_EXPANDABLE, OPT_FORCE, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_EXPANDABLE] = { "expandable", 0, "yes|no",
			     "VEs may reserve more than the pool does, of the node" },
	[OPT_FORCE] = { "force", 0, NULL, "even if what it reserves is not there" },
	{ 0 },
};

static const struct vz_opt no_options[] = { { 0 } };

static int one_name(struct vz_inv *inv, const struct vz_strv *words, const char *cmd)
{
	if (words->n == 1)
		return 0;
	return vz_err_set(inv->err, VZ_E_SYNTAX, 0, "%s pool: vzctl %s NAME ...",
			  words->n ? "more than one" : "no", cmd);
}

static int set_pool(struct vz_inv *inv, const char *cmd, unsigned int flags)
{
	const char *given[OPT__COUNT] = { NULL };
	vz_autochanges struct vz_changes changes = { 0 };
	vz_autostrv struct vz_strv words = { 0 };
	vz_autocfg struct vz_cfg *cfg = NULL;
	const struct vz_opt_parse how = {
		.own = options,
		.ret_values = given,
		.params = VZ_OPT_POOL,
		.changes = &changes,
		.words = &words,
	};
	const char *expandable;
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	if (!r)
		r = one_name(inv, &words, cmd);
	expandable = given[OPT_EXPANDABLE];
	if (!r && expandable && strcmp(expandable, "yes") && strcmp(expandable, "no"))
		r = vz_err_set(inv->err, VZ_E_VALUE, 0,
			       "--expandable \"%.80s\": expected yes or no", expandable);
	if (!r && !changes.n && !expandable && !(flags & VZ_POOLSET_CREATE))
		r = vz_err_set(inv->err, VZ_E_NOPARAM, 0,
			       "nothing to set: see vzctl(8) for what pools have");
	if (!r)
		r = vz_cfg_load_global(inv->ctx, &cfg, inv->err);
	if (!r)
		r = vz_poolset(inv->ctx, cfg, words.v[0], &changes, expandable,
			       flags | (given[OPT_FORCE] ? VZ_POOLSET_FORCE : 0),
			       inv->err);
	return r ? (int)inv->err->status : 0;
}

static int run_create(struct vz_inv *inv)
{
	return set_pool(inv, "pool-create", VZ_POOLSET_CREATE);
}

static int run_set(struct vz_inv *inv)
{
	return set_pool(inv, "pool-set", 0);
}

static int run_destroy(struct vz_inv *inv)
{
	vz_autostrv struct vz_strv words = { 0 };
	const struct vz_opt_parse how = { .own = no_options, .words = &words };
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	if (!r)
		r = one_name(inv, &words, "pool-destroy");
	if (!r)
		r = vz_poolset_remove(inv->ctx, words.v[0], inv->err);
	return r ? (int)inv->err->status : 0;
}

const struct vz_cmd vz_cmd_pool_create = {
	.name = "pool-create",
	.args = "NAME [--PARAMETER VALUE ...] [--expandable yes|no] [--force]",
	.help = "make a pool of VEs",
	.flags = VZ_CMD_NOVE,
	.opts = options,
	.params = VZ_OPT_POOL,
	.run = run_create,
};

const struct vz_cmd vz_cmd_pool_set = {
	.name = "pool-set",
	.args = "NAME --PARAMETER VALUE ... [--expandable yes|no] [--force]",
	.help = "change a pool of VEs, at once and in its file",
	.flags = VZ_CMD_NOVE,
	.opts = options,
	.params = VZ_OPT_POOL,
	.run = run_set,
};

const struct vz_cmd vz_cmd_pool_destroy = {
	.name = "pool-destroy",
	.args = "NAME",
	.help = "remove a pool that no running VE is in",
	.flags = VZ_CMD_NOVE,
	.opts = no_options,
	.run = run_destroy,
};
