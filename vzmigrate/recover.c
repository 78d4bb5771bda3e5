/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/recover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "vzmigrate/departure.h"
#include "vzmigrate/landing.h"

/* --- the source --- */

static void departure_done(struct departure *d)
{
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}

/* Let the destination take up its side. *ret_state: how far that is. */
static int attach(struct departure *d, enum vz_mig_state *ret_state, struct vz_err *err)
{
	autojson json_t *answer = NULL;
	const char *name;
	int r = peer_call(d->peer,
			  json_pack("{s:s, s:I, s:s}", "op", "attach", "veid",
				    (json_int_t)d->veid, "id", d->j.id),
			  PEER_SHORT_MS, &answer, err);

	if (!r)
		r = wire_text(answer, "state", 32, &name, err);
	if (!r)
		*ret_state = vz_mig_state_find(name);
	return r;
}

/* Handed over or cleared: the destination says what is left to be done. */
static int finish(struct departure *d, enum vz_mig_state there, struct vz_err *err)
{
	int r;

	if (d->j.state == VZ_MIG_CLEARING && there == VZ_MIG_NONE) {
		/* It has forgotten it, as it was told: only we have not. */
		r = departure_clear(d, err);
		return r == -EREMOTEIO
			       ? vz_journal_remove(d->ctx, d->veid, VZ_MIG_SOURCE, err)
			       : r;
	}
	if (there == VZ_MIG_NONE)
		return mig_fail(
			err, MIG_E_SYSTEM, 0,
			"VE %u was handed over to %s, whose vzmigrate knows "
			"nothing of it: see vzmigrate(8), \"When a node is lost\"",
			d->veid, d->j.peer);
	r = d->j.state == VZ_MIG_CLEARING ? 0 : departure_finish(d, err);
	return r ? r : departure_clear(d, err);
}

static bool is_ours(const struct departure *d)
{
	return d->j.state == VZ_MIG_COPYING || d->j.state == VZ_MIG_STOPPING ||
	       d->j.state == VZ_MIG_UNDONE;
}

static int settle(struct departure *d, struct vz_err *err)
{
	enum vz_mig_state there = VZ_MIG_NONE;
	autopeer struct peer peer = PEER_NONE;
	int r = 0;

	/* What is ours is put right before anybody else is asked. */
	if (is_ours(d)) {
		r = departure_undo(d, err);
		if (r)
			return r;
	}
	r = peer_open(d->ctx, d->j.peer, d->j.ssh, &peer, err);
	if (r)
		return r;
	d->peer = &peer;
	r = attach(d, &there, err);
	if (!r && is_ours(d))
		r = there == VZ_MIG_NONE
			    ? vz_journal_remove(d->ctx, d->veid, VZ_MIG_SOURCE, err)
			    : departure_undo(d, err);
	else if (!r)
		r = finish(d, there, err);
	d->peer = NULL;
	return r;
}

static int lock(const struct vz_ctx *ctx, uint32_t veid, int *ret_fd, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *global = NULL;
	int r = vz_cfg_load_global(ctx, &global, err);

	if (!r)
		r = vz_ve_lock_any(ctx, global, veid, ret_fd, err);
	return r ? mig_recast(err, MIG_E_LOCKED, r) : 0;
}

static int recover_source(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err)
{
	VZ_CLEANUP(departure_done)
	struct departure d = { .ctx = ctx, .veid = veid, .lock_fd = -1, .found = true };
	int r = vz_journal_load(ctx, veid, VZ_MIG_SOURCE, &d.j, err);

	if (r)
		return r;
	r = lock(ctx, veid, &d.lock_fd, err);
	/* Who held the lock may have gone on. */
	if (!r)
		r = vz_journal_load(ctx, veid, VZ_MIG_SOURCE, &d.j, err);
	return r ? r : settle(&d, err);
}

int recover_answer(const struct vz_ctx *ctx, const json_t *ask, json_t *ret,
		   struct vz_err *err)
{
	enum vz_mig_state state = VZ_MIG_NONE;
	struct vz_journal j;
	const char *id;
	uint64_t veid;
	int r = wire_num(ask, "veid", VZ_VEID_MAX, &veid, err);

	if (!r)
		r = wire_text(ask, "id", sizeof(j.id) - 1, &id, err);
	if (r)
		return r;
	r = vz_journal_load(ctx, veid, VZ_MIG_SOURCE, &j, err);
	if (r && r != -ENOENT)
		return r;
	if (!r && !strcmp(j.id, id))
		state = j.state;
	json_object_set_new(ret, "state", json_string(vz_mig_state_name(state)));
	return 0;
}

/* --- the destination --- */

/* What does the source say of it? It must let us in, too; that is not required. */
static int ask_source(const struct landing *l, enum vz_mig_state *ret, struct vz_err *err)
{
	autopeer struct peer peer = PEER_NONE;
	autojson json_t *answer = NULL;
	const char *name;
	int r = peer_open(l->ctx, l->j.peer, "-o BatchMode=yes", &peer, err);

	if (!r)
		r = peer_call(&peer,
			      json_pack("{s:s, s:I, s:s}", "op", "query", "veid",
					(json_int_t)l->veid, "id", l->j.id),
			      PEER_SHORT_MS, &answer, err);
	if (!r)
		r = wire_text(answer, "state", 32, &name, err);
	if (r) {
		vz_err_prefix(err,
			      "VE %u waits for the word of %s (or run `vzmigrate "
			      "--recover %u` there)",
			      l->veid, l->j.peer, l->veid);
		return r;
	}
	*ret = vz_mig_state_find(name);
	return 0;
}

static int decide(struct landing *l, struct vz_err *err)
{
	enum vz_mig_state there;
	int r = ask_source(l, &there, err);

	if (r)
		return r;
	if (there == VZ_MIG_NONE || there == VZ_MIG_UNDONE)
		return l->j.state == VZ_MIG_DONE ? landing_forget(l, err)
						 : landing_abort(l, err);
	if (there == VZ_MIG_HANDED && l->j.state == VZ_MIG_PREPARED)
		return landing_take(l, err);
	return mig_fail(err, MIG_E_LOCKED, 0,
			"VE %u is being seen to by %s (%s there): run `vzmigrate "
			"--recover %u` on it",
			l->veid, l->j.peer, vz_mig_state_name(there), l->veid);
}

static int recover_dest(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err)
{
	VZ_CLEANUP(landing_done) struct landing l = LANDING_NONE;
	int r = landing_attach(ctx, veid, NULL, &l, err);

	if (r)
		return r;
	switch (l.j.state) {
	case VZ_MIG_RECEIVING:
		return landing_abort(&l, err);
	case VZ_MIG_TAKING:
		return landing_take(&l, err);
	case VZ_MIG_DONE:
		/* The VE is here and free; the source will say when it is through. */
		return 0;
	default:
		return decide(&l, err);
	}
}

int recover_one(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err)
{
	int in = recover_dest(ctx, veid, err), out;

	if (in && in != -ENOENT)
		return in;
	out = recover_source(ctx, veid, err);
	return out == -ENOENT ? in : out;
}

int recover_all(const struct vz_ctx *ctx)
{
	vz_autoids struct vz_ids ids = { 0 };
	int status = 0;

	if (vz_journal_list(ctx, VZ_MIG_DEST, &ids) ||
	    vz_journal_list(ctx, VZ_MIG_SOURCE, &ids))
		return MIG_E_SYSTEM;
	for (size_t i = 0; i < ids.n; i++) {
		struct vz_err err = { 0 };
		int r = recover_one(ctx, ids.v[i], &err);

		if (!r || r == -ENOENT)
			continue;
		status = err.status ? (int)err.status : MIG_E_SYSTEM;
		vz_warn(ctx, "VE %u: %s", ids.v[i], err.text);
	}
	return status;
}
