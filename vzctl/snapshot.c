/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl snapshot and snapshot-*: take, go back to, delete, look into. */
#include <errno.h>
#include <string.h>

#include "sys/criu.h"
#include "tool/progress.h"
#include "ve/life.h"
#include "ve/mount.h"
#include "ve/postcreate.h"
#include "ve/restore.h"
#include "ve/snapshot.h"
#include "ve/state.h"
#include "vzctl/cmds.h"

static int parse_id(struct vz_inv *inv, const char *word, char uuid[VZ_UUID_SIZE])
{
	if (!word)
		return vz_err_set(inv->err, VZ_E_NOPARAM, 0,
				  "no snapshot: say --id UUID (vzctl snapshot-list)");
	if (vz_uuid_parse(word, uuid))
		return vz_err_set(inv->err, VZ_E_VALUE, 0,
				  "bad UUID '%s': expected "
				  "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}",
				  word);
	return 0;
}

/* --- snapshot --- */

enum {
	TAKE_ID,
	TAKE_NAME,
	TAKE_DESCRIPTION,
	TAKE_SKIP_SUSPEND,
	TAKE_SKIP_CONFIG,
	TAKE__COUNT
};

static const struct vz_opt take_options[] = {
	[TAKE_ID] = { "id", 0, "UUID", "its UUID, instead of a new one" },
	[TAKE_NAME] = { "name", 0, "NAME", "a name for lists" },
	[TAKE_DESCRIPTION] = { "description", 0, "TEXT", "a description" },
	[TAKE_SKIP_SUSPEND] = { "skip-suspend", 0, NULL,
				"without the memory of a running VE" },
	[TAKE_SKIP_CONFIG] = { "skip-config", 0, NULL, "without the VE's configuration" },
	{ 0 },
};

static int check_text(struct vz_inv *inv, const char *option, const char *text)
{
	for (const char *p = text; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == '"')
			return vz_err_set(inv->err, VZ_E_VALUE, 0,
					  "bad --%s: expected one line without quotes",
					  option);
	return 0;
}

/* A node without criu has snapshots of files, and says so. */
static bool can_take_memory(struct vz_inv *inv)
{
	struct vz_err why = { 0 };
	struct vz_criu criu;

	if (vz_state_running(inv->ctx, inv->veid) != 1 ||
	    !vz_criu_find(inv->ctx, vz_cfg_str(inv->ve.cfg, VZ_P_CRIU), &criu, &why))
		return true;
	vz_warn(inv->ctx,
		"the snapshot is of VE %u's files, not of its memory (--skip-suspend): "
		"%s",
		inv->veid, why.text);
	return false;
}

static int run_take(struct vz_inv *inv)
{
	const char *opt[TAKE__COUNT] = { 0 };
	struct vz_opt_parse parse = { .own = take_options, .ret_values = opt };
	char uuid[VZ_UUID_SIZE], made[VZ_UUID_SIZE];
	struct vz_progress bar;
	struct vz_snapshot_how how = { .progress = vz_progress_update,
				       .progress_data = &bar };
	int r = vz_opt_parse(&parse, inv->argc, inv->argv, inv->err);

	if (!r && opt[TAKE_ID])
		r = parse_id(inv, opt[TAKE_ID], uuid);
	if (!r)
		r = check_text(inv, "name", opt[TAKE_NAME]);
	if (!r)
		r = check_text(inv, "description", opt[TAKE_DESCRIPTION]);
	if (r)
		return inv->err->status;
	how.memory = !opt[TAKE_SKIP_SUSPEND] && can_take_memory(inv);
	how.uuid = opt[TAKE_ID] ? uuid : NULL;
	how.name = opt[TAKE_NAME];
	how.description = opt[TAKE_DESCRIPTION];
	how.skip_config = opt[TAKE_SKIP_CONFIG] != NULL;
	vz_progress_start(&bar, inv->quiet);
	r = vz_postcreate_settle(&inv->ve, inv->lock_fd, inv->err);
	if (!r)
		r = vz_snapshot_take(&inv->ve, &how, made, inv->err);
	vz_progress_end(&bar);
	if (r)
		return inv->err->status;
	vz_info(inv->ctx, "Snapshot {%s} was created", made);
	return 0;
}

const struct vz_cmd vz_cmd_snapshot = {
	.name = "snapshot",
	.args = "VEID [--id UUID] [--name NAME] [--description TEXT] [--skip-suspend] "
		"[--skip-config]",
	.help = "keep a VE's files, memory and configuration as they are now",
	.flags = VZ_CMD_LOCK,
	.opts = take_options,
	.run = run_take,
};

/* --- snapshot-switch --- */

enum {
	SWITCH_ID,
	SWITCH_SKIP_RESUME,
	SWITCH_MUST_RESUME,
	SWITCH_SKIP_CONFIG,
	SWITCH__COUNT
};

static const struct vz_opt switch_options[] = {
	[SWITCH_ID] = { "id", 0, "UUID", "which one" },
	[SWITCH_SKIP_RESUME] = { "skip-resume", 0, NULL,
				 "leave the VE stopped, whatever it did then" },
	[SWITCH_MUST_RESUME] = { "must-resume", 0, NULL,
				 "fail when the snapshot has no memory" },
	[SWITCH_SKIP_CONFIG] = { "skip-config", 0, NULL,
				 "leave the configuration as it is" },
	{ 0 },
};

/* What it does now is lost in any case. */
static int bring_down(struct vz_inv *inv)
{
	static const struct vz_stop kill_it = { .fast = true };

	if (vz_state_running(inv->ctx, inv->veid))
		return vz_ve_stop(&inv->ve, &kill_it, inv->err);
	return vz_ve_mounted(&inv->ve) == 1 ? vz_ve_umount(&inv->ve, inv->err) : 0;
}

/* Nothing is stopped for a snapshot that is not there. */
static int check_there(struct vz_inv *inv, const char *uuid)
{
	vz_autosnapshots struct vz_snapshots l = { 0 };
	int r = vz_snapshot_list(&inv->ve, &l, inv->err);

	for (size_t i = 0; !r && i < l.n; i++)
		if (!strcmp(l.v[i].snap.uuid, uuid))
			return 0;
	return r ? r
		 : vz_err_set(inv->err, VZ_E_SNAP_SWITCH, 0, "VE %u has no snapshot {%s}",
			      inv->veid, uuid);
}

/* As it is configured now. */
static int reopen(struct vz_inv *inv)
{
	vz_ve_close(&inv->ve);
	return vz_ve_open(inv->ctx, inv->veid, &inv->ve, inv->err);
}

/*
 * It goes on where it was. Who insists on that has a VE that is suspended when it can't;
 * for others it is started anew, and the dump is kept aside.
 */
static int resume(struct vz_inv *inv, bool must)
{
	const struct vz_start start = { .lock_fd = inv->lock_fd };
	const struct vz_resume how = { .lock_fd = inv->lock_fd };
	int r = reopen(inv);

	if (r || !must)
		return r ? r : vz_ve_start(&inv->ve, &start, inv->err);
	r = vz_ve_prepare_start(&inv->ve, &start, inv->err);
	return r ? r : vz_ve_resume(&inv->ve, &how, inv->err);
}

static int run_switch(struct vz_inv *inv)
{
	const char *opt[SWITCH__COUNT] = { 0 };
	struct vz_opt_parse parse = { .own = switch_options, .ret_values = opt };
	char uuid[VZ_UUID_SIZE];
	struct vz_progress bar;
	struct vz_snapshot_how how = { .uuid = uuid,
				       .progress = vz_progress_update,
				       .progress_data = &bar };
	int r = vz_opt_parse(&parse, inv->argc, inv->argv, inv->err);

	if (!r)
		r = parse_id(inv, opt[SWITCH_ID], uuid);
	if (!r)
		r = check_there(inv, uuid);
	if (!r && opt[SWITCH_SKIP_RESUME] && opt[SWITCH_MUST_RESUME])
		r = vz_err_set(inv->err, VZ_E_SYNTAX, 0,
			       "--skip-resume or --must-resume, not both");
	how.memory =
		!r && !opt[SWITCH_SKIP_RESUME] && vz_snapshot_has_memory(&inv->ve, uuid);
	if (!r && opt[SWITCH_MUST_RESUME] && !how.memory)
		r = vz_err_set(inv->err, VZ_E_SNAP_SWITCH, 0,
			       "the snapshot {%s} has no memory: it can't be resumed",
			       uuid);
	if (!r)
		r = bring_down(inv);
	if (r)
		return inv->err->status;
	how.skip_config = opt[SWITCH_SKIP_CONFIG] != NULL;
	vz_progress_start(&bar, inv->quiet);
	r = vz_snapshot_switch(&inv->ve, &how, inv->err);
	vz_progress_end(&bar);
	if (r)
		return inv->err->status;
	vz_info(inv->ctx, "VE %u is as it was in snapshot {%s}", inv->veid, uuid);
	if (how.memory && resume(inv, opt[SWITCH_MUST_RESUME]))
		return inv->err->status;
	return 0;
}

const struct vz_cmd vz_cmd_snapshot_switch = {
	.name = "snapshot-switch",
	.args = "VEID --id UUID [--skip-resume | --must-resume] [--skip-config]",
	.help = "go back to a snapshot; what the VE is now is lost",
	.flags = VZ_CMD_LOCK,
	.opts = switch_options,
	.run = run_switch,
};

/* --- snapshot-delete, -mount, -umount --- */

static const struct vz_opt id_options[] = {
	{ "id", 0, "UUID", "which one" },
	{ 0 },
};

static int run_delete(struct vz_inv *inv)
{
	const char *id = NULL;
	struct vz_opt_parse parse = { .own = id_options, .ret_values = &id };
	char uuid[VZ_UUID_SIZE];

	if (vz_opt_parse(&parse, inv->argc, inv->argv, inv->err) ||
	    parse_id(inv, id, uuid) || vz_snapshot_delete(&inv->ve, uuid, inv->err))
		return inv->err->status;
	vz_info(inv->ctx, "Snapshot {%s} was deleted", uuid);
	return 0;
}

const struct vz_cmd vz_cmd_snapshot_delete = {
	.name = "snapshot-delete",
	.args = "VEID --id UUID",
	.help = "delete a snapshot; others keep all that they have",
	.flags = VZ_CMD_LOCK,
	.opts = id_options,
	.run = run_delete,
};

static const struct vz_opt mount_options[] = {
	{ "id", 0, "UUID", "which one" },
	{ "target", 0, "DIRECTORY", "where" },
	{ 0 },
};

static int run_mount(struct vz_inv *inv)
{
	const char *opt[2] = { 0 };
	struct vz_opt_parse parse = { .own = mount_options, .ret_values = opt };
	char uuid[VZ_UUID_SIZE];
	int r = vz_opt_parse(&parse, inv->argc, inv->argv, inv->err);

	if (!r)
		r = parse_id(inv, opt[0], uuid);
	if (!r && !opt[1])
		r = vz_err_set(inv->err, VZ_E_NOPARAM, 0, "no --target DIRECTORY");
	if (!r)
		r = vz_snapshot_mount(&inv->ve, uuid, opt[1], inv->err);
	if (r)
		return inv->err->status;
	vz_info(inv->ctx, "Snapshot {%s} is mounted on %s", uuid, opt[1]);
	return 0;
}

const struct vz_cmd vz_cmd_snapshot_mount = {
	.name = "snapshot-mount",
	.args = "VEID --id UUID --target DIRECTORY",
	.help = "show a snapshot's files, read-only",
	.flags = VZ_CMD_LOCK,
	.opts = mount_options,
	.run = run_mount,
};

static int run_umount(struct vz_inv *inv)
{
	const char *id = NULL;
	struct vz_opt_parse parse = { .own = id_options, .ret_values = &id };
	char uuid[VZ_UUID_SIZE];

	if (vz_opt_parse(&parse, inv->argc, inv->argv, inv->err) ||
	    parse_id(inv, id, uuid) || vz_snapshot_umount(&inv->ve, uuid, inv->err))
		return inv->err->status;
	vz_info(inv->ctx, "Snapshot {%s} is unmounted", uuid);
	return 0;
}

const struct vz_cmd vz_cmd_snapshot_umount = {
	.name = "snapshot-umount",
	.args = "VEID --id UUID",
	.help = "unmount a snapshot",
	.flags = VZ_CMD_LOCK,
	.opts = id_options,
	.run = run_umount,
};
