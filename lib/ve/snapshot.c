/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/hold.h"
#include "ve/dumpdir.h"
#include "ve/mount.h"
#include "ve/snap_conf.h"
#include "ve/snap_priv.h"

#define OWN_LAYOUT "simfs"
#define OWN_VERSION 1

char *vz_snapshot_beside(const char *private)
{
	size_t n = strlen(private);

	while (n > 1 && private[n - 1] == '/')
		n--;
	return vz_strf("%.*s.snapshots", (int)n, private);
}

int vz_snap_tick(void *data, uint64_t done)
{
	struct vz_snaps *s = data;

	if (vz_hold_struck())
		return -EINTR;
	if (s->how && s->how->progress)
		s->how->progress(s->how->progress_data, done, s->total);
	return 0;
}

/* --- opening --- */

static void snaps_done(struct vz_snaps *s)
{
	vz_area_close(&s->area);
	vz_area_close(&s->own);
	free(s->dir);
	if (s->dirfd >= 0)
		close(s->dirfd);
}

static int make_own(struct vz_snaps *s, struct vz_err *err)
{
	vz_autofd int fd = -1;
	int r;

	if (mkdir(s->dir, 0700) && errno != EEXIST)
		return vz_err_set(err, VZ_E_SNAP_CREATE, errno, "can't make %s", s->dir);
	fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return vz_err_set(err, VZ_E_SNAP_CREATE, errno, "can't open %s", s->dir);
	r = vz_area_new(s->dir, fd, OWN_LAYOUT, OWN_VERSION, s->ve->id, &s->own, err);
	return r ? r : vz_area_save(&s->own, false, err);
}

/* Beside an area that is the VE's root, with a marker of their own. */
static int open_own(struct vz_snaps *s, bool make, struct vz_err *err)
{
	vz_autofree char *marker = NULL;
	int r;

	s->dir = vz_snapshot_beside(s->area.path);
	marker = s->dir ? vz_strf("%s/" VZ_AREA_MARKER, s->dir) : NULL;
	if (!marker)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't open snapshots");
	if (access(marker, F_OK))
		return make ? make_own(s, err) : 0;
	r = vz_area_open(s->dir, &s->own, err);
	if (!r && (!s->own.ini || s->own.veid != s->ve->id))
		r = vz_err_set(err, VZ_E_NOPRIVATE, 0,
			       "the snapshots in %s are not VE %u's", s->dir, s->ve->id);
	return r;
}

static int open_dir(struct vz_snaps *s, bool make, struct vz_err *err)
{
	if (!s->dir)
		s->dir = vz_strf("%s/snapshots", s->area.path);
	if (!s->dir)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't open snapshots");
	if (make && mkdir(s->dir, 0700) && errno != EEXIST)
		return vz_err_set(err, VZ_E_SNAP_CREATE, errno, "can't make %s", s->dir);
	s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->dirfd < 0 && (errno != ENOENT || make)
		       ? vz_err_set(err, VZ_E_SNAP_LIST, errno, "can't open %s", s->dir)
		       : 0;
}

/*
 * `make`: what is to be there for a first one. Without it s->tree may stay NULL, and
 * s->dirfd -1: there are none.
 */
static int open_snaps(struct vz_snaps *s, const struct vz_ve *ve, bool make,
		      struct vz_err *err)
{
	vz_autofree char *real = NULL;
	const char *private;
	int r;

	*s = (struct vz_snaps){
		.ve = ve,
		.area = VZ_AREA_NONE,
		.own = VZ_AREA_NONE,
		.dirfd = -1,
		.copy = { .tick = vz_snap_tick, .tick_data = s },
	};
	/* Snapshots lie beside an area, and change places with it, not with a link to it. */
	private = vz_ve_private(ve, err);
	real = private ? realpath(private, NULL) : NULL;
	r = private ? vz_layout_open(ve, real, &s->layout, &s->area, err) : -EINVAL;
	if (!r && !s->layout->snap)
		r = vz_err_set(err, VZ_E_LAYOUT, 0, "layout %s has no snapshots",
			       s->layout->name);
	if (!r && !s->area.ini)
		r = open_own(s, make, err);
	if (r)
		return r;
	s->tree = s->area.ini ? &s->area : s->own.ini ? &s->own : NULL;
	return s->tree ? open_dir(s, make, err) : 0;
}

static int find(const struct vz_snaps *s, const char *uuid, enum vz_exit status,
		struct vz_snap *ret, struct vz_err *err)
{
	if (s->tree && !vz_snaptree_get(s->tree, uuid, ret))
		return 0;
	vz_err_set(err, status, 0, "VE %u has no snapshot {%s}", s->ve->id, uuid);
	return -ENOENT;
}

/* --- what a command leaves to be done --- */

/* Directories of snapshots that no marker names. */
static int sweep_dirs(struct vz_snaps *s, struct vz_err *err)
{
	int fd = s->dirfd < 0 ? -1
			      : openat(s->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	vz_autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char uuid[VZ_UUID_SIZE];
	struct vz_snap snap;
	struct dirent *e;
	int r = 0;

	while (!r && d && (e = readdir(d))) {
		if (vz_uuid_parse(e->d_name, uuid) || strcmp(uuid, e->d_name) ||
		    !vz_snaptree_get(s->tree, uuid, &snap))
			continue;
		r = vz_remove_tree(fd, e->d_name);
		if (r)
			vz_err_set(err, VZ_E_SNAP_DELETE, -r, "can't remove %s/%s",
				   s->dir, e->d_name);
	}
	return r;
}

/* A temporary one is held by a lock on its directory. */
static bool is_held(const struct vz_snaps *s, const char *uuid)
{
	vz_autofd int fd = openat(s->dirfd, uuid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB);
}

/* Take out the temporary ones that nobody holds any more. 1: others are held. */
static int drop_temporary(struct vz_snaps *s, bool *ret_changed, struct vz_err *err)
{
	vz_autofree struct vz_snap *v = NULL;
	bool held = false;
	size_t n = 0;
	int r = vz_snaptree_list(s->tree, &v, &n);

	for (size_t i = 0; !r && i < n; i++) {
		if (!vz_snaptree_num(s->tree, v[i].uuid, "temporary"))
			continue;
		if (is_held(s, v[i].uuid)) {
			held = true;
			continue;
		}
		*ret_changed = true;
		r = vz_snaptree_remove(s->tree, v[i].uuid);
	}
	return r ? vz_err_set(err, VZ_E_SNAP_DELETE, -r, "can't remove a snapshot")
		 : held;
}

/* The processes of a suspended VE have files open, and find them where they were. */
static bool is_idle(const struct vz_snaps *s)
{
	vz_autofree char *mounted = vz_snapshot_any_mounted(s->ve->ctx, s->ve->id);

	return !mounted && !vz_ve_mounted(s->ve) && !vz_dumpdir_has(s->ve);
}

/* What can't go now is to go when nothing is mounted: [pending] sweep says so. */
static int sweep(struct vz_snaps *s, struct vz_err *err)
{
	bool noted = vz_area_get(s->tree, "pending", "sweep") != NULL, changed = false;
	int held = drop_temporary(s, &changed, err), r = held < 0 ? held : 0, left;

	if (!r && changed)
		r = vz_area_save(s->tree, false, err);
	if (!r)
		r = sweep_dirs(s, err);
	if (r)
		return r;
	left = s->layout->snap->sweep(s, !held && is_idle(s), err);
	if (!left)
		left = held;
	if (left < 0 || noted == !!left)
		return left < 0 ? left : 0;
	if (left)
		r = vz_area_set_u64(s->tree, "pending", "sweep", 1);
	else
		vz_area_drop_section(s->tree, "pending");
	return r ? r : vz_area_save(s->tree, false, err);
}

/* 1: the configuration changed. */
static int settle_config(struct vz_snaps *s, struct vz_err *err)
{
	const char *uuid = vz_area_get(s->tree, "pending", "config");
	vz_autofree char *dir = uuid ? vz_strf("%s/%s", s->dir, uuid) : NULL;
	vz_autofree char *path = dir ? vz_strf("%s/ve.conf", dir) : NULL;
	int r;

	if (!path)
		return 0;
	r = vz_snap_conf_restore(s->ve, path, err);
	if (r)
		return r;
	vz_snap_conf_restore_quota(s->ve, dir);
	vz_area_set(s->tree, "pending", "config", NULL);
	vz_area_set(s->tree, "pending", "uuid", NULL);
	r = vz_area_save(s->tree, false, err);
	return r ? r : 1;
}

/* 1: the configuration changed. */
static int settle(struct vz_snaps *s, struct vz_err *err)
{
	const struct vz_snap_ops *ops = s->layout->snap;
	int r = 0, changed;

	if (vz_area_get(s->tree, "pending", "next") && ops->settle)
		r = ops->settle(s, err);
	changed = r ? r : settle_config(s, err);
	r = changed < 0 ? changed : vz_snap_memory_settle(s, err);
	return r ? r : changed;
}

int vz_snapshot_settle(const struct vz_ve *ve, struct vz_err *err)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	struct vz_err ignored = { 0 };
	int r, changed;

	/* A VE without an area, or with one that is damaged, has nothing to settle. */
	r = open_snaps(&s, ve, false, &ignored);
	if (r || !s.tree)
		return 0;
	changed = settle(&s, err);
	if (changed >= 0 && vz_area_get(s.tree, "pending", "sweep") &&
	    sweep(&s, &ignored))
		vz_warn(ve->ctx, "%s", ignored.text);
	return changed;
}

/* --- taking --- */

static int new_dir(struct vz_snaps *s, const char *uuid, int *ret_fd, struct vz_err *err)
{
	int r = vz_remove_tree(s->dirfd, uuid);

	if (!r && mkdirat(s->dirfd, uuid, 0700))
		r = -errno;
	if (!r) {
		*ret_fd = openat(s->dirfd, uuid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = *ret_fd < 0 ? -errno : 0;
	}
	return r ? vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't make %s/%s", s->dir, uuid)
		 : 0;
}

/* The VE goes on from where it did: nothing comes after this one. */
static int note_temporary(struct vz_snaps *s, const char *uuid)
{
	int r = vz_snaptree_set_num(s->tree, uuid, "date", time(NULL));

	if (!r)
		r = vz_snaptree_set_num(s->tree, uuid, "temporary", 1);
	return r ? r : vz_area_set_u64(s->tree, "pending", "sweep", 1);
}

static int take(struct vz_snaps *s, const struct vz_snapshot_how *how, const char *uuid,
		struct vz_err *err)
{
	vz_autofree char *dir = vz_strf("%s/%s", s->dir, uuid);
	vz_autofd int fd = -1;
	int r = dir ? new_dir(s, uuid, &fd, err) : -ENOMEM;

	if (!r)
		r = vz_snap_conf_save(s->ve, dir, how, err);
	if (!r)
		r = how->memory ? vz_snap_memory_take(s, uuid, fd, err)
				: s->layout->snap->take(s, uuid, fd, err);
	if (!r && !how->skip_config)
		r = vz_snap_conf_save_quota(s->ve, dir, err);
	if (!r && syncfs(fd))
		r = vz_err_set(err, VZ_E_SNAP_CREATE, errno, "can't write %s", dir);
	if (!r && (how->temporary ? note_temporary(s, uuid)
				  : vz_snaptree_add(s->tree, uuid, time(NULL))))
		r = vz_err_set(err, VZ_E_SNAP_CREATE, ENOMEM, "can't note a snapshot");
	return r ? r : vz_area_save(s->tree, false, err);
}

/* What was made and is in no marker, or a marker's change that is not saved, goes. */
static void give_up(const struct vz_ve *ve, int why, enum vz_exit status,
		    struct vz_err *err)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };

	if (why == -EINTR)
		vz_err_set(err, status, EINTR, "the command was given up");
	if (err && (err->status == VZ_E_SYSTEM || err->status == VZ_E_NEWPRIVATE ||
		    err->status == VZ_E_NOSPACE))
		err->status = status;
	if (!open_snaps(&s, ve, false, NULL) && s.tree)
		sweep(&s, NULL);
}

int vz_snapshot_take(const struct vz_ve *ve, const struct vz_snapshot_how *how,
		     char ret_uuid[VZ_UUID_SIZE], struct vz_err *err)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	vz_autohold struct vz_hold hold;
	struct vz_snap ignored;
	int r;

	vz_hold_begin(&hold);
	r = open_snaps(&s, ve, true, err);
	if (r)
		return r;
	s.how = how;
	if (how->uuid)
		memcpy(ret_uuid, how->uuid, VZ_UUID_SIZE);
	else
		r = vz_uuid_make(ret_uuid);
	if (r)
		return vz_err_set(err, VZ_E_SNAP_CREATE, -r, "can't make a UUID");
	if (!vz_snaptree_get(s.tree, ret_uuid, &ignored))
		return vz_err_set(err, VZ_E_SNAP_CREATE, EEXIST,
				  "VE %u has a snapshot {%s} already", ve->id, ret_uuid);
	r = settle(&s, err);
	if (r >= 0)
		r = sweep(&s, err);
	if (r < 0)
		return r;
	r = take(&s, how, ret_uuid, err);
	if (r)
		give_up(ve, r, VZ_E_SNAP_CREATE, err);
	return r;
}

/* --- switching --- */

/* The memory of a suspended VE is of files that are no more: it goes before they do. */
static int drop_dump(const struct vz_ve *ve, struct vz_err *err)
{
	int r = vz_dumpdir_forget(ve);

	return r ? vz_err_set(err, VZ_E_SNAP_SWITCH, -r,
			      "can't remove what VE %u was suspended to", ve->id)
		 : 0;
}

static int select_one(struct vz_snaps *s, const struct vz_snapshot_how *how,
		      struct vz_err *err)
{
	vz_autofree char *conf = vz_strf("%s/%s/ve.conf", s->dir, how->uuid);
	int r = conf ? s->layout->snap->select(s, how->uuid, err) : -ENOMEM;

	if (!r && !how->skip_config && !access(conf, F_OK))
		r = vz_area_set(s->tree, "pending", "config", how->uuid);
	if (!r && how->memory && vz_snap_memory_has(s, how->uuid))
		r = vz_area_set(s->tree, "pending", "memory", how->uuid);
	/* What the marker is going to name is on the disk before it does. */
	if (!r && syncfs(s->area.fd))
		r = vz_err_set(err, VZ_E_SNAP_SWITCH, errno, "can't write %s",
			       s->area.path);
	if (!r)
		r = drop_dump(s->ve, err);
	return r ? r : vz_area_save(s->tree, false, err);
}

int vz_snapshot_switch(const struct vz_ve *ve, const struct vz_snapshot_how *how,
		       struct vz_err *err)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	vz_autohold struct vz_hold hold;
	struct vz_snap snap;
	int r;

	vz_hold_begin(&hold);
	r = open_snaps(&s, ve, false, err);
	if (!r)
		r = find(&s, how->uuid, VZ_E_SNAP_SWITCH, &snap, err);
	if (!r)
		r = settle(&s, err);
	if (r < 0)
		return r;
	if (vz_ve_mounted(ve))
		return vz_err_set(err, VZ_E_MOUNTED, 0, "VE %u is mounted", ve->id);
	s.how = how;
	r = sweep(&s, err);
	if (!r)
		r = select_one(&s, how, err);
	if (r) {
		give_up(ve, r, VZ_E_SNAP_SWITCH, err);
		return r;
	}
	r = settle(&s, err);
	return r < 0 ? r : sweep(&s, err);
}

/* --- deleting --- */

int vz_snapshot_delete(const struct vz_ve *ve, const char *uuid, struct vz_err *err)
{
	vz_autofree char *target = vz_snapshot_target(ve, uuid);
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	struct vz_snap snap;
	int r = open_snaps(&s, ve, false, err);

	if (!r)
		r = find(&s, uuid, VZ_E_SNAP_DELETE, &snap, err);
	if (r)
		return r;
	if (target)
		return vz_err_set(err, VZ_E_SNAP_DELETE, EBUSY,
				  "the snapshot {%s} is mounted on %s: umount it first",
				  uuid, target);
	r = settle(&s, err);
	if (r < 0)
		return r;
	/* From here on it is gone, whatever becomes of its files. */
	r = vz_snaptree_remove(s.tree, uuid);
	if (!r)
		r = vz_area_set_u64(s.tree, "pending", "sweep", 1);
	if (r)
		return vz_err_set(err, VZ_E_SNAP_DELETE, -r, "can't delete a snapshot");
	r = vz_area_save(s.tree, false, err);
	if (r) {
		give_up(ve, r, VZ_E_SNAP_DELETE, err);
		return r;
	}
	return sweep(&s, err);
}

/* --- listing --- */

void vz_snapshots_done(struct vz_snapshots *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].description);
	}
	free(l->v);
	*l = (struct vz_snapshots){ 0 };
}

int vz_snapshot_list(const struct vz_ve *ve, struct vz_snapshots *ret, struct vz_err *err)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	vz_autosnapshots struct vz_snapshots l = { 0 };
	vz_autofree struct vz_snap *v = NULL;
	size_t n = 0;
	int r = open_snaps(&s, ve, false, err);

	if (r || !s.tree)
		return r;
	r = vz_snaptree_list(s.tree, &v, &n);
	l.v = r ? NULL : calloc(n + 1, sizeof(*l.v));
	for (size_t i = 0; l.v && i < n && !r; i++) {
		vz_autofree char *dir = vz_strf("%s/%s", s.dir, v[i].uuid);

		if (vz_snaptree_num(s.tree, v[i].uuid, "temporary"))
			continue;
		l.v[l.n].snap = v[i];
		l.v[l.n].memory = vz_snap_memory_has(&s, v[i].uuid);
		r = dir ? vz_snap_conf_words(ve, dir, &l.v[l.n].name,
					     &l.v[l.n].description)
			: -ENOMEM;
		l.n++;
	}
	if (r || !l.v)
		return vz_err_set(err, VZ_E_SNAP_LIST, ENOMEM, "can't list snapshots");
	*ret = l;
	l = (struct vz_snapshots){ 0 };
	return 0;
}

int vz_snapshot_count_beside(const struct vz_ve *ve, size_t *ret, struct vz_err *err)
{
	vz_autosnapshots struct vz_snapshots l = { 0 };
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	int r = open_snaps(&s, ve, false, err);

	if (!r && s.tree == &s.own)
		r = vz_snapshot_list(ve, &l, err);
	if (!r)
		*ret = l.n;
	return r;
}

/* --- looking into one --- */

int vz_snapshot_hold(const struct vz_ve *ve, const char *uuid, int *ret_fd, int *ret_mnt,
		     struct vz_err *err)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	vz_autofd int fd = -1;
	int r = open_snaps(&s, ve, false, err);

	if (r)
		return r;
	fd = openat(s.dirfd, uuid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB))
		return vz_err_set(err, VZ_E_SNAP_MOUNT, errno, "can't hold %s/%s", s.dir,
				  uuid);
	r = s.layout->snap->mount(&s, uuid, ret_mnt, err);
	if (!r)
		*ret_fd = vz_take_fd(&fd);
	return r;
}

bool vz_snapshot_has_memory(const struct vz_ve *ve, const char *uuid)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };

	return !open_snaps(&s, ve, false, NULL) && s.dir && vz_snap_memory_has(&s, uuid);
}

bool vz_snapshot_exists(const struct vz_ve *ve, const char *uuid)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	struct vz_snap snap;

	return !open_snaps(&s, ve, false, NULL) && s.tree &&
	       !vz_snaptree_get(s.tree, uuid, &snap);
}

int vz_snap_open_mount(const struct vz_ve *ve, const char *uuid, int *ret_mnt,
		       struct vz_err *err)
{
	VZ_CLEANUP(snaps_done) struct vz_snaps s = { 0 };
	struct vz_snap snap;
	int r = open_snaps(&s, ve, false, err);

	if (!r)
		r = find(&s, uuid, VZ_E_SNAP_MOUNT, &snap, err);
	return r ? r : s.layout->snap->mount(&s, uuid, ret_mnt, err);
}
