/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "tool/log.h"
#include "ve/ground.h"
#include "vzmigrate/capacity.h"
#include "vzmigrate/checks.h"
#include "vzmigrate/intake.h"
#include "vzmigrate/landing.h"
#include "vzmigrate/limits.h"
#include "vzmigrate/peer.h"
#include "vzmigrate/recover.h"

struct server {
	struct vz_ctx *ctx;
	struct wire wire;
	struct landing landing;
	struct intake intake;
	bool bound; /* there is a landing */
	int silent_ms; /* how long the source may say nothing */
	char peer[256]; /* the source's address, as sshd has it */
	struct vz_logfile log;
};

/* An operation: what it adds to the answer goes to `ret`, an object. */
struct op {
	const char *name;
	bool bound; /* needs begin or attach before it */
	int (*run)(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err);
};

__attribute__((format(printf, 3, 0))) static void
tell(void *data, enum vz_log_level level, const char *fmt, va_list ap)
{
	struct server *s = data;
	char text[900];
	va_list again;

	va_copy(again, ap);
	vz_logfile_vwrite(&s->log, level, s->bound ? s->landing.veid : 0, fmt, again);
	va_end(again);
	if (level > VZ_LOG_WARN)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	wire_send(&s->wire, json_pack("{s:s, s:s}", "event", "warn", "text", text), NULL);
}

/* --- operations --- */

static int hello(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *global = NULL;
	char node[65] = "";
	uint64_t version;
	int r = wire_num(ask, "version", UINT32_MAX, &version, err);

	/* Whether the other one's version will do is for the newer of the two to say. */
	if (!r && vz_cfg_load_global(s->ctx, &global, err))
		r = mig_recast(err, MIG_E_REMOTECONF, -EINVAL);
	if (r)
		return r;
	gethostname(node, sizeof(node) - 1);
	json_object_set_new(ret, "version", json_integer(WIRE_VERSION));
	json_object_set_new(ret, "suite", json_string(VZ_VERSION));
	json_object_set_new(ret, "node", json_string(node));
	json_object_set_new(ret, "ready",
			    json_boolean(vz_cfg_bool(global, VZ_P_VIRTUOZZO)));
	return 0;
}

static int ping(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	return 0;
}

static int check(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	json_t *problems = json_array();

	if (!problems || json_object_set_new(ret, "problems", problems))
		return mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't check");
	return checks_run(s->ctx, ask, problems, err);
}

static int capacity(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	struct capacity c;
	int r = capacity_read(s->ctx, &c, err);

	if (!r)
		capacity_pack(&c, ret);
	return r;
}

static int begin(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	vz_autofree char *root = NULL;
	uint64_t silent_s;
	int r = wire_num(ask, "silent", 86400, &silent_s, err);

	if (r)
		return r;
	if (s->bound)
		return mig_fail(err, MIG_E_SYSTEM, 0, "a VE is on its way already");
	r = landing_begin(s->ctx, ask, s->peer, &s->landing, err);
	if (r)
		return r;
	s->bound = true;
	s->silent_ms = silent_s * 1000;
	root = vz_strf("%s/root", s->landing.staging);
	json_object_set_new(ret, "channel",
			    json_boolean(s->landing.j.live &&
					 intake_listen(&s->intake, s->landing.j.id)));
	json_object_set_new(ret, "early",
			    json_integer(intake_early_head(&s->intake, &s->landing)));
	return json_object_set_new(ret, "root", json_string(root ?: ""))
		       ? mig_fail(err, MIG_E_CONFIG, 0, "VE_PRIVATE is no UTF-8")
		       : 0;
}

static int attach(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	const char *id, *state = "none";
	uint64_t veid;
	int r = wire_num(ask, "veid", VZ_VEID_MAX, &veid, err);

	if (!r)
		r = wire_text(ask, "id", 39, &id, err);
	if (!r && s->bound)
		r = mig_fail(err, MIG_E_SYSTEM, 0, "a VE is on its way already");
	if (r)
		return r;
	r = landing_attach(s->ctx, veid, id, &s->landing, err);
	if (r && r != -ENOENT)
		return r;
	s->bound = !r;
	if (s->bound)
		state = vz_mig_state_name(s->landing.j.state);
	json_object_set_new(ret, "state", json_string(state));
	return 0;
}

static int settle(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	vz_autove struct vz_ve ve = { 0 };
	int r = landing_settle(&s->landing, err);

	/* The VE stands still next: nothing is left to be done then that can be done now. */
	if (!r)
		r = landing_open_ve(&s->landing, &ve, err);
	if (!r)
		vz_ground_warm(&ve);
	return r;
}

static int channel(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	if (json_is_true(json_object_get(ask, "early")))
		return intake_early(&s->intake, &s->landing, err);
	return intake_pages(&s->intake, &s->landing,
			    json_is_true(json_object_get(ask, "after_early")), err);
}

static int await(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	intake_await(&s->intake, &s->landing);
	return 0;
}

static int images(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	return intake_images(&s->wire, ask, &s->landing, err);
}

static int prepare(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	int r = intake_finish(&s->intake, err);

	return r ? r : landing_prepare(&s->landing, err);
}

static int commit(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	struct vz_err why = { 0 };
	int r = landing_take(&s->landing, &why);

	intake_deliver(&s->intake, &s->landing);
	/* An answer, not an error: whose it is now is what the source must know. */
	json_object_set_new(ret, "state",
			    json_string(vz_mig_state_name(s->landing.j.state)));
	json_object_set_new(ret, "code", json_integer(r ? why.status : 0));
	if (json_object_set_new(ret, "why", json_string(why.text)))
		json_object_set_new(ret, "why", json_string("no UTF-8"));
	return 0;
}

static int limits(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	return limits_take(&s->landing, ask, err);
}

static void unbind(struct server *s)
{
	intake_done(&s->intake);
	landing_done(&s->landing);
	s->bound = false;
}

static int give_up(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	int r;

	intake_done(&s->intake);
	r = landing_abort(&s->landing, err);

	if (!r)
		unbind(s);
	return r;
}

static int forget(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	int r = landing_forget(&s->landing, err);

	if (!r)
		unbind(s);
	return r;
}

/* Another node asks the source what has become of a VE that it waits for. */
static int query(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	return recover_answer(s->ctx, ask, ret, err);
}

static const struct op ops[] = {
	{ "hello", false, hello },  { "ping", false, ping },
	{ "check", false, check },  { "capacity", false, capacity },
	{ "begin", false, begin },  { "attach", false, attach },
	{ "settle", true, settle }, { "channel", true, channel },
	{ "await", true, await },   { "images", true, images },
	{ "limits", true, limits }, { "prepare", true, prepare },
	{ "commit", true, commit }, { "abort", true, give_up },
	{ "forget", true, forget }, { "query", false, query },
};

static int run_op(struct server *s, const json_t *ask, json_t *ret, struct vz_err *err)
{
	const char *name;
	int r = wire_text(ask, "op", 32, &name, err);

	if (r)
		return r;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(ops); i++) {
		if (strcmp(ops[i].name, name))
			continue;
		if (ops[i].bound && !s->bound)
			return mig_fail(err, MIG_E_SYSTEM, 0, "no VE is on its way");
		return ops[i].run(s, ask, ret, err);
	}
	return mig_fail(err, MIG_E_VERSION, 0, "this node's vzmigrate can't %s", name);
}

static int answer(struct server *s, const json_t *ask)
{
	struct vz_err err = { 0 };
	json_t *ret = json_object();
	int r = ret ? run_op(s, ask, ret, &err) : -ENOMEM;

	if (r && !err.status)
		mig_fail(&err, MIG_E_SYSTEM, -r, "can't do that");
	json_object_set_new(ret, "ok", json_boolean(!r));
	if (r) {
		json_object_set_new(ret, "code", json_integer(err.status));
		if (json_object_set_new(ret, "error", json_string(err.text)))
			json_object_set_new(ret, "error", json_string("no UTF-8"));
		vz_logfile_write(&s->log, VZ_LOG_ERR, s->bound ? s->landing.veid : 0,
				 "from %s: %s", s->peer, err.text);
	}
	return wire_send(&s->wire, ret, NULL);
}

/* The source is gone. What it has not handed over is worth nothing. */
static void leave(struct server *s)
{
	intake_done(&s->intake);
	if (s->bound && s->landing.j.state == VZ_MIG_RECEIVING)
		landing_abort(&s->landing, NULL);
	if (s->bound)
		unbind(s);
	wire_done(&s->wire);
}

static void find_peer(struct server *s)
{
	const char *conn = getenv("SSH_CONNECTION");

	snprintf(s->peer, sizeof(s->peer), "%.*s", conn ? (int)strcspn(conn, " ") : 9,
		 conn ?: "this node");
}

int serve(const struct vz_ctx *given)
{
	struct vz_ctx ctx = *given;
	struct server s = { .ctx = &ctx,
			    .landing = LANDING_NONE,
			    .intake = INTAKE_NONE,
			    .silent_ms = PEER_SILENT_MS,
			    .log.fd = -1 };
	int r = 0;

	/* What the VE's programs or scripts print must not come between the words. */
	s.wire = (struct wire){ .in = fcntl(0, F_DUPFD_CLOEXEC, 3),
				.out = fcntl(1, F_DUPFD_CLOEXEC, 3) };
	if (s.wire.in < 0 || s.wire.out < 0 || dup2(2, 1) < 0)
		return MIG_E_SYSTEM;
	vz_logfile_open(&s.log, &ctx, "vzmigrate");
	ctx.log = tell;
	ctx.log_data = &s;
	find_peer(&s);
	while (!r) {
		autojson json_t *ask = NULL;
		struct vz_err err = { 0 };

		r = wire_recv(&s.wire, s.silent_ms, &ask, &err);
		if (!r)
			r = answer(&s, ask);
	}
	leave(&s);
	return r == -EPIPE ? 0 : MIG_E_CONNECT;
}
