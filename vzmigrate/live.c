/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/live.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/run.h"
#include "sys/hold.h"
#include "ve/await.h"
#include "ve/dump.h"
#include "ve/dumpdir.h"
#include "ve/launch.h"
#include "ve/mount.h"
#include "ve/restore.h"
#include "ve/state.h"
#include "vzmigrate/child.h"
#include "vzmigrate/images.h"
#include "vzmigrate/sieve.h"

/* --- the source --- */

/* The dump lacks the memory, which went to the other node: see live_dump_whole(). */
#define AWAY "memory-is-away"
#define SIEVE_END_MS 2000 /* from criu's end to its own */

/* However long a dump takes, the destination knows that we are there. */
static void waiting(void *data)
{
	const struct live *l = data;
	struct vz_err ignored = { 0 };

	peer_ping(l->d->peer, &ignored);
}

static void stopping(void *data)
{
	struct live *l = data;

	struct vz_err why = { 0 };

	l->phase(l->phase_data, PHASE_DUMP);
	if (vz_await_leave(l->ve, &why) ||
	    peer_call(l->d->peer, json_pack("{s:s}", "op", "await"), PEER_SHORT_MS, NULL,
		      &why))
		vz_warn(l->ve->ctx, "VE %u: %s", l->ve->id, why.text);
	l->left = true;
}

/* The VE stands still: what of its files is not there yet. */
static int copy_files(struct live *l, struct vz_err *err)
{
	size_t n;
	int r;

	l->phase(l->phase_data, PHASE_COPY_LAST);
	if (l->then) {
		l->copy.channel = l->rsync.fd >= 0 ? &l->rsync : NULL;
		return copy_rest(&l->copy, l->then, &l->since, &n, err);
	}
	r = copy_pass(&l->copy, false, err);
	return r ? r : copy_changed(&l->copy, &l->since, false, err);
}

static int hand_over(struct live *l, struct vz_err *err)
{
	int r;

	l->phase(l->phase_data, PHASE_PREPARE);
	r = peer_call(l->d->peer, json_pack("{s:s}", "op", "prepare"), PEER_LONG_MS, NULL,
		      err);
	if (r)
		return r;
	l->phase(l->phase_data, PHASE_START);
	r = departure_save(l->d, VZ_MIG_HANDED, err);
	if (r)
		return r;
	l->d->standing = true;
	r = departure_finish(l->d, err);
	l->d->standing = false;
	if (!r || r == -EREMOTEIO)
		return r;
	/* Not heard, or not done yet. There is nothing of it but here and there. */
	vz_err_prefix(err,
		      "VE %u stands still here until `vzmigrate --recover %u` has heard "
		      "from %s whose it is",
		      l->ve->id, l->ve->id, l->d->peer->dest);
	return VZ_DUMP_STANDS;
}

/* As this returns 0 the VE is ended here. Nothing but the destination's word does that. */
static int commit(void *data, struct vz_err *err)
{
	struct live *l = data;
	int r = vz_dumpdir_mark(l->ve, l->path);

	l->dumped = true;
	if (r)
		return mig_fail(err, MIG_E_SYSTEM, -r, "can't write in RUNDIR");
	r = copy_files(l, err);
	if (r)
		return r;
	l->phase(l->phase_data, PHASE_IMAGES);
	r = images_send(l->d->peer, l->dir, err);
	return r ? r : hand_over(l, err);
}

/* Nothing that says it is suspended may be found of a VE that goes on. */
static void forget_dump(struct live *l)
{
	vz_dumpdir_remove(l->path, false);
	vz_dumpdir_mark(l->ve, NULL);
}

static int dump(struct live *l, struct vz_err *err)
{
	struct vz_dump how = { .dir = l->dir,
			       .ps_fd = l->to_sieve >= 0   ? l->to_sieve
					: l->pages.fd >= 0 ? l->pages.fd
							   : 0,
			       .must_stand = true,
			       .waiting = waiting,
			       .stopping = stopping,
			       .commit = commit,
			       .data = l };
	struct vz_err why = { 0 };
	int r = vz_dump(l->ve, &how, err);

	if (r < 0 && !l->dumped)
		mig_recast(err, MIG_E_STOP, r);
	if (r < 0)
		forget_dump(l);
	if (r < 0 && l->left && vz_await_return(l->ve, &why))
		vz_warn(l->ve->ctx, "VE %u: %s: vzctl repair %u", l->ve->id, why.text,
			l->ve->id);
	return r;
}

/* Its groups, its network, its mount. */
static int end(struct live *l, struct vz_err *err)
{
	int r = vz_launch_cleanup(l->ve, err);

	if (!r && vz_ve_mounted(l->ve) > 0)
		r = vz_ve_umount(l->ve, err);
	return r ? mig_recast(err, MIG_E_SYSTEM, r) : 0;
}

/* What can go over while it runs. Without that it only stands still for longer. */
static int send_early(struct live *l, struct vz_err *err)
{
	const struct vz_ctx *ctx = l->ve->ctx;
	autochannel struct channel c = CHANNEL_NONE;
	struct early_how how = {
		.max = l->early_max, .head = l->early_head, .waiting = waiting, .data = l
	};
	struct vz_err why = { 0 };
	struct vz_state st;
	int r;

	if (!l->channels || !l->early_head || !l->early_max ||
	    vz_state_load(ctx, l->ve->id, &st, NULL))
		return 0;
	l->phase(l->phase_data, PHASE_MEMORY);
	how.init = st.init;
	r = channel_open(l->d->peer, CHANNEL_PAGES, l->d->j.id, &c, &why);
	if (!r)
		r = peer_call(l->d->peer,
			      json_pack("{s:s, s:b}", "op", "channel", "early", 1),
			      PEER_SHORT_MS, NULL, &why);
	how.to = c.fd;
	if (!r)
		r = early_send(ctx, &how, &l->early);
	if (vz_hold_struck()) {
		early_done(&l->early);
		mig_fail(err, MIG_E_SYSTEM, EINTR, "given up");
		return -EINTR;
	}
	if (r)
		vz_warn(ctx, "VE %u: it will stand still for longer: %s", l->ve->id,
			why.status ? why.text : strerror(-r));
	else
		vz_info(ctx, "VE %u: %zu MiB of its memory went over while it ran",
			l->ve->id, l->early.used >> 20);
	return 0;
}

/* From then on what criu says of pages goes by it. */
static int put_sieve(struct live *l)
{
	return l->early.used
		       ? sieve_start(&l->early, l->pages.fd, &l->to_sieve, &l->sieve)
		       : 0;
}

static void drop_sieve(struct live *l)
{
	if (l->to_sieve >= 0)
		close(l->to_sieve);
	if (l->sieve >= 0) {
		if (vz_run_wait(l->sieve, SIEVE_END_MS) == -ETIMEDOUT)
			child_kill(l->sieve);
		close(l->sieve);
	}
	l->to_sieve = l->sieve = -1;
	early_done(&l->early);
}

/* Sessions for what goes over in the standstill. Without them that is only longer. */
static void open_channels(struct live *l)
{
	struct peer *p = l->d->peer;
	const struct vz_ctx *ctx = l->d->ctx;
	struct vz_err why = { 0 };
	int r;

	if (l->then && channel_open(p, CHANNEL_RSYNC, "", &l->rsync, &why))
		vz_warn(ctx, "VE %u: it will stand still for longer: %s", l->ve->id,
			why.text);
	vz_err_clear(&why);
	r = l->channels ? channel_open(p, CHANNEL_PAGES, l->d->j.id, &l->pages, &why)
			: -1;
	if (!r)
		r = peer_call(p,
			      json_pack("{s:s, s:b}", "op", "channel", "after_early",
					l->early.used > 0),
			      PEER_SHORT_MS, NULL, &why);
	if (!r)
		r = put_sieve(l);
	if (!r)
		return;
	channel_close(&l->pages);
	vz_warn(ctx, "VE %u: its memory is written to a disk first: %s", l->ve->id,
		why.status ? why.text : "no channel there");
}

/* All that can be done before it stands still. */
static int get_ready(struct live *l, struct vz_err *err)
{
	struct vz_str nothing = { 0 };
	int r;

	l->phase(l->phase_data, PHASE_READY);
	r = peer_call(l->d->peer, json_pack("{s:s}", "op", "settle"), PEER_LONG_MS, NULL,
		      err);
	if (r)
		return r;
	open_channels(l);
	r = departure_save(l->d, VZ_MIG_STOPPING, err);
	if (!r && vz_dumpdir_begin(l->path, &l->dir, err))
		r = mig_recast(err, MIG_E_STOP, -EIO);
	if (!r && l->pages.fd >= 0 && vz_dumpdir_write(l->dir, AWAY, &nothing, err))
		r = mig_recast(err, MIG_E_STOP, -EIO);
	return r;
}

bool live_dump_whole(int dir)
{
	return faccessat(dir, AWAY, F_OK, 0) && errno == ENOENT;
}

int live_move(struct live *l, struct vz_err *err)
{
	int r;

	l->dir = -1;
	l->rsync = l->pages = CHANNEL_NONE;
	l->early = EARLY_NONE;
	l->to_sieve = l->sieve = -1;
	l->path = vz_dumpdir_path(l->ve, NULL);
	if (!l->path)
		return mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't dump");
	r = send_early(l, err);
	if (!r)
		r = get_ready(l, err);
	if (!r)
		r = dump(l, err);
	if (!r) {
		vz_dumpdir_remove(l->path, false);
		r = end(l, err);
	}
	drop_sieve(l);
	channel_close(&l->rsync);
	channel_close(&l->pages);
	if (l->dir >= 0)
		close(l->dir);
	free(l->path);
	return r == VZ_DUMP_STANDS ? -EAGAIN : r;
}

/* --- the destination --- */

/* In the supervisor-to-be: all processes are there, and none has moved yet. */
static int restored(void *data, struct vz_err *err)
{
	struct landing *l = data;

	l->j.state = VZ_MIG_DONE;
	return vz_journal_save(l->ctx, l->veid, VZ_MIG_DEST, &l->j, err);
}

int live_go_on(const struct landing *l, struct vz_err *err)
{
	vz_autove struct vz_ve ve = { 0 };
	int r;

	if (vz_state_running(l->ctx, l->veid) != 1)
		return 0;
	r = vz_ve_open(l->ctx, l->veid, &ve, err);
	return r ? r : vz_dump_mend(&ve, err);
}

int live_restore(struct landing *l, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/dump", l->staging);
	vz_autofd int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	vz_autove struct vz_ve ve = { 0 };
	struct vz_restore how = {
		.dir = dir, .lock_fd = l->lock_fd, .restored = restored, .data = l
	};
	int r;

	if (dir < 0)
		return mig_fail(err, MIG_E_START, errno, "can't open the dump");
	if (vz_state_running(l->ctx, l->veid) == 1)
		return 0;
	r = vz_ve_open(l->ctx, l->veid, &ve, err);
	if (!r)
		r = vz_launch_cleanup(&ve, err);
	if (!r)
		r = vz_ve_mount(&ve, err);
	if (!r)
		r = vz_restore(&ve, &how, err);
	if (r)
		return mig_recast(err, MIG_E_START, r);
	/* What restored() wrote, in a copy of our memory. */
	l->j.state = VZ_MIG_DONE;
	return 0;
}
