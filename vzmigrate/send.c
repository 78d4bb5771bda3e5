/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/send.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "sys/cgroup.h"
#include "sys/criu.h"
#include "sys/hold.h"
#include "ve/dump.h"
#include "ve/dumpdir.h"
#include "ve/life.h"
#include "ve/mount.h"
#include "ve/oracle.h"
#include "ve/snapshot.h"
#include "ve/state.h"
#include "vzmigrate/base.h"
#include "vzmigrate/copy.h"
#include "vzmigrate/departure.h"
#include "vzmigrate/facts.h"
#include "vzmigrate/limits.h"
#include "vzmigrate/live.h"
#include "vzmigrate/pages.h"
#include "vzmigrate/scripts.h"
#include "vzmigrate/staging.h"

/* Longer than the VE may take to stop, with what is done around it. */
#define SILENT_MARGIN_S 300

/* One on its way; all of it released by job_done(). */
struct job {
	const struct send *how;
	struct vz_ve ve;
	struct departure d;
	struct peer peer;
	char *conf; /* the text of its file */
	json_t *files; /* how its files lie, see base.h */
	bool moved; /* its files are where vz.conf puts them */
	char old[40]; /* an earlier migration that was undone; "": none */
	struct copy_size size;
	struct timespec since; /* all before that is in the copy */
	struct tree *then; /* what was there before the last pass; NULL: not known */
	bool channels; /* the destination can: see struct live */
	uint64_t early_head; /* pages_head_size() there */
	uint64_t memory; /* bytes that the VE has, when it goes live */
	char *to; /* where its files go, there */
	bool begun; /* the destination has begun: it is to be told if we give up */
};

static void job_done(struct job *j)
{
	peer_close(&j->peer);
	if (j->d.lock_fd >= 0)
		close(j->d.lock_fd);
	vz_ve_close(&j->ve);
	free(j->conf);
	json_decref(j->files);
	free(j->to);
	tree_free(j->then);
}

/* --- what there is --- */

static int lock(struct job *j, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *global = NULL;
	int r = vz_cfg_load_global(j->how->ctx, &global, err);

	if (r)
		return mig_recast(err, MIG_E_SYSTEM, r);
	r = vz_ve_lock_any(j->how->ctx, global, j->how->veid, &j->d.lock_fd, err);
	return r ? mig_recast(err, MIG_E_LOCKED, r) : 0;
}

/* An earlier one that is through but for the other node's knowing it is no obstacle. */
static int look_at_journals(struct job *j, struct vz_err *err)
{
	const struct vz_ctx *ctx = j->how->ctx;
	struct vz_journal was;
	int r;

	if (vz_journal_check(ctx, j->how->veid, err))
		return mig_recast(err, MIG_E_LOCKED, -EBUSY);
	r = vz_journal_load(ctx, j->how->veid, VZ_MIG_SOURCE, &was, err);
	if (r)
		return r == -ENOENT ? 0 : mig_recast(err, MIG_E_SYSTEM, r);
	j->d.j = was;
	j->d.found = true;
	r = departure_undo(&j->d, err);
	if (!r && !strcmp(was.peer, j->how->dest))
		strcpy(j->old, was.id);
	j->d.j = (struct vz_journal){ 0 };
	j->d.found = false;
	return r;
}

static bool same_path(const struct vz_cfg *a, const struct vz_cfg *b, enum vz_param_id id)
{
	const char *x = vz_cfg_str(a, id), *y = vz_cfg_str(b, id);

	return x && y && !strcmp(x, y);
}

/* Does vz.conf alone say where its files are? */
static int find_moved(struct job *j, struct vz_err *err)
{
	const struct vz_ctx *ctx = j->how->ctx;
	vz_autofree char *path = vz_strf("%s/vz.conf", ctx->confdir);
	vz_autoconf struct vz_conf *conf = NULL;
	vz_autocfg struct vz_cfg *base = NULL;
	int r = path ? vz_conf_load(ctx, path, &conf, err) : -ENOMEM;

	if (!r)
		r = vz_cfg_new(j->how->veid, &base);
	if (!r)
		r = vz_cfg_read(base, ctx, conf, true, 0, err);
	if (r)
		return r;
	j->moved = same_path(base, j->ve.cfg, VZ_P_VE_PRIVATE) &&
		   same_path(base, j->ve.cfg, VZ_P_VE_ROOT);
	return 0;
}

/* Its dump belongs to its files as they are, and to this node. */
static int check_not_suspended(const struct job *j, struct vz_err *err)
{
	vz_autofree char *path = vz_dumpdir_path(&j->ve, NULL);

	if (j->d.j.start || !path || !vz_dumpdir_is(path))
		return 0;
	return mig_fail(err, MIG_E_STOP, 0,
			"VE %u is suspended: resume it, or remove its dump %s",
			j->how->veid, path);
}

/* What lies beside the files does not go along, and is destroyed with the rest here. */
static int check_snapshots(const struct job *j, struct vz_err *err)
{
	size_t n = 0;
	int r = j->how->keep_source ? 0 : vz_snapshot_count_beside(&j->ve, &n, err);

	if (r)
		return mig_recast(err, MIG_E_SYSTEM, r);
	return n ? mig_fail(err, MIG_E_LAYOUT, 0,
			    "VE %u is of layout simfs and has %zu snapshots, which would "
			    "be lost: delete them, or keep all here (-r no)",
			    j->how->veid, n)
		 : 0;
}

static int read_ve(struct job *j, struct vz_err *err)
{
	const struct send *how = j->how;
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", how->ctx->confdir, how->veid);
	const char *private;
	size_t len;
	int r = vz_ve_open(how->ctx, how->veid, &j->ve, err);

	if (r)
		return mig_recast(
			err, err->status == VZ_E_NOCONF ? MIG_E_NOVE : MIG_E_SYSTEM, r);
	r = path ? vz_read_file(path, SCRIPT_MAX, &j->conf, &len) : -ENOMEM;
	if (r)
		return mig_fail(err, MIG_E_SYSTEM, -r, "can't read %s", path);
	private = vz_ve_private(&j->ve, err);
	if (!private || access(private, F_OK))
		return mig_fail(err, MIG_E_NOVE, ENOENT, "VE %u has no private area %s",
				how->veid, private ?: "");
	r = find_moved(j, err);
	if (r)
		return mig_recast(err, MIG_E_SYSTEM, r);
	j->d.j.start = vz_state_running(how->ctx, how->veid) == 1;
	r = check_not_suspended(j, err);
	if (r)
		return r;
	j->files = base_describe(&j->ve, err);
	if (!j->files)
		return -EINVAL;
	r = check_snapshots(j, err);
	if (r)
		return r;
	return copy_measure(private, &j->size, err);
}

static void make_id(char id[40])
{
	unsigned char r[16];
	ssize_t n = getrandom(r, sizeof(r), 0);

	for (size_t i = 0; n == sizeof(r) && i < sizeof(r); i++)
		snprintf(id + 2 * i, 3, "%02x", r[i]);
}

/* --- checks --- */

static bool has_kind(const char *list, const char *kind)
{
	vz_autostrv struct vz_strv words = { 0 };

	if (!list || !*kind || vz_strv_split(&words, list, ","))
		return false;
	return vz_strv_has(&words, "all") || vz_strv_has(&words, kind);
}

/* All are shown; the first that counts decides the status. */
static int judge(struct job *j, const json_t *problems, struct vz_err *err)
{
	const json_t *p;
	int r = 0;
	size_t i;

	if (!json_is_array(problems))
		return mig_fail(err, MIG_E_CONNECT, 0, "%s sends no problems",
				j->peer.dest);
	json_array_foreach(problems, i, p)
	{
		const char *kind, *text;
		uint64_t code;
		int q = wire_text(p, "kind", 32, &kind, err);

		if (!q)
			q = wire_text(p, "text", 900, &text, err);
		if (!q)
			q = wire_num(p, "code", MIG_E__END - 1, &code, err);
		if (q)
			return q;
		if (has_kind(j->how->nodeps, kind))
			report_say(j->how->report, "%s: %s (goes on for --nodeps)",
				   j->peer.dest, text);
		else if (!r)
			r = mig_fail(err, code ? (int)code : MIG_E_SYSTEM, 0,
				     "%s: %s%s%s%s", j->peer.dest, text,
				     *kind ? " (--nodeps=" : "", kind, *kind ? ")" : "");
		else
			report_say(j->how->report, "%s: %s", j->peer.dest, text);
	}
	return r;
}

static int check(struct job *j, struct vz_err *err)
{
	autojson json_t *answer = NULL;
	json_t *facts = facts_read(j->how->ctx, err);
	uint64_t limits;
	int r;

	if (!facts)
		return -ENOMEM;
	r = limits_count(&j->ve, &limits, err);
	if (r) {
		json_decref(facts);
		return r;
	}
	r = peer_call(&j->peer,
		      json_pack("{s:s, s:I, s:o, s:b, s:b, s:b, s:I, s:I, s:I, s:o, s:O}",
				"op", "check", "veid", (json_int_t)j->how->veid, "conf",
				wire_hex(j->conf, strlen(j->conf)), "moved", j->moved,
				"live", j->how->live, "start", j->d.j.start, "bytes",
				(json_int_t)j->size.bytes, "inodes",
				(json_int_t)j->size.inodes, "limits", (json_int_t)limits,
				"facts", facts, "files", j->files),
		      PEER_SHORT_MS, &answer, err);
	return r ? r : judge(j, json_object_get(answer, "problems"), err);
}

/* Whether its processes can be written down, and made again there. */
static int check_processes(struct job *j, struct vz_err *err)
{
	vz_autoobstacles struct vz_obstacles l = { 0 };
	bool goes_on = has_kind(j->how->nodeps, "processes");
	char first[VZ_OBSTACLE_LINE];
	int r = vz_oracle_ask(&j->ve, &l, err);

	if (r)
		return mig_recast(err, MIG_E_STOP, r);
	for (size_t i = 0; i < l.n; i++)
		report_obstacle(j->how->report, &l.v[i]);
	if (l.n && goes_on)
		report_say(j->how->report, "(goes on for --nodeps)");
	if (!l.n || goes_on)
		return 0;
	vz_obstacle_line(&l.v[0], first);
	return mig_fail(err, MIG_E_STOP, 0,
			"VE %u can't go live: %s (--nodeps=processes)", j->how->veid,
			first);
}

/* Both sides' checks; the destination's word comes first. */
static int check_both(struct job *j, struct vz_err *err)
{
	struct vz_err here = { 0 };
	int r = check(j, err), q = j->how->live ? check_processes(j, &here) : 0;

	if (r || !q)
		return r;
	*err = here;
	return q;
}

/* --- the steps --- */

/* What its processes have of it and more, bytes; 0: not known, or none goes along. */
static uint64_t memory_of(const struct job *j)
{
	const struct vz_ctx *ctx = j->how->ctx;
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host };
	uint64_t bytes = 0;
	struct vz_state st;

	if (!j->how->live || vz_state_load(ctx, j->how->veid, &st, NULL) ||
	    vz_cg_probe(ctx, &host, NULL))
		return 0;
	snprintf(cg.name, sizeof(cg.name), "%s", st.cgroup);
	if (vz_cg_read_u64(&cg, VZ_CG_MEMORY,
			   vz_cg_is_v2(&host, VZ_CG_MEMORY) ? "memory.current"
							    : "memory.usage_in_bytes",
			   &bytes))
		return 0;
	return bytes;
}

static int begin(struct job *j, struct vz_err *err)
{
	/* Longer than what may take longest with no word between. */
	json_int_t silent = vz_cfg_u64(j->ve.cfg, VZ_P_STOP_TIMEOUT);
	autojson json_t *answer = NULL;
	json_t *scripts = scripts_pack(j->how->ctx, j->how->veid, err);
	const char *root;
	int r;

	if (!scripts)
		return -ENOMEM;
	j->memory = memory_of(j);
	r = peer_call(
		&j->peer,
		json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:b, s:b, s:b, s:b, s:I, s:I, "
			  "s:O}",
			  "op", "begin", "veid", (json_int_t)j->how->veid, "id",
			  j->d.j.id, "old", j->old, "conf",
			  wire_hex(j->conf, strlen(j->conf)), "scripts", scripts, "moved",
			  j->moved, "start", j->d.j.start, "keep", j->how->keep_dest,
			  "live", j->how->live, "memory", (json_int_t)j->memory, "silent",
			  silent + SILENT_MARGIN_S, "files", j->files),
		PEER_LONG_MS, &answer, err);
	if (r)
		return r;
	j->begun = true;
	r = wire_text(answer, "root", 4096, &root, err);
	if (!r && *root != '/')
		r = mig_fail(err, MIG_E_CONNECT, 0, "%s sends no place for the files",
			     j->peer.dest);
	if (!r)
		r = wire_flag(answer, "channel", &j->channels, err);
	if (!r)
		r = wire_num(answer, "early", 64, &j->early_head, err);
	j->to = r ? NULL : strdup(root);
	return r ? r : j->to ? 0 : mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't go on");
}

static int stop(struct job *j, struct vz_err *err)
{
	static const struct vz_stop how = { .migrating = true };
	int r = departure_save(&j->d, VZ_MIG_STOPPING, err);

	if (!r)
		r = vz_ve_stop(&j->ve, &how, err) ? mig_recast(err, MIG_E_STOP, -EIO) : 0;
	return r;
}

/* Ctrl-C counts between the steps, as long as it can be undone. */
static int struck(struct vz_err *err)
{
	if (!vz_hold_struck())
		return 0;
	mig_fail(err, MIG_E_SYSTEM, EINTR, "given up");
	return -EINTR;
}

/*
 * What has changed during that is less, and faster to copy; so that in the end there is
 * only what changes during this. What a pass could not read the last one is to look for.
 */
static int copy_again(struct job *j, const struct copy *c, const struct timespec *since,
		      struct vz_err *err)
{
	int left = 0, r = copy_settle(c->private, &j->since, err);

	if (!r)
		r = tree_read(c->private, &j->then, err);
	if (!r)
		r = left = copy_pass(c, true, err);
	if (r >= 0)
		r = copy_changed(c, since, true, err);
	if (left <= 0 && r <= 0)
		return r;
	j->since = *since;
	tree_free(vz_take(j->then));
	return 0;
}

static int copy_files(struct job *j, struct vz_err *err)
{
	struct report *rep = j->how->report;
	struct copy c = { .peer = &j->peer,
			  .private = vz_ve_private(&j->ve, NULL),
			  .to = j->to,
			  .rsync_opts = j->how->rsync_opts,
			  .progress = report_progress,
			  .progress_data = rep };
	bool running = j->d.j.start || vz_ve_mounted(&j->ve) == 1;
	struct timespec since = { 0 };
	int r;

	rep->total = j->size.bytes;
	report_phase(rep, PHASE_COPY);
	r = running ? copy_settle(c.private, &since, err) : 0;
	if (!r)
		r = copy_pass(&c, running, err);
	if (r >= 0 && struck(err))
		r = -EINTR;
	if (r < 0 || !running)
		return r;
	if (j->how->live)
		return copy_again(j, &c, &since, err);
	report_phase(rep, PHASE_STOP);
	r = stop(j, err);
	if (r)
		return r;
	report_phase(rep, PHASE_COPY_LAST);
	r = copy_pass(&c, false, err);
	return r ? r : copy_changed(&c, &since, false, err);
}

/* What the journal has to say for who finds it. */
static int describe(struct job *j, struct vz_err *err)
{
	const char *ssh = j->how->ssh_opts ?: "";
	struct vz_journal *to = &j->d.j;

	if (strlen(j->how->dest) >= sizeof(to->peer) || strlen(ssh) >= sizeof(to->ssh))
		return mig_fail(err, MIG_E_USAGE, 0, "DESTINATION or --ssh is too long");
	make_id(to->id);
	strcpy(to->peer, j->how->dest);
	strcpy(to->ssh, ssh);
	to->keep = j->how->keep_source;
	to->live = j->how->live;
	return 0;
}

/* All that can be undone. */
static int move_over(struct job *j, struct vz_err *err)
{
	struct report *rep = j->how->report;
	int r;

	r = describe(j, err);
	if (!r)
		r = departure_save(&j->d, VZ_MIG_COPYING, err);
	if (r)
		return r;
	report_phase(rep, PHASE_BEGIN);
	r = begin(j, err);
	if (!r)
		r = copy_files(j, err);
	/* They do not change any more: the VE is down, or shows none to its root. */
	if (!r)
		r = limits_send(&j->ve, &j->peer, err);
	if (!r && !j->how->live) {
		report_phase(rep, PHASE_PREPARE);
		r = peer_call(&j->peer, json_pack("{s:s}", "op", "prepare"), PEER_LONG_MS,
			      NULL, err);
	}
	return r ? r : struck(err);
}

static int undo(struct job *j, int r, struct vz_err *err)
{
	struct vz_err why = { 0 };

	report_say(j->how->report, "Undoing the migration");
	if (!j->begun)
		j->d.peer = NULL;
	if (departure_undo(&j->d, &why)) {
		vz_err_prefix(&why, "%s", err->text);
		*err = why;
	} else if (!j->begun) {
		vz_journal_remove(j->how->ctx, j->how->veid, VZ_MIG_SOURCE, &why);
	}
	return r;
}

static int clear(struct job *j, struct vz_err *err)
{
	int r;

	report_phase(j->how->report, PHASE_CLEAR);
	r = departure_clear(&j->d, err);
	if (r)
		vz_err_prefix(err,
			      "VE %u is on %s now; what is left of it here goes by "
			      "`vzmigrate --recover %u`",
			      j->how->veid, j->peer.dest, j->how->veid);
	return r;
}

static int hand_over(struct job *j, struct vz_err *err)
{
	int r;

	report_phase(j->how->report, PHASE_START);
	r = departure_save(&j->d, VZ_MIG_HANDED, err);
	if (r)
		return undo(j, r, err);
	r = departure_finish(&j->d, err);
	if (r == -EREMOTEIO || r == -EAGAIN)
		return r;
	if (r) {
		vz_err_prefix(err,
			      "VE %u is %s's now; `vzmigrate --recover %u` finishes that",
			      j->how->veid, j->peer.dest, j->how->veid);
		return r;
	}
	return clear(j, err);
}

static void live_phase(void *data, enum phase phase)
{
	report_phase(data, phase);
}

/*
 * Of what is sent early a copy is kept: not more than the destination has set room
 * aside for, and than half of what is free here.
 */
static uint64_t early_max(const struct job *j)
{
	uint64_t most = staging_free_memory() / 2;

	return j->memory < most ? j->memory : most;
}

/* As both nodes' criu have it; 0: nothing goes early. */
static size_t early_head(const struct job *j)
{
	struct vz_criu criu;
	size_t size;

	if (j->how->no_precopy || !j->early_head ||
	    vz_criu_find(j->how->ctx, vz_cfg_str(j->ve.cfg, VZ_P_CRIU), &criu, NULL))
		return 0;
	size = pages_head_size(criu.version);
	return size == j->early_head ? size : 0;
}

static int go_live(struct job *j, struct vz_err *err)
{
	struct live live = { .ve = &j->ve,
			     .d = &j->d,
			     .copy = { .peer = &j->peer,
				       .private = vz_ve_private(&j->ve, NULL),
				       .to = j->to,
				       .rsync_opts = j->how->rsync_opts },
			     .since = j->since,
			     .then = j->then,
			     .channels = j->channels,
			     .early_head = early_head(j),
			     .early_max = early_max(j),
			     .phase = live_phase,
			     .phase_data = j->how->report };
	int r = live_move(&live, err);

	/* Nothing that was decided: ours it stays. */
	if (r && (j->d.j.state == VZ_MIG_COPYING || j->d.j.state == VZ_MIG_STOPPING))
		return undo(j, r, err);
	if (j->d.j.state != VZ_MIG_CLEARING)
		return r;
	/* Should it not have ended here in good order, that is the first to be cleared. */
	vz_err_clear(err);
	return clear(j, err);
}

static int steps(struct job *j, struct vz_err *err)
{
	const struct send *how = j->how;
	int r = lock(j, err);

	if (!r)
		r = look_at_journals(j, err);
	if (!r)
		r = read_ve(j, err);
	if (r)
		return r;
	if (how->live && !j->d.j.start)
		return mig_fail(err, MIG_E_STOPPED, 0,
				"VE %u does not run: migrate it without --live",
				how->veid);
	if (how->live && vz_dump_check(&j->ve, err))
		return mig_recast(err, MIG_E_STOP, -EOPNOTSUPP);
	report_phase(how->report, PHASE_CONNECT);
	r = peer_open(how->ctx, how->dest, how->ssh_opts, &j->peer, err);
	if (r)
		return r;
	j->d.peer = &j->peer;
	report_phase(how->report, PHASE_CHECK);
	r = check_both(j, err);
	if (!r)
		r = struck(err);
	if (!r && how->check_only)
		report_say(how->report, "VE %u can go %sto %s", how->veid,
			   how->live ? "live " : "", how->dest);
	if (r || how->check_only)
		return r;
	r = move_over(j, err);
	if (r)
		return undo(j, r, err);
	return how->live ? go_live(j, err) : hand_over(j, err);
}

int send_ve(const struct send *how, struct vz_err *err)
{
	vz_autohold struct vz_hold hold;
	VZ_CLEANUP(job_done)
	struct job j = { .how = how, .peer = PEER_NONE };

	j.d = (struct departure){
		.ctx = how->ctx, .veid = how->veid, .lock_fd = -1, .peer = NULL
	};
	vz_hold_begin(&hold);
	return steps(&j, err);
}
