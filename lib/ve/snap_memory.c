/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a snapshot: UUID/dump beside its files, a dump as `vzctl suspend` makes
 * one. It is of the very moment of the files, which are taken while CRIU holds the VE,
 * when all is written; then the VE goes on.
 *
 * A switch makes a copy of it the VE's own dump, when the files are in their place:
 * [pending] memory says that this is still to be done. Then the VE is suspended, and
 * goes on as any such does.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "ve/dump.h"
#include "ve/dumpdir.h"
#include "ve/mount.h"
#include "ve/snap_priv.h"
#include "ve/state.h"

struct taking {
	struct vz_snaps *s;
	const char *uuid;
	int fd;
	bool done;
	struct vz_err err; /* of the files */
};

static int make_dir(int at, const char *name, int *ret)
{
	if (mkdirat(at, name, 0700))
		return -errno;
	*ret = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? -errno : 0;
}

/* All of a dump into an empty directory, which is not on the disk yet. */
static int copy_dump(struct vz_snaps *s, const char *from, int to)
{
	vz_autofd int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), links = -1;
	int r;

	if (in < 0 || mkdirat(to, ".links", 0700))
		return -errno;
	links = openat(to, ".links", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->total = vz_copy_size(in);
	r = links < 0 ? -errno : vz_copy_tree(&s->copy, in, to, links);
	return r ? r : vz_remove_tree(to, ".links");
}

/* --- taking --- */

/*
 * The VE does not move. Whoever is killed now: nothing of it is to be removed, and the
 * next command lets it go on. It goes on in any case: so says the error.
 */
static int take_files(void *data, struct vz_err *err)
{
	struct taking *t = data;
	struct vz_snaps *s = t->s;
	int r = vz_dumpdir_mark(s->ve, VZ_DUMPDIR_KEPT);

	if (r)
		return vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't write in RUNDIR");
	s->held = true;
	r = s->layout->snap->take(s, t->uuid, t->fd, &t->err);
	s->held = false;
	t->done = !r;
	/* A name that nobody sees: a dump that ends well ends the VE. */
	return r ? r : vz_err_set(err, VZ_E_SNAP_CREATE, ECANCELED, "the VE goes on");
}

static int take_running(struct vz_snaps *s, const char *uuid, int fd, int dir,
			struct vz_err *err)
{
	struct taking t = { .s = s, .uuid = uuid, .fd = fd };
	struct vz_dump how = { .dir = dir, .commit = take_files, .data = &t };
	int r = vz_dump(s->ve, &how, err);

	vz_dumpdir_mark(s->ve, NULL);
	if (t.done) {
		vz_err_clear(err);
		return 0;
	}
	if (t.err.status && err)
		*err = t.err;
	else if (err && err->status == VZ_E_CHECKPOINT)
		vz_err_prefix(err, "no memory can be kept (--skip-suspend goes without)");
	return r ? r : -EIO;
}

/* Of a VE that is suspended there is one, and its files are at rest. */
static int take_suspended(struct vz_snaps *s, const char *uuid, int fd, int dir,
			  struct vz_err *err)
{
	vz_autofree char *path = vz_dumpdir_path(s->ve, NULL);
	int r = path ? copy_dump(s, path, dir) : -ENOMEM;

	return r ? vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't copy the dump of VE %u",
			      s->ve->id)
		 : s->layout->snap->take(s, uuid, fd, err);
}

int vz_snap_memory_take(struct vz_snaps *s, const char *uuid, int fd, struct vz_err *err)
{
	bool suspended = !vz_ve_mounted(s->ve) && vz_dumpdir_has(s->ve);
	vz_autofd int dir = -1;
	int r;

	if (!suspended && vz_state_running(s->ve->ctx, s->ve->id) != 1)
		return s->layout->snap->take(s, uuid, fd, err);
	r = make_dir(fd, "dump", &dir);
	if (r)
		return vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't make %s/%s/dump",
				  s->dir, uuid);
	return suspended ? take_suspended(s, uuid, fd, dir, err)
			 : take_running(s, uuid, fd, dir, err);
}

/* --- switching --- */

static char *path_of(const struct vz_snaps *s, const char *uuid)
{
	return vz_strf("%s/%s/dump", s->dir, uuid);
}

bool vz_snap_memory_has(const struct vz_snaps *s, const char *uuid)
{
	vz_autofree char *path = path_of(s, uuid);

	return path && vz_dumpdir_is(path);
}

static int place(struct vz_snaps *s, const char *uuid, struct vz_err *err)
{
	vz_autofree char *from = path_of(s, uuid);
	vz_autofree char *path = vz_dumpdir_path(s->ve, NULL);
	vz_autofd int dir = -1;
	int r = from && path ? vz_dumpdir_begin(path, &dir, err) : -ENOMEM;

	if (r)
		return r;
	r = copy_dump(s, from, dir);
	if (r) {
		vz_dumpdir_remove(path, false);
		return vz_err_set(err, VZ_E_SNAP_SWITCH, -r,
				  "can't copy the memory of the snapshot {%s} to %s: VE "
				  "%u is as it was then, but down",
				  uuid, path, s->ve->id);
	}
	return vz_dumpdir_commit(path, dir, err);
}

int vz_snap_memory_settle(struct vz_snaps *s, struct vz_err *err)
{
	const char *uuid = vz_area_get(s->tree, "pending", "memory");
	int r = 0;

	if (!uuid)
		return 0;
	/* Files that a VE has written to since are not those of its memory. */
	if (!vz_ve_mounted(s->ve) && !vz_state_running(s->ve->ctx, s->ve->id))
		r = place(s, uuid, err);
	vz_area_set(s->tree, "pending", "memory", NULL);
	if (vz_area_save(s->tree, false, r ? NULL : err) && !r)
		r = -EIO;
	return r;
}
