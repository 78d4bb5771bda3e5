/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/departure.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "ve/destroy.h"
#include "ve/dump.h"
#include "ve/dumpdir.h"
#include "ve/launch.h"
#include "ve/life.h"
#include "ve/mount.h"
#include "ve/save.h"
#include "ve/state.h"
#include "vzmigrate/live.h"

int departure_save(struct departure *d, enum vz_mig_state state, struct vz_err *err)
{
	struct vz_journal j = d->j;
	int r;

	j.state = state;
	r = vz_journal_save(d->ctx, d->veid, VZ_MIG_SOURCE, &j, err);
	if (!r)
		d->j = j;
	return r ? mig_recast(err, MIG_E_SYSTEM, r) : 0;
}

/*
 * A VE that was asked to halt by a process which has died since may run still, but
 * not for long: only when it has stopped is it known that it will not by itself.
 */
static bool may_be_halting(const struct departure *d)
{
	return d->found && !d->j.live && d->j.state == VZ_MIG_STOPPING;
}

/*
 * What a live migration that was killed has left: a VE that stands still, and goes on;
 * or none, if it had been ended, but its dump.
 */
static int revive(const struct departure *d, struct vz_ve *ve, struct vz_err *err)
{
	vz_autofree char *path = vz_dumpdir_path(ve, NULL);
	vz_autofree char *new = path ? vz_strf("%s.new", path) : NULL;
	vz_autofd int dir = -1;
	int r = vz_dump_mend(ve, err);

	if (r || !new)
		return r;
	if (vz_state_running(d->ctx, d->veid) == 1) {
		vz_dumpdir_remove(path, false);
		return 0;
	}
	/* Before it was handed over no VE was ended for it. */
	if (d->j.state != VZ_MIG_HANDED)
		return 0;
	dir = open(new, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || !live_dump_whole(dir) ? 0 : vz_dumpdir_commit(path, dir, err);
}

static int start_again(const struct departure *d, struct vz_err *err)
{
	struct vz_start how = { .migrating = true, .force = true, .lock_fd = d->lock_fd };
	static const struct vz_stop halt = { .migrating = true };
	vz_autove struct vz_ve ve = { 0 };
	int r;

	r = vz_ve_open(d->ctx, d->veid, &ve, err);
	if (!r && d->j.live)
		r = revive(d, &ve, err);
	if (!r && vz_state_running(d->ctx, d->veid) == 1 && !may_be_halting(d))
		return 0;
	if (!r && may_be_halting(d))
		r = vz_ve_stop(&ve, &halt, err);
	if (!r)
		r = vz_ve_start(&ve, &how, err);
	if (r)
		vz_err_prefix(err, "VE %u can't be started again here", d->veid);
	return r ? mig_recast(err, MIG_E_SYSTEM, r) : 0;
}

/* The journal is there until the destination has heard it, or has nothing of it. */
static void tell_undone(struct departure *d)
{
	struct vz_err ignored = { 0 };

	if (d->peer && !peer_call(d->peer, json_pack("{s:s}", "op", "abort"),
				  PEER_LONG_MS, NULL, &ignored))
		vz_journal_remove(d->ctx, d->veid, VZ_MIG_SOURCE, &ignored);
}

int departure_undo(struct departure *d, struct vz_err *err)
{
	/* Before that it was not touched: whether it runs is its own affair. */
	bool handed = d->j.state == VZ_MIG_HANDED;
	bool stopped = d->j.state == VZ_MIG_STOPPING || handed;
	int r = stopped && d->j.start && !d->standing ? start_again(d, err) : 0;

	if (r)
		return r;
	r = departure_save(d, VZ_MIG_UNDONE, err);
	/*
	 * Where that can't be written down the destination must not wait for it: the
	 * file may say what could not be written before this. But what has refused it
	 * has to say so again.
	 */
	if (!r || !handed)
		tell_undone(d);
	return r;
}

static int refused(struct departure *d, const json_t *answer, struct vz_err *err)
{
	struct vz_err again = { 0 };
	const char *why;
	uint64_t code;
	int r = wire_text(answer, "why", sizeof(err->text) - 300, &why, err);

	if (!r)
		r = wire_num(answer, "code", MIG_E__END - 1, &code, err);
	if (r)
		return r;
	mig_fail(err, code ? (int)code : MIG_E_START, 0, "%s: %s", d->j.peer, why);
	r = departure_undo(d, &again);
	if (r)
		*err = again;
	return r ? r : -EREMOTEIO;
}

int departure_finish(struct departure *d, struct vz_err *err)
{
	autojson json_t *answer = NULL;
	const char *state;
	int r = peer_call(d->peer, json_pack("{s:s}", "op", "commit"), PEER_LONG_MS,
			  &answer, err);

	if (!r)
		r = wire_text(answer, "state", 32, &state, err);
	if (r)
		return r == -EREMOTEIO ? -EBADMSG : r;
	if (!strcmp(state, vz_mig_state_name(VZ_MIG_DONE)))
		return departure_save(d, VZ_MIG_CLEARING, err);
	if (!strcmp(state, vz_mig_state_name(VZ_MIG_REFUSED)))
		return refused(d, answer, err);
	mig_fail(err, MIG_E_START, 0,
		 "VE %u is %s's now, and does not run there yet (%s): "
		 "`vzmigrate --recover %u` tries again",
		 d->veid, d->j.peer, state, d->veid);
	return -EAGAIN;
}

/* It can't be started by mistake: not by boot, not by hand without --force. */
static int disable(const struct departure *d, struct vz_err *err)
{
	vz_autove struct vz_ve ve = { 0 };
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r = vz_ve_open(d->ctx, d->veid, &ve, err);

	if (!r)
		r = vz_cfg_copy(ve.cfg, &cfg);
	if (!r)
		r = vz_cfg_set(cfg, VZ_P_DISABLED, "yes", err);
	return r ? r : vz_ve_save(d->ctx, d->veid, ve.cfg, cfg, NULL, err);
}

/* What stands still here of a VE that goes on there. */
static int end_frozen(const struct departure *d, struct vz_err *err)
{
	vz_autove struct vz_ve ve = { 0 };
	vz_autofree char *path = NULL;
	int r = vz_ve_open(d->ctx, d->veid, &ve, err);

	if (!r)
		r = vz_launch_cleanup(&ve, err);
	if (!r && vz_ve_mounted(&ve) > 0)
		r = vz_ve_umount(&ve, err);
	path = r ? NULL : vz_dumpdir_path(&ve, NULL);
	if (path)
		vz_dumpdir_remove(path, true);
	return r;
}

static int drop_copy(const struct departure *d, struct vz_err *err)
{
	int r = d->j.live ? end_frozen(d, err) : 0;

	if (!r)
		r = d->j.keep ? disable(d, err) : vz_ve_destroy(d->ctx, d->veid, err);

	/* Done already, or the administrator did it. */
	if (r && err->status == VZ_E_NOCONF) {
		vz_err_clear(err);
		return 0;
	}
	return r ? mig_recast(err, MIG_E_SYSTEM, r) : 0;
}

int departure_clear(struct departure *d, struct vz_err *err)
{
	int r = drop_copy(d, err);

	if (!r)
		r = peer_call(d->peer, json_pack("{s:s}", "op", "forget"), PEER_LONG_MS,
			      NULL, err);
	return r ? r : vz_journal_remove(d->ctx, d->veid, VZ_MIG_SOURCE, err);
}
