/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All VEs of the node: `vzctl boot` and `vzctl shutdown`, which the service vz
 * calls. Each VE is started or stopped by a vzctl of its own, as by hand.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/run.h"
#include "tool/node.h"
#include "tool/pool.h"
#include "tool/sysctl.h"
#include "ve/mount.h"
#include "ve/netclass.h"
#include "ve/state.h"
#include "ve/traffic.h"
#include "vzctl/cmds.h"

/* What is the same for all jobs of one run. */
struct crew {
	struct vz_inv *inv;
	const char *verb; /* "start" */
	unsigned int parallel;
	char *env[8];
	size_t failed;
};

static void crew_done(struct crew *crew)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(crew->env); i++)
		free(crew->env[i]);
}

static int crew_init(struct crew *crew, struct vz_inv *inv, const struct vz_cfg *global)
{
	const struct vz_ctx *ctx = inv->ctx;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char **env = crew->env;

	crew->inv = inv;
	crew->parallel = vz_cfg_u64(global, VZ_P_VE_PARALLEL);
	if (!crew->parallel)
		crew->parallel = 4 * (cpus > 0 ? cpus : 1);
	env[0] = strdup("PATH=" VZ_RUN_PATH);
	env[1] = strdup("HOME=/");
	env[2] = strdup("TERM=linux");
	env[3] = vz_strf("VZ_CONFDIR=%s", ctx->confdir);
	env[4] = vz_strf("VZ_RUNDIR=%s", ctx->rundir);
	env[5] = vz_strf("VZ_STATEDIR=%s", ctx->statedir);
	env[6] = vz_strf("VZ_LIBEXECDIR=%s", ctx->libexecdir);
	for (int i = 0; i < 7; i++)
		if (!env[i])
			return vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM, "can't go on");
	return 0;
}

static void job_done(void *data, const struct vz_job *job)
{
	struct crew *crew = data;
	const struct vz_ctx *ctx = crew->inv->ctx;
	int len = strcspn(job->said, "\n");

	if (!job->status) {
		vz_info(ctx, "VE %u: %s in %lld ms", job->veid, crew->verb,
			(long long)job->ms);
		return;
	}
	crew->failed++;
	if (job->status < 0)
		vz_warn(ctx, "VE %u: can't run vzctl: %s", job->veid,
			strerror(-job->status));
	else
		vz_warn(ctx, "VE %u: %s failed with %s %d%s%.*s", job->veid, crew->verb,
			job->status < 256 ? "exit status" : "signal", job->status & 255,
			len ? ": " : "", len, job->said);
}

/* Run `vzctl --quiet VERB VEID` for each, in this order. */
static int run_all(struct crew *crew, const char *verb, const uint32_t *ids, size_t n)
{
	vz_autofree struct vz_job *jobs = calloc(n + 1, sizeof(*jobs));
	vz_autofree const char *(*argv)[5] = calloc(n + 1, sizeof(*argv));
	vz_autofree char(*veid)[12] = calloc(n + 1, sizeof(*veid));
	struct vz_pool pool = { .jobs = jobs,
				.n = n,
				.parallel = crew->parallel,
				.env = (const char *const *)crew->env,
				.done = job_done,
				.data = crew };
	int r;

	if (!jobs || !argv || !veid)
		return vz_err_set(crew->inv->err, VZ_E_SYSTEM, ENOMEM, "can't %s VEs",
				  verb);
	crew->verb = verb;
	for (size_t i = 0; i < n; i++) {
		snprintf(veid[i], sizeof(veid[i]), "%u", ids[i]);
		argv[i][0] = "/proc/self/exe";
		argv[i][1] = "--quiet";
		argv[i][2] = verb;
		argv[i][3] = veid[i];
		jobs[i].argv = argv[i];
		jobs[i].veid = ids[i];
	}
	r = vz_pool_run(&pool);
	return r ? vz_err_set(crew->inv->err, VZ_E_SYSTEM, -r, "can't wait for vzctl")
		 : 0;
}

static int start_all(struct crew *crew, const struct vz_node *node)
{
	vz_autofree uint32_t *ids = calloc(node->n + 1, sizeof(*ids));
	size_t n = 0;

	if (!ids)
		return vz_err_set(crew->inv->err, VZ_E_SYSTEM, ENOMEM, "can't start VEs");
	for (size_t i = 0; i < node->n; i++) {
		const struct vz_node_ve *ve = &node->ves[i];

		if (!vz_node_starts(ve) || ve->running)
			continue;
		if (ve->disabled)
			vz_info(crew->inv->ctx, "VE %u is disabled and not started",
				ve->id);
		else
			ids[n++] = ve->id;
	}
	return run_all(crew, "start", ids, n);
}

/* By what classes traffic is counted; what is wrong there keeps no VE down. */
static void take_classes(struct vz_inv *inv)
{
	vz_autonetguard struct vz_netguard guard = VZ_NETGUARD_NONE;
	struct vz_err err = { 0 };

	if (vz_netguard_open(inv->ctx, &guard, NULL, &err) ||
	    vz_netclass_load(inv->ctx, &guard, &err))
		vz_warn(inv->ctx, "%s", err.text);
}

/*
 * Before any VE is started: whose it is. What can't be known yet, for the other node
 * is not there, is not started, and keeps the others from nothing.
 */
static void recover_migrations(struct crew *crew)
{
	const char *const argv[] = { "vzmigrate", "--recover", NULL };
	vz_autofree char *dir = vz_strf("%s/migrate", crew->inv->ctx->statedir);
	const struct vz_run run = { .argv = argv, .env = (const char *const *)crew->env };

	/* rmdir() says whether there is any journal; the directory comes of itself. */
	if (!dir || !rmdir(dir) || errno != ENOTEMPTY)
		return;
	if (vz_run(&run))
		vz_warn(crew->inv->ctx, "a migration was left half-way: see LOGFILE, and "
					"run `vzmigrate --recover` again");
}

static int boot(struct vz_inv *inv)
{
	VZ_CLEANUP(crew_done) struct crew crew = { 0 };
	vz_autocfg struct vz_cfg *global = NULL;
	vz_autonode struct vz_node node = { 0 };

	if (vz_cfg_load_global(inv->ctx, &global, inv->err))
		return inv->err->status;
	if (!vz_cfg_bool(global, VZ_P_VIRTUOZZO)) {
		vz_info(inv->ctx, "VIRTUOZZO is not yes in vz.conf: no VE is started");
		return 0;
	}
	if (!vz_cfg_bool(global, VZ_P_SKIP_SYSCTL_SETUP))
		vz_sysctls_set(inv->ctx, vz_cfg_bool(global, VZ_P_IPV6));
	take_classes(inv);
	if (crew_init(&crew, inv, global))
		return inv->err->status;
	recover_migrations(&crew);
	if (vz_node_load(inv->ctx, &node, inv->err) || start_all(&crew, &node) ||
	    vz_node_forget(inv->ctx, inv->err))
		return inv->err->status;
	if (!crew.failed)
		return 0;
	vz_err_set(inv->err, VZ_E_SYSTEM, 0, "%zu VEs did not start", crew.failed);
	return VZ_E_SYSTEM;
}

/* VEs that run, the last to start first. */
static size_t running_ids(const struct vz_node *node, uint32_t *ids)
{
	size_t n = 0;

	for (size_t i = node->n; i--;)
		if (node->ves[i].running)
			ids[n++] = node->ves[i].id;
	return n;
}

/* VEs that are mounted and do not run. */
static size_t mounted_ids(const struct vz_ctx *ctx, const struct vz_node *node,
			  uint32_t *ids)
{
	size_t n = 0;

	for (size_t i = node->n; i--;) {
		struct vz_ve ve = { 0 };

		if (vz_ve_open(ctx, node->ves[i].id, &ve, NULL))
			continue;
		if (vz_state_running(ctx, ve.id) != 1 && vz_ve_mounted(&ve) == 1)
			ids[n++] = ve.id;
		vz_ve_close(&ve);
	}
	return n;
}

/*
 * A VE may be locked by a command that is just ending, or may have been
 * started meanwhile: three rounds, as vzctl 4 has. What can't be suspended in the
 * first is stopped in the next.
 */
static int stop_all(struct crew *crew, struct vz_node *node, bool suspend)
{
	const struct vz_ctx *ctx = crew->inv->ctx;
	vz_autofree uint32_t *ids = NULL;
	size_t n = 1;

	for (int round = 0; round < 3 && n; round++) {
		if (round) {
			vz_node_done(node);
			if (vz_node_load(ctx, node, crew->inv->err))
				return -EINVAL;
		}
		free(ids);
		ids = calloc(node->n + 1, sizeof(*ids));
		if (!ids)
			return vz_err_set(crew->inv->err, VZ_E_SYSTEM, ENOMEM,
					  "can't stop VEs");
		n = running_ids(node, ids);
		crew->failed = 0;
		if (run_all(crew, suspend && !round ? "suspend" : "stop", ids, n))
			return -EINVAL;
	}
	n = mounted_ids(ctx, node, ids);
	return run_all(crew, "umount", ids, n);
}

static bool wants_suspend(const struct vz_cfg *global)
{
	uint64_t mode = vz_cfg_u64(global, VZ_P_VE_STOP_MODE);

	return vz_cfg_has(global, VZ_P_VE_STOP_MODE) &&
	       !strcmp(vz_params[VZ_P_VE_STOP_MODE].words[mode], "suspend");
}

static int shutdown_all(struct vz_inv *inv)
{
	VZ_CLEANUP(crew_done) struct crew crew = { 0 };
	vz_autocfg struct vz_cfg *global = NULL;
	vz_autonode struct vz_node node = { 0 };

	if (vz_cfg_load_global(inv->ctx, &global, inv->err) ||
	    crew_init(&crew, inv, global) || vz_node_load(inv->ctx, &node, inv->err) ||
	    vz_node_remember(inv->ctx, &node, inv->err))
		return inv->err->status;
	if (stop_all(&crew, &node, wants_suspend(global)) ||
	    vz_traffic_save(inv->ctx, inv->err))
		return inv->err->status;
	if (!crew.failed)
		return 0;
	vz_err_set(inv->err, VZ_E_STOP, 0, "%zu VEs did not stop", crew.failed);
	return VZ_E_STOP;
}

const struct vz_cmd vz_cmd_boot = {
	.name = "boot",
	.args = "",
	.help = "start the VEs that start with the node",
	.flags = VZ_CMD_NOVE | VZ_CMD_HIDDEN,
	.run = boot,
};

const struct vz_cmd vz_cmd_shutdown = {
	.name = "shutdown",
	.args = "",
	.help = "stop all VEs and remember which ran",
	.flags = VZ_CMD_NOVE | VZ_CMD_HIDDEN,
	.run = shutdown_all,
};
