/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/live.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ve/dump.h"
#include "ve/dumpdir.h"
#include "ve/launch.h"
#include "ve/mount.h"
#include "ve/restore.h"
#include "ve/state.h"

/* --- the source --- */

/* The VE stands still: what it has changed since the last pass, then its dump. */
static int copy_rest(struct live *l, struct vz_err *err)
{
	vz_autofree char *new = vz_strf("%s.new", l->path);
	struct copy dump = l->copy;
	int r;

	l->phase(l->phase_data, PHASE_COPY_LAST);
	r = copy_pass(&l->copy, false, err);
	if (!r)
		r = copy_changed(&l->copy, &l->since, err);
	if (r)
		return r;
	dump.private = new;
	dump.to = l->dump_to;
	return new ? copy_pass(&dump, false, err)
		   : mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't copy the dump");
}

/*
 * As this returns 0 the VE is ended here. After it was handed over there is no way
 * back but by the destination's own word: what is not known ends it here, too.
 */
static int commit(void *data, struct vz_err *err)
{
	struct live *l = data;
	int r = vz_dumpdir_mark(l->ve, l->path);

	l->dumped = true;
	if (r)
		return mig_fail(err, MIG_E_SYSTEM, -r, "can't write in RUNDIR");
	r = copy_rest(l, err);
	if (r)
		return r;
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
	/* In words it has failed, and the caller will hear them; the VE is not ours. */
	return r == -EREMOTEIO ? r : 0;
}

/* Nothing that says it is suspended may be found of a VE that goes on. */
static void forget_dump(struct live *l)
{
	vz_dumpdir_remove(l->path, false);
	vz_dumpdir_mark(l->ve, NULL);
}

static int dump(struct live *l, struct vz_err *err)
{
	struct vz_dump how = { .dir = l->dir, .commit = commit, .data = l };
	int r = vz_dump(l->ve, &how, err);

	if (r && !l->dumped)
		mig_recast(err, MIG_E_STOP, r);
	if (r)
		forget_dump(l);
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

int live_move(struct live *l, struct vz_err *err)
{
	int r;

	l->dir = -1;
	l->path = vz_dumpdir_path(l->ve, NULL);
	if (!l->path)
		return mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't dump");
	l->phase(l->phase_data, PHASE_DUMP);
	r = departure_save(l->d, VZ_MIG_STOPPING, err);
	if (!r && vz_dumpdir_begin(l->path, &l->dir, err))
		r = mig_recast(err, MIG_E_STOP, -EIO);
	if (!r)
		r = dump(l, err);
	if (!r && l->d->j.state == VZ_MIG_CLEARING) {
		vz_dumpdir_remove(l->path, false);
		r = end(l, err);
	} else if (!r) {
		struct vz_err ignored = { 0 };

		/* Handed over, and nothing is heard: the dump stays, should it be refused. */
		end(l, &ignored);
		r = -EAGAIN;
	}
	if (l->dir >= 0)
		close(l->dir);
	free(l->path);
	return r;
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
