/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/evacuate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool/human.h"
#include "tool/pool.h"
#include "ve/ids.h"
#include "ve/state.h"
#include "ve/ve.h"
#include "vzmigrate/capacity.h"
#include "vzmigrate/peer.h"

struct target {
	const char *dest;
	struct capacity room;
};

struct traveller {
	uint32_t veid;
	char name[64];
	bool running;
	struct vz_plan plan;
	const struct target *to; /* NULL: nobody has room */
};

struct trip {
	const struct evacuate *how;
	struct target *targets;
	size_t n_targets;
	struct traveller *ves;
	size_t n_ves;
	int status; /* of the first that failed */
	size_t moved, failed;
};

static void trip_done(struct trip *t)
{
	free(t->targets);
	free(t->ves);
}

static int ask_target(const struct evacuate *how, struct target *t, struct vz_err *err)
{
	autopeer struct peer peer = PEER_NONE;
	autojson json_t *answer = NULL;
	int r = peer_open(how->ctx, t->dest, how->ssh_opts, &peer, err);

	if (!r)
		r = peer_call(&peer, json_pack("{s:s}", "op", "capacity"), PEER_SHORT_MS,
			      &answer, err);
	return r ? r : capacity_unpack(answer, &t->room, err);
}

static int read_ve(struct trip *t, uint32_t veid)
{
	struct traveller *v = &t->ves[t->n_ves];
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err err = { 0 };
	const char *name;

	if (vz_ve_open(t->how->ctx, veid, &ve, &err)) {
		vz_warn(t->how->ctx, "VE %u stays: %s", veid, err.text);
		return -EINVAL;
	}
	name = vz_cfg_str(ve.cfg, VZ_P_NAME);
	*v = (struct traveller){ .veid = veid };
	snprintf(v->name, sizeof(v->name), "%s", name ?: "-");
	v->running = vz_state_running(t->how->ctx, veid) == 1;
	vz_plan_of_cfg(ve.cfg, &v->plan);
	t->n_ves++;
	return 0;
}

/* What it is promised, or allowed to allocate: infinity without a limit. */
static double weight(const struct traveller *v)
{
	return vz_plan_reserved(&v->plan, VZ_PLAN_ALLOC);
}

/* Those that run before those that don't, and the big ones first: they fit where they can. */
static int compare(const void *a, const void *b)
{
	const struct traveller *x = a, *y = b;

	if (x->running != y->running)
		return x->running ? -1 : 1;
	if (weight(x) != weight(y))
		return weight(x) > weight(y) ? -1 : 1;
	return x->veid < y->veid ? -1 : 1;
}

static int gather(struct trip *t, struct vz_err *err)
{
	const struct evacuate *how = t->how;
	vz_autoids struct vz_ids ids = { 0 };
	int r = vz_ids_defined(how->ctx, &ids);

	t->ves = calloc(ids.n + 1, sizeof(*t->ves));
	t->targets = calloc(how->dests->n + 1, sizeof(*t->targets));
	if (r || !t->ves || !t->targets)
		return mig_fail(err, MIG_E_SYSTEM, r ? -r : ENOMEM, "can't list the VEs");
	for (size_t i = 0; i < ids.n; i++)
		if (read_ve(t, ids.v[i]) && !t->status)
			t->status = MIG_E_SYSTEM;
	qsort(t->ves, t->n_ves, sizeof(*t->ves), compare);
	for (size_t i = 0; i < how->dests->n; i++) {
		struct target *to = &t->targets[t->n_targets++];

		to->dest = how->dests->v[i];
		r = ask_target(how, to, err);
		if (r)
			return r;
	}
	return 0;
}

/* The emptiest of those that have room; with `any` of all. */
static struct target *choose(struct trip *t, const struct traveller *v, bool any)
{
	struct target *best = NULL;

	for (size_t i = 0; i < t->n_targets; i++) {
		struct target *to = &t->targets[i];

		if (!any && v->running && !capacity_fits(&to->room, &v->plan))
			continue;
		if (!best || capacity_left(&to->room) > capacity_left(&best->room) ||
		    (capacity_left(&to->room) == capacity_left(&best->room) &&
		     to->room.ves < best->room.ves))
			best = to;
	}
	return best;
}

static void plan(struct trip *t)
{
	for (size_t i = 0; i < t->n_ves; i++) {
		struct traveller *v = &t->ves[i];
		struct target *to = choose(t, v, t->how->overcommit);

		v->to = to;
		/* What does not run takes no memory: it is only spread by number. */
		if (to && v->running)
			capacity_take(&to->room, &v->plan);
		else if (to)
			to->room.ves++;
	}
}

static void show_plan(const struct trip *t)
{
	struct report *rep = t->how->report;

	if (!rep->json && !rep->quiet)
		printf("%10s %-20s %-8s %8s  %s\n", "CTID", "NAME", "STATUS", "MEMORY",
		       "DESTINATION");
	for (size_t i = 0; i < t->n_ves; i++) {
		const struct traveller *v = &t->ves[i];
		const char *status = v->running ? "running" : "stopped";
		double bytes = weight(v);
		char mem[VZ_HUMAN_MAX];

		if (rep->json)
			report_plan(v->veid, status, v->to ? v->to->dest : NULL);
		else if (!rep->quiet)
			printf("%10u %-20s %-8s %8s  %s\n", v->veid, v->name, status,
			       bytes > 0 && bytes < 9e18
				       ? vz_human_bytes((int64_t)bytes, 1, mem)
				       : "-",
			       v->to ? v->to->dest
				     : "- (no node has room: --nodeps=capacity)");
	}
	fflush(stdout);
}

static void job_done(void *data, const struct vz_job *job)
{
	struct trip *t = data;
	int len = strcspn(job->said, "\n");

	if (!job->status) {
		t->moved++;
		if (t->how->check_only)
			report_say(t->how->report, "VE %u can go", job->veid);
		else
			report_say(t->how->report, "VE %u: moved in %.1f s", job->veid,
				   job->ms / 1000.0);
		return;
	}
	t->failed++;
	if (!t->status)
		t->status =
			job->status > 0 && job->status < 256 ? job->status : MIG_E_SYSTEM;
	vz_warn(t->how->ctx, "VE %u stays: exit status %d: %.*s", job->veid,
		job->status & 255, len, job->said);
}

/* A vzmigrate for each, as by hand. */
static int go(struct trip *t, struct vz_err *err)
{
	const struct vz_strv *options = t->how->options;
	size_t words = options->n + 4, n = 0;
	vz_autofree const char **argv = calloc((t->n_ves + 1) * words, sizeof(*argv));
	vz_autofree struct vz_job *jobs = calloc(t->n_ves + 1, sizeof(*jobs));
	vz_autofree char(*veid)[12] = calloc(t->n_ves + 1, sizeof(*veid));
	struct vz_pool pool = { .jobs = jobs,
				.parallel = t->how->parallel,
				.env = (const char *const *)environ,
				.done = job_done,
				.data = t };
	int r;

	if (!argv || !jobs || !veid)
		return mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't go on");
	for (size_t i = 0; i < t->n_ves; i++) {
		const struct traveller *v = &t->ves[i];
		const char **a = &argv[n * words];
		size_t at = 0;

		if (!v->to)
			continue;
		snprintf(veid[n], sizeof(veid[n]), "%u", v->veid);
		a[at++] = "/proc/self/exe";
		for (size_t k = 0; k < options->n; k++)
			/* Live is for those that run. */
			if (v->running || strcmp(options->v[k], "--live"))
				a[at++] = options->v[k];
		a[at++] = v->to->dest;
		a[at++] = veid[n];
		jobs[n++] = (struct vz_job){ .argv = a, .veid = v->veid };
	}
	pool.n = n;
	r = vz_pool_run(&pool);
	return r ? mig_fail(err, MIG_E_SYSTEM, -r, "can't wait for vzmigrate") : 0;
}

int evacuate(const struct evacuate *how, struct vz_err *err)
{
	VZ_CLEANUP(trip_done) struct trip t = { .how = how };
	size_t nowhere = 0;
	int r = gather(&t, err);

	if (r)
		return r;
	plan(&t);
	show_plan(&t);
	for (size_t i = 0; i < t.n_ves; i++)
		nowhere += !t.ves[i].to;
	if (nowhere && !t.status)
		t.status = MIG_E_START;
	if (!how->plan_only)
		r = go(&t, err);
	if (r || !t.status)
		return r;
	return mig_fail(err, t.status, 0,
			"%zu VEs stay here: %zu failed, %zu have no room",
			t.n_ves - (how->plan_only ? 0 : t.moved), t.failed, nowhere);
}
