/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/landing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "sys/idshift.h"
#include "ve/await.h"
#include "ve/destroy.h"
#include "ve/diskquota.h"
#include "ve/dumpdir.h"
#include "ve/life.h"
#include "ve/name.h"
#include "ve/state.h"
#include "vzmigrate/base.h"
#include "vzmigrate/limits.h"
#include "vzmigrate/live.h"
#include "vzmigrate/scripts.h"
#include "vzmigrate/staging.h"

enum { RESERVED_IDS = 100 };
/* A VE whose init lives for so long has started. */
#define PROVE_MS 1500
/* For who serves an older try to end. */
#define GONE_MS 10000

void landing_done(struct landing *l)
{
	vz_idrange_release(&l->uids);
	vz_idrange_release(&l->gids);
	if (l->lock_fd >= 0)
		close(l->lock_fd);
	free(l->staging);
	*l = LANDING_NONE;
}

/* What the source is told is what the disk has: a state that can't be written is none. */
static int save(struct landing *l, enum vz_mig_state state, struct vz_err *err)
{
	struct vz_journal j = l->j;
	int r;

	j.state = state;
	r = vz_journal_save(l->ctx, l->veid, VZ_MIG_DEST, &j, err);
	if (!r)
		l->j = j;
	return r;
}

int landing_check_absent(const struct vz_ctx *ctx, uint32_t veid, const char *private,
			 struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, veid);
	struct stat st;

	if (path && !lstat(path, &st))
		return mig_fail(err, MIG_E_EXISTS, 0, "VE %u exists there already: %s",
				veid, path);
	/* An empty directory is in nobody's way. */
	if (!lstat(private, &st) && rmdir(private))
		return mig_fail(err, MIG_E_EXISTS, 0,
				"the private area %s is there already", private);
	return 0;
}

/* --- begin --- */

static int lock(struct landing *l, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *global = NULL;
	int r = vz_cfg_load_global(l->ctx, &global, err);

	if (r)
		return mig_recast(err, MIG_E_REMOTECONF, r);
	r = vz_ve_lock_any(l->ctx, global, l->veid, &l->lock_fd, err);
	return r ? mig_recast(err, MIG_E_LOCKED, r) : 0;
}

static int find_staging(struct landing *l)
{
	l->staging = staging_path(l->j.private);
	return l->staging ? 0 : -ENOMEM;
}

/* Its own range again if it is free here, for then no file changes its owner. */
static int choose_ids(struct landing *l, const struct vz_cfg *cfg, struct vz_err *err)
{
	uint32_t uid = vz_cfg_u64(cfg, VZ_P_LOCAL_UID);
	uint32_t gid = vz_cfg_u64(cfg, VZ_P_LOCAL_GID);
	int r = 0;

	l->j.old_uid = l->j.uid = uid;
	l->j.old_gid = l->j.gid = gid;
	if (!uid)
		return 0;
	r = vz_idrange_prefer(l->ctx, cfg, l->veid, uid, &l->uids, err);
	if (!r && gid != uid)
		r = vz_idrange_prefer(l->ctx, cfg, l->veid, gid, &l->gids, err);
	if (r)
		return mig_recast(err, MIG_E_CONFIG, r);
	l->j.uid = l->uids.first;
	l->j.gid = gid == uid ? l->uids.first : l->gids.first;
	/* Its processes have them, and go on with them. */
	if (l->j.live && (l->j.uid != uid || l->j.gid != gid))
		return mig_fail(
			err, MIG_E_CONFIG, 0,
			"the VE's host ids from %u on are another's here, or not of "
			"UID_POOL: they can't change while it runs",
			uid);
	return 0;
}

static int set_id(struct vz_cfg *cfg, enum vz_param_id param, uint32_t id,
		  struct vz_err *err)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", id);
	return vz_cfg_set(cfg, param, text, err);
}

static int write_conf(struct landing *l, struct landing_conf *c, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", l->staging, l->veid);
	vz_autofree char *text = NULL;
	int r = set_id(c->cfg, VZ_P_LOCAL_UID, l->j.uid, err);

	if (!r)
		r = set_id(c->cfg, VZ_P_LOCAL_GID, l->j.gid, err);
	if (!r)
		r = vz_cfg_store(c->was, c->cfg, c->conf, NULL);
	text = r ? NULL : vz_conf_text(c->conf);
	if (!r)
		r = text && path ? vz_replace_file(path, text, strlen(text), 0644)
				 : -ENOMEM;
	return r ? mig_fail(err, MIG_E_CONFIG, -r, "can't write the configuration") : 0;
}

/* Whoever serves a migration says who it is, so that its successor can end it. */
static void sign(struct vz_journal *j)
{
	struct vz_ctx ctx = { .procdir = "/proc" };
	struct vz_state me = { 0 };

	vz_state_identify(&ctx, getpid(), &me);
	j->pid = getpid();
	j->pid_start = me.init_start;
}

static void end_server(const struct vz_ctx *ctx, const struct vz_journal *j)
{
	vz_autofd int fd = syscall(SYS_pidfd_open, j->pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct vz_state it = { 0 };

	if (fd < 0 || j->pid == (uint32_t)getpid() ||
	    vz_state_identify(ctx, j->pid, &it) || it.init_start != j->pid_start)
		return;
	syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	poll(&p, 1, GONE_MS);
}

/*
 * An earlier try: one that the source has given up, or that no source can have
 * been promised anything by.
 */
static int clear_earlier(struct landing *l, const char *old, struct vz_err *err)
{
	struct landing earlier = LANDING_NONE;
	int r = vz_journal_load(l->ctx, l->veid, VZ_MIG_DEST, &earlier.j, err);

	if (r)
		return r == -ENOENT ? 0 : r;
	earlier.ctx = l->ctx;
	earlier.veid = l->veid;
	if (earlier.j.state == VZ_MIG_DONE)
		return vz_journal_remove(l->ctx, l->veid, VZ_MIG_DEST, err);
	if (earlier.j.state != VZ_MIG_RECEIVING && strcmp(earlier.j.id, old))
		return mig_fail(
			err, MIG_E_LOCKED, 0,
			"a migration of VE %u from %s was left half-way (%s): run "
			"`vzmigrate --recover %u` there",
			l->veid, earlier.j.peer, vz_mig_state_name(earlier.j.state),
			l->veid);
	r = find_staging(&earlier);
	if (!r)
		r = landing_abort(&earlier, err);
	landing_done(&earlier);
	return r;
}

/*
 * The VE was here, left for another node, and is about to come back, perhaps before we
 * heard that it was received there. What the journal of that asks for, to remove what is
 * here of the VE, must not be done to what comes now.
 */
static int clear_departed(const struct landing *l, struct vz_err *err)
{
	struct vz_journal was;
	int r = vz_journal_load(l->ctx, l->veid, VZ_MIG_SOURCE, &was, err);

	if (r)
		return r == -ENOENT ? 0 : r;
	if (was.state == VZ_MIG_HANDED)
		return mig_fail(
			err, MIG_E_LOCKED, 0,
			"VE %u was handed over from there to %s, and it is not "
			"known how that ended: run `vzmigrate --recover %u` there",
			l->veid, was.peer, l->veid);
	/* Its configuration and its area are gone; what was being removed goes, too. */
	if (was.state == VZ_MIG_CLEARING)
		vz_ve_destroy(l->ctx, l->veid, NULL);
	return vz_journal_remove(l->ctx, l->veid, VZ_MIG_SOURCE, err);
}

/* What does the message say? The caller frees *ret_text. */
static int read_ask(struct landing *l, const json_t *ask, char **ret_text,
		    bool *ret_moved, const char **ret_old, struct vz_err *err)
{
	const char *id;
	uint64_t veid;
	size_t len;
	int r = wire_num(ask, "veid", VZ_VEID_MAX, &veid, err);

	if (!r)
		r = wire_text(ask, "id", sizeof(l->j.id) - 1, &id, err);
	if (!r)
		r = wire_text(ask, "old", sizeof(l->j.id) - 1, ret_old, err);
	if (!r)
		r = wire_flag(ask, "moved", ret_moved, err);
	if (!r)
		r = wire_flag(ask, "start", &l->j.start, err);
	if (!r)
		r = wire_flag(ask, "live", &l->j.live, err);
	if (!r)
		r = wire_flag(ask, "keep", &l->j.keep, err);
	if (!r)
		r = wire_num(ask, "memory", INT64_MAX, &l->memory, err);
	if (!r)
		r = wire_bytes(ask, "conf", SCRIPT_MAX, ret_text, &len, err);
	if (r)
		return r;
	if (veid <= RESERVED_IDS || !*id)
		return mig_fail(err, MIG_E_CONFIG, 0, "no VE can have the number %u",
				(unsigned int)veid);
	l->veid = veid;
	strcpy(l->j.id, id);
	return 0;
}

static int begin(struct landing *l, const json_t *ask, struct landing_conf *c,
		 const char *old, struct vz_err *err)
{
	const char *private = vz_cfg_str(c->cfg, VZ_P_VE_PRIVATE);
	const json_t *files = json_object_get(ask, "files");
	vz_autounpacked struct vz_unpacked held = VZ_UNPACKED_NONE;
	struct vz_journal earlier;
	int r;

	if (strlen(private) >= sizeof(l->j.private))
		return mig_fail(err, MIG_E_CONFIG, ENAMETOOLONG, "%.60s…", private);
	strcpy(l->j.private, private);
	/* The source has given that one up; its server may not have heard of it yet. */
	if (!vz_journal_load(l->ctx, l->veid, VZ_MIG_DEST, &earlier, NULL) &&
	    !strcmp(earlier.id, old))
		end_server(l->ctx, &earlier);
	r = lock(l, err);
	/* First: that a VE is here is no reason to forget how it came. */
	if (!r)
		r = landing_check_absent(l->ctx, l->veid, private, err);
	if (!r)
		r = clear_departed(l, err);
	if (!r)
		r = clear_earlier(l, old, err);
	if (!r)
		r = base_hold(c->cfg, files, l->ctx, &held, err);
	if (!r)
		r = base_check(c->cfg, files, l->ctx, true, err);
	if (!r)
		r = find_staging(l);
	if (!r)
		r = choose_ids(l, c->cfg, err);
	if (!r && (l->j.uid != l->j.old_uid || l->j.gid != l->j.old_gid))
		r = base_check_shift(files, err);
	if (!r)
		r = save(l, VZ_MIG_RECEIVING, err);
	if (!r)
		r = staging_make(l->staging, l->j.live, l->memory, err);
	if (!r)
		r = base_refer(files, l->staging, l->veid, err);
	if (!r)
		r = write_conf(l, c, err);
	return r ? r : scripts_unpack(ask, l->staging, l->veid, err);
}

int landing_begin(const struct vz_ctx *ctx, const json_t *ask, const char *peer,
		  struct landing *ret, struct vz_err *err)
{
	VZ_CLEANUP(landing_done) struct landing l = LANDING_NONE;
	autolanding_conf struct landing_conf c = { 0 };
	vz_autofree char *text = NULL;
	const char *old;
	bool moved;
	int r;

	l.ctx = ctx;
	snprintf(l.j.peer, sizeof(l.j.peer), "%s", peer);
	sign(&l.j);
	r = read_ask(&l, ask, &text, &moved, &old, err);
	if (!r)
		r = landing_conf_read(ctx, l.veid, text, moved, &c, err);
	if (!r)
		r = begin(&l, ask, &c, old, err);
	if (r && l.j.state == VZ_MIG_RECEIVING && l.staging)
		landing_abort(&l, NULL);
	if (r)
		return r;
	*ret = l;
	l = LANDING_NONE;
	return 0;
}

int landing_attach(const struct vz_ctx *ctx, uint32_t veid, const char *id,
		   struct landing *ret, struct vz_err *err)
{
	VZ_CLEANUP(landing_done) struct landing l = LANDING_NONE;
	int r;

	l.ctx = ctx;
	l.veid = veid;
	r = vz_journal_load(ctx, veid, VZ_MIG_DEST, &l.j, err);
	if (r || (id && strcmp(l.j.id, id)))
		return r ? r : -ENOENT;
	/* Of our own will we wait for it; the source itself has given it up. */
	if (id)
		end_server(ctx, &l.j);
	r = lock(&l, err);
	/* What it did last. */
	if (!r)
		r = vz_journal_load(ctx, veid, VZ_MIG_DEST, &l.j, err);
	if (!r)
		r = find_staging(&l);
	if (r)
		return r;
	sign(&l.j);
	r = save(&l, l.j.state, err);
	if (r)
		return r;
	*ret = l;
	l = LANDING_NONE;
	return 0;
}

/* --- the steps --- */

/* Again after a crash: what has its owner keeps it. */
static int give_owners(const struct landing *l, const char *root, struct vz_err *err)
{
	struct vz_idshift shift = { .uid = l->j.old_uid,
				    .gid = l->j.old_gid,
				    .to_uid = l->j.uid,
				    .to_gid = l->j.gid,
				    .count = VZ_ID_RANGE };

	return vz_idshift_tree(&shift, root, err);
}

/* What is in an image has owners, too. */
static int give_owners_inside(const struct landing *l, const struct vz_ve *ve,
			      const struct vz_layout *layout, const struct vz_area *area,
			      struct vz_err *err)
{
	static const struct vz_layout_mount writable = { 0 };
	vz_autofree char *top = NULL;
	vz_autofd int mnt = -1;
	int r;

	if (l->j.uid == l->j.old_uid && l->j.gid == l->j.old_gid)
		return 0;
	r = layout->mount(ve, area, &writable, &mnt, err);
	if (r)
		return r;
	top = vz_strf("/proc/self/fd/%d/.", mnt);
	return top ? give_owners(l, top, err) : -ENOMEM;
}

int landing_open_ve(const struct landing *l, struct vz_ve *ret, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", l->staging, l->veid);
	autolanding_conf struct landing_conf conf = { 0 };
	vz_autofree char *text = NULL;
	int r = path ? vz_read_file(path, SCRIPT_MAX, &text, NULL) : -ENOMEM;

	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path);
	r = landing_conf_read(l->ctx, l->veid, text, false, &conf, err);
	if (r)
		return r;
	*ret = (struct vz_ve){ .ctx = l->ctx, .id = l->veid };
	ret->cfg = vz_take(conf.cfg);
	return 0;
}

/* Is what has come a whole area, that can be mounted here as its VE's? */
static int inspect(const struct landing *l, const char *root, struct vz_err *err)
{
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	vz_autove struct vz_ve ve = { 0 };
	const struct vz_layout *layout = NULL;
	int r = landing_open_ve(l, &ve, err);

	if (!r)
		r = vz_layout_open(&ve, root, &layout, &area, err);
	if (r || !area.ini || layout->over_base)
		return r;
	return give_owners_inside(l, &ve, layout, &area, err);
}

int landing_settle(const struct landing *l, struct vz_err *err)
{
	vz_autofree char *root = vz_strf("%s/root", l->staging);
	vz_autofd int fd = root ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 || syncfs(fd)
		       ? mig_fail(err, MIG_E_COPY, errno, "can't sync %s", l->staging)
		       : 0;
}

int landing_prepare(struct landing *l, struct vz_err *err)
{
	vz_autofree char *root = vz_strf("%s/root", l->staging);
	int r;

	if (!root || l->j.state != VZ_MIG_RECEIVING)
		return mig_fail(err, MIG_E_SYSTEM, 0, "VE %u is %s, not receiving",
				l->veid, vz_mig_state_name(l->j.state));
	r = give_owners(l, root, err);
	if (!r)
		r = inspect(l, root, err);
	if (r)
		return mig_recast(err, MIG_E_COPY, r);
	r = landing_settle(l, err);
	return r ? r : save(l, VZ_MIG_PREPARED, err);
}

/*
 * The private area into its place, and out of it. Done already is 0. On the disk when
 * this returns: the journal, whose next state relies on it, may lie on another one.
 */
static int swap_area(const struct landing *l, bool in, struct vz_err *err)
{
	vz_autofree char *root = vz_strf("%s/root", l->staging);
	const char *from = in ? root : l->j.private, *to = in ? l->j.private : root;
	int r;

	if (!root)
		return mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't place the files");
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1 /* NOREPLACE */) &&
	    (errno != ENOENT || access(to, F_OK)))
		return mig_fail(err, MIG_E_COPY, errno, "can't rename %s to %s", from,
				to);
	r = vz_sync_parent(to);
	if (!r)
		r = vz_sync_parent(from);
	return r ? mig_fail(err, MIG_E_COPY, -r, "can't sync %s", l->staging) : 0;
}

static int make_known(const struct landing *l, struct vz_err *err)
{
	vz_autofree char *from = vz_strf("%s/conf/%u.conf", l->staging, l->veid);
	vz_autofree char *to = vz_strf("%s/conf/%u.conf", l->ctx->confdir, l->veid);
	vz_autofree char *text = NULL;
	vz_autove struct vz_ve ve = { 0 };
	const char *name;
	size_t len;
	int r = from && to ? vz_read_file(from, SCRIPT_MAX, &text, &len) : -ENOMEM;

	if (!r)
		r = vz_replace_file(to, text, len, 0644);
	if (r)
		return mig_fail(err, MIG_E_CONFIG, -r, "can't write %s", to);
	r = scripts_place(l->ctx, l->staging, l->veid, err);
	if (!r)
		r = vz_ve_open(l->ctx, l->veid, &ve, err);
	if (r)
		return mig_recast(err, MIG_E_CONFIG, r);
	/* Of another VE that once had the number here. */
	r = vz_dumpdir_has(&ve) ? vz_dumpdir_forget(&ve) : 0;
	if (r)
		return mig_fail(err, MIG_E_SYSTEM, -r, "can't remove an old dump");
	name = vz_cfg_str(ve.cfg, VZ_P_NAME);
	r = name && *name ? vz_name_move(l->ctx, l->veid, NULL, name, err) : 0;
	return r ? mig_recast(err, MIG_E_CONFIG, r) : 0;
}

/* It started; does it go on to run? */
static int prove(const struct landing *l, struct vz_err *err)
{
	struct pollfd p = { .events = POLLIN };
	int pidfd, r = vz_state_open_init(l->ctx, l->veid, NULL, &pidfd, err);

	if (!r) {
		p.fd = pidfd;
		do
			r = poll(&p, 1, PROVE_MS);
		while (r < 0 && errno == EINTR);
		close(pidfd);
	}
	return r ? mig_fail(err, MIG_E_START, 0, "VE %u ended as soon as it was started",
			    l->veid)
		 : 0;
}

static bool is_quota(enum vz_exit status)
{
	return status >= VZ_E_DQ_ON && status <= VZ_E_DQ_USAGE;
}

static int start(const struct landing *l, struct vz_err *err)
{
	struct vz_start how = { .migrating = true, .lock_fd = l->lock_fd };
	vz_autove struct vz_ve ve = { 0 };
	int r;

	if (vz_state_running(l->ctx, l->veid) == 1)
		return 0;
	r = vz_ve_open(l->ctx, l->veid, &ve, err);
	/* It ran, so it may. */
	if (!r && vz_cfg_bool(ve.cfg, VZ_P_DISABLED))
		r = vz_cfg_set(ve.cfg, VZ_P_DISABLED, "no", err);
	if (!r)
		r = vz_ve_start(&ve, &how, err);
	if (r)
		return mig_recast(err, is_quota(err->status) ? MIG_E_QUOTA : MIG_E_START,
				  r);
	return prove(l, err);
}

/* It stops, and is none of our VEs, which is on the disk when this returns. */
static int make_unknown(const struct landing *l, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", l->ctx->confdir, l->veid);
	static const struct vz_stop kill_it = { .fast = true };
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err ignored;
	const char *name;
	int r = path ? 0 : -ENOMEM;

	if (!vz_ve_open(l->ctx, l->veid, &ve, &ignored)) {
		vz_ve_stop(&ve, &kill_it, &ignored);
		/* Who gets its number or ids here next shall not inherit them. */
		vz_diskquota_forget(&ve);
		name = vz_cfg_str(ve.cfg, VZ_P_NAME);
		if (name && *name)
			vz_name_move(l->ctx, l->veid, name, NULL, &ignored);
	}
	scripts_remove(l->ctx, l->veid);
	if (!r && unlink(path) && errno != ENOENT)
		r = -errno;
	if (!r)
		r = vz_sync_parent(path);
	return r ? mig_fail(err, MIG_E_SYSTEM, -r, "can't remove %s", path) : 0;
}

/* It is the source's when this is written down: by then it must be gone here. */
static int refuse(struct landing *l, struct vz_err *err)
{
	struct vz_err why = { 0 };
	int r = make_unknown(l, &why);

	if (vz_state_alive(l->ctx, l->veid))
		return mig_fail(err, MIG_E_START, 0,
				"VE %u was started, can't be stopped, and stays",
				l->veid);
	if (!r)
		r = swap_area(l, false, &why);
	if (!r)
		r = save(l, VZ_MIG_REFUSED, &why);
	if (r)
		*err = why;
	return r;
}

/*
 * The range was reserved by a process that is gone when this is done again, and a
 * VE that was made since then may have it: then this one is refused.
 */
static int hold_ids(struct landing *l, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *global = NULL;
	int r;

	if (!l->j.uid || l->uids.fd >= 0)
		return 0;
	r = vz_cfg_load_global(l->ctx, &global, err);
	if (!r)
		r = vz_idrange_claim(l->ctx, global, l->veid, l->j.uid, &l->uids, err);
	if (!r && l->j.gid != l->j.uid)
		r = vz_idrange_claim(l->ctx, global, l->veid, l->j.gid, &l->gids, err);
	return r ? mig_recast(err, MIG_E_CONFIG, r) : 0;
}

/* Ours it is in any case, and the next command tries again. */
static int go_on(const struct landing *l)
{
	struct vz_err err = { 0 };

	if (l->j.start && l->j.live && live_go_on(l, &err))
		vz_warn(l->ctx, "VE %u: %s", l->veid, err.text);
	return 0;
}

int landing_take(struct landing *l, struct vz_err *err)
{
	struct vz_err why = { 0 };
	int r;

	if (l->j.state == VZ_MIG_DONE)
		return go_on(l);
	if (l->j.state != VZ_MIG_PREPARED && l->j.state != VZ_MIG_TAKING)
		return mig_fail(err, MIG_E_SYSTEM, 0, "VE %u is %s, not prepared",
				l->veid, vz_mig_state_name(l->j.state));
	r = save(l, VZ_MIG_TAKING, err);
	if (r)
		return r;
	r = hold_ids(l, &why);
	if (!r)
		r = swap_area(l, true, &why);
	if (!r)
		r = make_known(l, &why);
	if (!r)
		r = limits_set(l, &why);
	if (!r && l->j.start)
		r = l->j.live ? live_restore(l, &why) : start(l, &why);
	if (r) {
		/* What can't be taken back is not refused: ours it stays, to be tried again. */
		r = refuse(l, err);
		if (!r)
			*err = why;
		return r ? r : -EREMOTEIO;
	}
	r = l->j.state == VZ_MIG_DONE ? 0 : save(l, VZ_MIG_DONE, err);
	return r ? r : go_on(l);
}

int landing_abort(struct landing *l, struct vz_err *err)
{
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err ignored = { 0 };
	int r;

	if (l->j.state == VZ_MIG_TAKING || l->j.state == VZ_MIG_DONE)
		return mig_fail(err, MIG_E_SYSTEM, 0, "VE %u is this node's already (%s)",
				l->veid, vz_mig_state_name(l->j.state));
	if (l->j.live && !landing_open_ve(l, &ve, &ignored))
		vz_await_forget(&ve);
	if (l->j.keep)
		staging_drop_dump(l->staging);
	r = l->j.keep ? 0 : staging_remove(l->staging, err);
	return r ? r : vz_journal_remove(l->ctx, l->veid, VZ_MIG_DEST, err);
}

int landing_forget(struct landing *l, struct vz_err *err)
{
	vz_autofree char *root = vz_strf("%s/root", l->staging);
	int r;

	if (l->j.state != VZ_MIG_DONE)
		return mig_fail(err, MIG_E_SYSTEM, 0, "VE %u is %s, not done", l->veid,
				vz_mig_state_name(l->j.state));
	/* Should its files still lie there, they are the only ones. */
	r = root && !access(root, F_OK) ? swap_area(l, true, err) : 0;
	if (!r)
		r = staging_remove(l->staging, err);
	return r ? r : vz_journal_remove(l->ctx, l->veid, VZ_MIG_DEST, err);
}
