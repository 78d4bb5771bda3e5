/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl set: new values of parameters, in the running VE and in its file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "res/vepool.h"
#include "ve/apply.h"
#include "ve/image.h"
#include "ve/life.h"
#include "ve/macs.h"
#include "ve/name.h"
#include "ve/password.h"
#include "ve/save.h"
#include "ve/state.h"
#include "vzctl/cmds.h"

enum {
	OPT_SAVE,
	OPT_FORCE,
	OPT_SETMODE,
	OPT_RESET_UB,
	OPT_APPLYCONFIG,
	OPT_APPLYCONFIG_MAP,
	OPT_USERPASSWD,
	OPT_OFFLINE_RESIZE,
	OPT__COUNT,
};

static const struct vz_opt options[] = {
	[OPT_SAVE] = { "save", 0, NULL, "write the values into the VE's file, too" },
	[OPT_FORCE] = { "force", 0, NULL, "save even what can't be applied now" },
	[OPT_SETMODE] = { "setmode", 0, "restart|ignore",
			  "what to do about values that count from a start only" },
	[OPT_RESET_UB] = { "reset_ub", 0, NULL,
			   "apply the beancounters that the VE's file has" },
	[OPT_APPLYCONFIG] = { "applyconfig", 0, "SAMPLE",
			      "take all values of conf/ve-SAMPLE.conf-sample" },
	[OPT_APPLYCONFIG_MAP] = { "applyconfig_map", 0, "name",
				  "make the link of the name that the VE's file has" },
	[OPT_USERPASSWD] = { "userpasswd", 0, "USER:PASSWORD|-",
			     "set a password inside the VE, now; -: read them from "
			     "standard input" },
	[OPT_OFFLINE_RESIZE] = { "offline-resize", 0, NULL,
				 "resize an image (layout ploop) only when it is not "
				 "mounted" },
	{ 0 },
};

enum setmode {
	SETMODE_WARN,
	SETMODE_RESTART,
	SETMODE_IGNORE,
};

/* One run of the command. */
struct set {
	struct vz_inv *inv;
	struct vz_ve *ve;
	const char *opt[OPT__COUNT];
	char *password; /* of --userpasswd, taken away from the arguments */
	struct vz_changes changes;
	enum setmode setmode;
	bool running;
	bool restart; /* something waits for a start */
	struct vz_cfg *saved; /* what the VE's file will say */
	struct vz_cfg *was, *will; /* in force in the running VE, and then */
};

static void set_done(struct set *s)
{
	if (s->password)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
	vz_changes_done(&s->changes);
	vz_cfg_free(s->saved);
	vz_cfg_free(s->was);
	vz_cfg_free(s->will);
}

static int syntax(struct set *s, const char *text)
{
	return vz_err_set(s->inv->err, VZ_E_SYNTAX, 0, "%s", text);
}

static int parse_setmode(struct set *s)
{
	const char *mode = s->opt[OPT_SETMODE];

	if (!mode)
		return 0;
	if (!strcmp(mode, "restart"))
		s->setmode = SETMODE_RESTART;
	else if (!strcmp(mode, "ignore"))
		s->setmode = SETMODE_IGNORE;
	else
		return vz_err_set(s->inv->err, VZ_E_VALUE, 0,
				  "--setmode \"%s\": expected restart or ignore", mode);
	return 0;
}

/* Options that make no sense without, or with, another. */
static int check_options(struct set *s)
{
	const char *map = s->opt[OPT_APPLYCONFIG_MAP];
	size_t others = s->changes.n + !!s->opt[OPT_APPLYCONFIG] + !!map +
			!!s->opt[OPT_USERPASSWD];

	if (s->opt[OPT_RESET_UB])
		return others || s->opt[OPT_SAVE]
			       ? syntax(s, "--reset_ub goes with no other option")
			       : 0;
	if (!others)
		return vz_err_set(s->inv->err, VZ_E_NOPARAM, 0,
				  "nothing to set: see vzctl(8) for the parameters");
	if (map && strcmp(map, "name"))
		return vz_err_set(s->inv->err, VZ_E_VALUE, 0,
				  "--applyconfig_map \"%s\": expected name", map);
	if (s->opt[OPT_FORCE] && !s->opt[OPT_SAVE])
		return syntax(s, "--force needs --save");
	for (size_t i = 0; i < s->changes.n; i++)
		if (!s->opt[OPT_SAVE] &&
		    vz_params[s->changes.v[i].id].flags & VZ_PF_SAVE_ONLY)
			return vz_err_set(s->inv->err, VZ_E_SYNTAX, 0,
					  "--%s needs --save", s->changes.v[i].opt->name);
	return 0;
}

/*
 * Each user of the node may read a command's arguments: the password is taken
 * away from there at once, or comes from standard input in the first place.
 */
static int take_password(struct set *s)
{
	const char *given = s->opt[OPT_USERPASSWD];
	size_t size = 0;
	ssize_t n;

	if (!given)
		return 0;
	if (strcmp(given, "-")) {
		s->password = strdup(given);
		memset((char *)given, 'x', strlen(given));
	} else {
		n = getline(&s->password, &size, stdin);
		if (n > 0 && s->password[n - 1] == '\n')
			s->password[n - 1] = 0;
		/* Of what it left then nothing is said, not even where it ends. */
		if (n < 0)
			free(vz_take(s->password));
		if (n < 0)
			return vz_err_set(s->inv->err, VZ_E_VALUE, 0,
					  "--userpasswd -: expected USER:PASSWORD in a "
					  "line of standard input");
	}
	return s->password
		       ? 0
		       : vz_err_set(s->inv->err, VZ_E_RESOURCES, ENOMEM, "--userpasswd");
}

static int parse(struct set *s)
{
	struct vz_opt_parse how = {
		.own = options,
		.ret_values = s->opt,
		.params = VZ_OPT_SET,
		.changes = &s->changes,
	};
	int r = vz_opt_parse(&how, s->inv->argc, s->inv->argv, s->inv->err);

	if (!r)
		r = take_password(s);
	if (!r)
		r = parse_setmode(s);
	return r ? r : check_options(s);
}

/* All of a sample but what makes the VE the one that it is. */
static int take_sample(struct set *s, struct vz_cfg *cfg)
{
	vz_autocfg struct vz_cfg *sample = NULL;
	int r = vz_cfg_load_sample(s->inv->ctx, s->opt[OPT_APPLYCONFIG], s->ve->id,
				   &sample, s->inv->err);

	if (r) {
		s->inv->err->status = VZ_E_APPLYCONFIG;
		return r;
	}
	for (int i = 0; !r && i < VZ_P__COUNT; i++) {
		vz_autofree char *text = NULL;

		if (!vz_cfg_own(sample, i) || vz_params[i].flags & VZ_PF_CONFIG_MAP)
			continue;
		text = vz_cfg_text(sample, i);
		r = text ? vz_cfg_set(cfg, i, text, s->inv->err) : -ENOMEM;
	}
	return r;
}

static int change(struct set *s, const struct vz_cfg *from, struct vz_cfg **ret)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r = vz_cfg_copy(from, &cfg);

	if (r)
		return vz_err_set(s->inv->err, VZ_E_RESOURCES, -r, "can't set");
	if (s->opt[OPT_APPLYCONFIG])
		r = take_sample(s, cfg);
	if (!r)
		r = vz_cfg_change(cfg, &s->changes, s->inv->err);
	if (!r)
		r = vz_cfg_check(cfg, s->inv->err);
	if (!r)
		*ret = vz_take(cfg);
	return r;
}

static int check_name(struct set *s)
{
	const char *name = vz_cfg_str(s->saved, VZ_P_NAME);

	if (!name || !*name || vz_cfg_same(s->saved, s->ve->cfg, VZ_P_NAME))
		return 0;
	return vz_name_check(s->inv->ctx, s->ve->id, name, s->inv->err);
}

/* A pool need not be there for a file that is written by hand; here it must. */
static int check_pool(struct set *s)
{
	if (vz_cfg_same(s->saved, s->ve->cfg, VZ_P_POOL))
		return 0;
	return vz_vepool_check(s->inv->ctx, s->saved, s->inv->err);
}

/* The files of a running VE can't be put elsewhere. */
static int check_paths(struct set *s)
{
	static const enum vz_param_id paths[] = { VZ_P_VE_ROOT, VZ_P_VE_PRIVATE };

	for (size_t i = 0; s->running && i < VZ_ARRAY_SIZE(paths); i++)
		if (!vz_cfg_same(s->saved, s->ve->cfg, paths[i]))
			return vz_err_set(s->inv->err, VZ_E_RUNNING, 0,
					  "VE %u is running: %s can't be changed",
					  s->ve->id, vz_params[paths[i]].key);
	return 0;
}

static int prepare(struct set *s)
{
	const bool save = s->opt[OPT_SAVE] || !s->running;
	int r;

	/* What is not saved may be about what is in force only. */
	if (save)
		r = change(s, s->ve->cfg, &s->saved);
	else if ((r = vz_cfg_copy(s->ve->cfg, &s->saved)))
		vz_err_set(s->inv->err, VZ_E_RESOURCES, -r, "can't set");
	if (!r)
		r = check_name(s);
	if (!r)
		r = check_pool(s);
	if (!r)
		r = check_paths(s);
	if (!r && s->running)
		r = vz_apply_in_force(s->ve, &s->was, s->inv->err);
	if (!r && s->running)
		r = change(s, s->was, &s->will);
	/* The same ones for what is saved and what is in force. */
	if (!r && save)
		r = vz_macs_fill(s->inv->ctx, s->ve->id, s->saved,
				 s->running ? s->was : s->ve->cfg, NULL, s->inv->err);
	if (!r && s->running)
		r = vz_macs_fill(s->inv->ctx, s->ve->id, s->will,
				 save ? s->saved : s->was, NULL, s->inv->err);
	return r;
}

/* The groups that the command line is about, whether their values differ or not. */
static uint32_t named_groups(const struct set *s)
{
	uint32_t groups = vz_apply_groups(s->was, s->will);

	for (size_t i = 0; i < s->changes.n; i++)
		groups |= VZ_LIVE_BIT(vz_params[s->changes.v[i].id].live);
	return groups;
}

/* Names of the parameters that change and for which `note` is said. */
static char *noted(const struct set *s, const char *note)
{
	vz_autostr struct vz_str b = { 0 };

	for (int i = 0; i < VZ_P__COUNT; i++) {
		const char *said = vz_apply_note(vz_params[i].live);

		if (!said || strcmp(said, note) || vz_cfg_same(s->was, s->will, i))
			continue;
		vz_str_addf(&b, "%s%s", b.len ? ", " : "", vz_params[i].key);
	}
	return vz_str_steal(&b);
}

/* Say once for each kind what does not take effect in the running VE. */
static void say_notes(struct set *s)
{
	const char *restart = vz_apply_note(VZ_LIVE_RESTART);

	for (int g = VZ_LIVE_NONE; g < VZ_LIVE__COUNT; g++) {
		const char *note = vz_apply_note(g);
		vz_autofree char *names = NULL;
		bool again = g == VZ_LIVE_NONE && s->opt[OPT_SAVE];

		for (int h = VZ_LIVE_NONE; note && h < g; h++)
			again |= vz_apply_note(h) && !strcmp(vz_apply_note(h), note);
		names = note && !again ? noted(s, note) : NULL;
		if (!names || !*names)
			continue;
		if (strcmp(note, restart)) {
			vz_warn(s->inv->ctx, "VE %u: %s %s", s->ve->id, names, note);
			continue;
		}
		s->restart = true;
		if (s->setmode == SETMODE_WARN)
			vz_warn(s->inv->ctx,
				"VE %u is running: %s %s (--setmode restart)", s->ve->id,
				names, note);
	}
}

/* With --force, what can't be applied is still saved. */
static int apply(struct set *s)
{
	int r;

	if (!s->running)
		return 0;
	r = vz_apply(s->ve, named_groups(s), s->was, s->will, s->inv->err);
	if (r && s->opt[OPT_FORCE]) {
		vz_warn(s->inv->ctx, "%s; saved all the same", s->inv->err->text);
		vz_err_clear(s->inv->err);
		r = 0;
	}
	if (!r)
		say_notes(s);
	return r;
}

/* The size of an image is no matter of running: it is done now, or not at all. */
static int resize_image(struct set *s)
{
	const struct vz_cfg *new = s->running ? s->will : s->saved;
	const struct vz_cfg *old = s->running ? s->was : s->ve->cfg;
	bool named = false;
	int r;

	for (size_t i = 0; i < s->changes.n; i++)
		named |= s->changes.v[i].id == VZ_P_DISKSPACE;
	if (!s->ve->id || (!named && vz_cfg_same(old, new, VZ_P_DISKSPACE)))
		return 0;
	r = vz_image_resize(s->ve, new, s->opt[OPT_OFFLINE_RESIZE], s->inv->err);
	if (r && s->opt[OPT_FORCE]) {
		vz_warn(s->inv->ctx, "%s; saved all the same", s->inv->err->text);
		vz_err_clear(s->inv->err);
		r = 0;
	}
	return r;
}

static int save(struct set *s)
{
	unsigned int changed;
	int r;

	if (!s->opt[OPT_SAVE])
		return 0;
	r = vz_ve_save(s->inv->ctx, s->ve->id, s->ve->cfg, s->saved, &changed,
		       s->inv->err);
	if (!r && changed)
		vz_info(s->inv->ctx, "VE configuration saved to %s/conf/%u.conf",
			s->inv->ctx->confdir, s->ve->id);
	return r;
}

/* What is in force is never left ahead of a save that failed. */
static int apply_and_save(struct set *s)
{
	int r = apply(s);

	if (r)
		return r;
	r = resize_image(s);
	if (!r)
		r = save(s);
	if (r && s->running)
		vz_apply(s->ve, named_groups(s), s->will, s->was, NULL);
	if (!r && s->running)
		r = vz_apply_remember(s->ve, s->opt[OPT_SAVE] ? s->saved : s->ve->cfg,
				      s->will, s->inv->err);
	return r;
}

static int restart(struct set *s)
{
	struct vz_inv *inv = s->inv;
	int r;

	vz_info(inv->ctx, "Restarting VE %u", s->ve->id);
	r = vz_ve_stop(s->ve, &(struct vz_stop){ 0 }, inv->err);
	if (r)
		return r;
	vz_ve_close(s->ve);
	r = vz_ve_open(inv->ctx, inv->veid, s->ve, inv->err);
	return r ? r
		 : vz_ve_start(s->ve, &(struct vz_start){ .lock_fd = inv->lock_fd },
			       inv->err);
}

/* The beancounters as the VE's file has them, whatever was set since. */
static int reset_ub(struct set *s)
{
	const uint32_t groups = VZ_LIVE_BIT(VZ_LIVE_MEMORY) |
				VZ_LIVE_BIT(VZ_LIVE_NUMPROC) | VZ_LIVE_BIT(VZ_LIVE_UBC);
	int r;

	if (!s->running)
		return vz_err_set(s->inv->err, VZ_E_NOTRUNNING, 0, "VE %u is not running",
				  s->ve->id);
	r = vz_apply_in_force(s->ve, &s->was, s->inv->err);
	if (!r)
		r = vz_cfg_copy(s->was, &s->will);
	for (int i = 0; !r && i < VZ_P__COUNT; i++) {
		vz_autofree char *text = NULL;

		if (!(groups & VZ_LIVE_BIT(vz_params[i].live)))
			continue;
		text = vz_cfg_own(s->ve->cfg, i) ? vz_cfg_text(s->ve->cfg, i) : NULL;
		r = vz_cfg_set(s->will, i, text, s->inv->err);
	}
	if (!r)
		r = vz_apply(s->ve, groups, s->was, s->will, s->inv->err);
	return r ? r : vz_apply_remember(s->ve, s->ve->cfg, s->will, s->inv->err);
}

static int set_all(struct set *s)
{
	const char *name = vz_cfg_str(s->ve->cfg, VZ_P_NAME);
	bool others = s->changes.n || s->opt[OPT_APPLYCONFIG];
	int r;

	if (s->opt[OPT_APPLYCONFIG_MAP] && name && *name) {
		r = vz_name_check(s->inv->ctx, s->ve->id, name, s->inv->err);
		if (!r)
			r = vz_name_move(s->inv->ctx, s->ve->id, NULL, name, s->inv->err);
		if (r)
			return r;
	}
	r = others ? prepare(s) : 0;
	if (!r && others && !s->running && !s->opt[OPT_SAVE])
		r = vz_err_set(s->inv->err, VZ_E_NOTRUNNING, 0,
			       "VE %u is not running: without --save nothing is set",
			       s->ve->id);
	if (!r && s->opt[OPT_USERPASSWD])
		r = vz_ve_password(s->ve, s->password, s->inv->err);
	if (!r && others)
		r = apply_and_save(s);
	if (!r && s->restart && s->setmode == SETMODE_RESTART)
		r = restart(s);
	return r;
}

static int run(struct vz_inv *inv)
{
	VZ_CLEANUP(set_done) struct set s = { .inv = inv, .ve = &inv->ve };
	int r = parse(&s);

	if (r)
		return inv->err->status;
	r = inv->veid ? vz_state_running(inv->ctx, inv->veid) : 0;
	if (r < 0)
		return vz_err_set(inv->err, VZ_E_SYSTEM, -r,
				  "can't tell whether VE %u runs", inv->veid),
		       VZ_E_SYSTEM;
	s.running = r;
	r = s.opt[OPT_RESET_UB] ? reset_ub(&s) : set_all(&s);
	return r ? inv->err->status : VZ_OK;
}

const struct vz_cmd vz_cmd_set = {
	.name = "set",
	.args = "VEID --PARAMETER VALUE ... [--save] [--setmode restart|ignore]",
	.help = "set parameters of a VE",
	.flags = VZ_CMD_LOCK | VZ_CMD_VE0,
	.opts = options,
	.params = VZ_OPT_SET,
	.run = run,
};
