/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the node and its VEs are doing, and how it has changed. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "conf/peek.h"
#include "res/param.h"
#include "tool/ubcview.h"
#include "ve/ids.h"
#include "ve/poolgroup.h"
#include "ve/state.h"
#include "ve/ubc.h"
#include "vzlist/top/vztop.h"

#define PROC_MAX 65536

/* -- the node -- */

static void read_cpu(const struct vz_ctx *ctx, struct node *n)
{
	uint64_t t[8] = { 0 };
	char path[PATH_MAX], buf[512];

	snprintf(path, sizeof(path), "%s/stat", ctx->procdir);
	if (vz_read_small(AT_FDCWD, path, buf, sizeof(buf)))
		return;
	sscanf(buf,
	       "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
	       " %" SCNu64 " %" SCNu64,
	       &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++)
		n->cpu_ticks += t[i];
	n->idle_ticks = t[3] + t[4];
}

/* A line `KEY:  N kB`, in bytes. */
static int64_t meminfo(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoll(at + strlen(key), NULL, 10) * 1024 : 0;
}

static void read_memory(const struct vz_ctx *ctx, struct node *n)
{
	vz_autofree char *text = NULL;
	char path[PATH_MAX];
	size_t len;

	snprintf(path, sizeof(path), "%s/meminfo", ctx->procdir);
	if (vz_read_file(path, PROC_MAX, &text, &len))
		return;
	n->memory = meminfo(text, "MemTotal:");
	n->memory_used = n->memory - meminfo(text, "MemAvailable:");
	n->swap = meminfo(text, "SwapTotal:");
	n->swap_used = n->swap - meminfo(text, "SwapFree:");
}

static void read_node(const struct vz_ctx *ctx, const struct node *before, int64_t now_ns,
		      struct node *n)
{
	char path[PATH_MAX], buf[64];
	int64_t ticks, idle;

	n->up = now_ns / 1000000000;
	n->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	read_cpu(ctx, n);
	read_memory(ctx, n);
	ticks = n->cpu_ticks - before->cpu_ticks;
	idle = n->idle_ticks - before->idle_ticks;
	n->cpu = ticks > 0 && idle >= 0 && idle <= ticks ? (ticks - idle) * 100000 / ticks
							 : -1;
	snprintf(path, sizeof(path), "%s/loadavg", ctx->procdir);
	if (vz_read_small(AT_FDCWD, path, buf, sizeof(buf)))
		return;
	/* Three numbers, then what nobody asks for. */
	for (size_t i = 0, blanks = 0; i < sizeof(n->load) - 1 && buf[i]; i++) {
		blanks += buf[i] == ' ';
		if (blanks == 3)
			break;
		n->load[i] = buf[i];
	}
}

/* -- VEs -- */

struct sampler {
	const struct vz_ctx *ctx;
	const struct vz_cg_host *groups;
	const struct sample *before;
	int64_t now_ns;
	struct vz_peek peek;
	int confdir;
};

static int64_t read_cpu_ns(const struct vz_cg *cg)
{
	char buf[4096], *at;
	uint64_t ns;

	if (!vz_cg_is_v2(cg->host, VZ_CG_CPUACCT))
		return vz_cg_read_u64(cg, VZ_CG_CPUACCT, "cpuacct.usage", &ns)
			       ? -1
			       : (int64_t)ns;
	if (vz_cg_read(cg, VZ_CG_CPUACCT, "cpu.stat", buf, sizeof(buf)))
		return -1;
	at = strstr(buf, "usage_usec ");
	return at ? strtoll(at + strlen("usage_usec "), NULL, 10) * 1000 : -1;
}

/* `some avg10=1.23 …`: how long at least one of its processes has waited. */
static int64_t read_pressure(const struct vz_cg *cg, const char *file)
{
	static const char key[] = "some avg10=";
	char buf[256];

	if (vz_cg_read(cg, VZ_CG_UNIFIED, file, buf, sizeof(buf)) ||
	    strncmp(buf, key, strlen(key)))
		return -1;
	return strtod(buf + strlen(key), NULL) * 1000 + 0.5;
}

static bool read_frozen(const struct vz_cg *cg)
{
	char buf[256];

	if (!vz_cg_is_v2(cg->host, VZ_CG_FREEZER))
		return !vz_cg_read(cg, VZ_CG_FREEZER, "freezer.state", buf,
				   sizeof(buf)) &&
		       !strcmp(buf, "FROZEN");
	return !vz_cg_read(cg, VZ_CG_FREEZER, "cgroup.events", buf, sizeof(buf)) &&
	       strstr(buf, "frozen 1");
}

static void read_names(struct sampler *sm, struct ve *ve)
{
	const char *const keys[] = { vz_params[VZ_P_NAME].key,
				     vz_params[VZ_P_HOSTNAME].key };
	const char *values[VZ_ARRAY_SIZE(keys)] = { NULL };
	char file[32];

	snprintf(file, sizeof(file), "%u.conf", ve->id);
	if (vz_peek_read(&sm->peek, sm->confdir, file, keys, VZ_ARRAY_SIZE(keys), values))
		return;
	snprintf(ve->name, sizeof(ve->name), "%s", values[0] ?: values[1] ?: "");
}

/* Its pool, by where its group is: CGROUP/pool-NAME/VEID. */
static void read_pool(const char *group, struct ve *ve)
{
	const char *last = strrchr(group, '/');
	const char *at = last ? memrchr(group, '/', last - group) : NULL;
	size_t skip = strlen("/" VZ_POOLGROUP);

	if (at && !strncmp(at, "/" VZ_POOLGROUP, skip))
		snprintf(ve->pool, sizeof(ve->pool), "%.*s", (int)(last - at - skip),
			 at + skip);
}

/* Since the sample before; without one, since the VE was started. */
static int64_t cpu_share(const struct sampler *sm, const struct ve *ve,
			 const struct ve *before)
{
	int64_t used = ve->cpu_ns, ns = sm->now_ns - ve->started * 1000000000;

	if (ve->cpu_ns < 0)
		return -1;
	if (before && before->cpu_ns >= 0 && before->cpu_ns <= ve->cpu_ns &&
	    before->started == ve->started) {
		used -= before->cpu_ns;
		ns = sm->now_ns - sm->before->when_ns;
	}
	return ns > 0 ? (int64_t)((double)used / ns * 100000) : -1;
}

static int read_ve(struct sampler *sm, uint32_t id, struct ve *ret)
{
	static const char *const pressures[] = { "cpu.pressure", "memory.pressure",
						 "io.pressure" };
	struct ve ve = { .id = id, .failures = -1, .new_failures = -1 };
	struct vz_cg cg = { .host = sm->groups };
	struct vz_state st;
	int r = vz_state_load(sm->ctx, id, &st, NULL);

	if (r)
		return r;
	snprintf(cg.name, sizeof(cg.name), "%s", st.cgroup);
	ve.started = st.started;
	ve.up = sm->now_ns / 1000000000 - st.started;
	ve.frozen = read_frozen(&cg);
	ve.cpu_ns = read_cpu_ns(&cg);
	for (int i = 0; i < PSI__COUNT; i++)
		ve.pressure[i] = read_pressure(&cg, pressures[i]);
	ve.cpu = cpu_share(sm, &ve, sample_find(sm->before, id));
	read_names(sm, &ve);
	read_pool(st.cgroup, &ve);
	*ret = ve;
	return 0;
}

static int read_ves(struct sampler *sm, struct sample *s)
{
	vz_autoids struct vz_ids ids = { 0 };
	int r = vz_ids_active(sm->ctx, &ids);

	if (r)
		return r;
	s->ves = calloc(ids.n + 1, sizeof(*s->ves));
	if (!s->ves)
		return -ENOMEM;
	for (size_t i = 0; i < ids.n; i++)
		if (vz_state_running(sm->ctx, ids.v[i]) == 1 &&
		    !read_ve(sm, ids.v[i], &s->ves[s->n]))
			s->n++;
	return 0;
}

/* -- counters -- */

static void sum_failures(struct ve *ve, const struct ve *before)
{
	const struct vz_ubc *was =
		before && before->started == ve->started ? before->ubc : NULL;

	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		int64_t n = ve->ubc->v[i].failcnt;

		if (n == VZ_UBC_UNKNOWN)
			continue;
		ve->failures = ve->failures < 0 ? n : ve->failures + n;
		if (!was)
			continue;
		n = vz_ubc_failed_since(n, was->v[i].failcnt);
		ve->new_failures = ve->new_failures < 0 ? n : ve->new_failures + n;
	}
}

/* Both lists ascend by number. Without counters, the rest is still worth a look. */
static void read_counters(struct sampler *sm, struct sample *s)
{
	struct vz_err err = { 0 };
	size_t at = 0;

	if (!s->n)
		return;
	if (vz_ubc_read(sm->ctx, 0, false, &s->ubc, &s->n_ubc, &err)) {
		snprintf(s->problem, sizeof(s->problem), "%s", err.text);
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		while (at < s->n_ubc && s->ubc[at].veid < s->ves[i].id)
			at++;
		if (at == s->n_ubc || s->ubc[at].veid != s->ves[i].id)
			continue;
		s->ves[i].ubc = &s->ubc[at];
		sum_failures(&s->ves[i], sample_find(sm->before, s->ves[i].id));
	}
}

int sample_take(const struct vz_ctx *ctx, const struct vz_cg_host *groups,
		const struct sample *before, struct sample *ret, struct vz_err *err)
{
	struct sampler sm = { .ctx = ctx, .groups = groups, .before = before };
	struct sample s = { 0 };
	char path[PATH_MAX];
	struct timespec now;
	int r;

	clock_gettime(CLOCK_BOOTTIME, &now);
	s.when_ns = sm.now_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
	snprintf(path, sizeof(path), "%s/conf", ctx->confdir);
	sm.confdir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	read_node(ctx, &before->node, s.when_ns, &s.node);
	r = read_ves(&sm, &s);
	if (!r)
		read_counters(&sm, &s);
	vz_peek_done(&sm.peek);
	if (sm.confdir >= 0)
		close(sm.confdir);
	if (r) {
		sample_done(&s);
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't list the VEs");
	}
	*ret = s;
	return 0;
}

void sample_done(struct sample *s)
{
	free(s->ves);
	free(s->ubc);
	*s = (struct sample){ 0 };
}

const struct ve *sample_find(const struct sample *s, uint32_t id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t at = (low + high) / 2;

		if (s->ves[at].id < id)
			low = at + 1;
		else
			high = at;
	}
	return low < s->n && s->ves[low].id == id ? &s->ves[low] : NULL;
}
