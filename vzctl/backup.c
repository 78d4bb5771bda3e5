/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl backup, restore-backup: a VE as one file. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/progress.h"
#include "ve/backup.h"
#include "vzctl/cmds.h"

/* Programs of ours run in "/". */
static char *absolute(const char *file)
{
	char dir[PATH_MAX];

	if (*file == '/')
		return strdup(file);
	return getcwd(dir, sizeof(dir)) ? vz_strf("%s/%s", dir, file) : NULL;
}

/* The one word beside the VEID. */
static int take_file(struct vz_inv *inv, const struct vz_strv *words, char **ret)
{
	if (words->n != 1 || !*words->v[0])
		return vz_err_set(inv->err, VZ_E_NOPARAM, 0,
				  "expected a VEID and one file");
	*ret = absolute(words->v[0]);
	return *ret ? 0 : vz_err_set(inv->err, VZ_E_SYSTEM, errno, "where am I?");
}

enum { BACKUP_SINCE, BACKUP__COUNT };

static const struct vz_opt backup_options[] = {
	[BACKUP_SINCE] = { "since", 0, "FILE",
			   "only what changed since this backup, which is then needed, "
			   "too" },
	{ 0 },
};

static int run_backup(struct vz_inv *inv)
{
	vz_autostrv struct vz_strv words = { 0 };
	const char *opt[BACKUP__COUNT] = { 0 };
	struct vz_opt_parse parse = { .own = backup_options,
				      .ret_values = opt,
				      .words = &words };
	vz_autofree char *file = NULL, *since = NULL;
	struct vz_progress bar;
	struct vz_backup how = { .progress = vz_progress_update,
				 .progress_data = &bar,
				 .lock_fd = &inv->lock_fd };
	int r = vz_opt_parse(&parse, inv->argc, inv->argv, inv->err);

	if (!r)
		r = take_file(inv, &words, &file);
	how.since = since = opt[BACKUP_SINCE] ? absolute(opt[BACKUP_SINCE]) : NULL;
	if (!r && opt[BACKUP_SINCE] && !since)
		r = vz_err_set(inv->err, VZ_E_SYSTEM, errno, "where am I?");
	if (r)
		return inv->err->status;
	vz_progress_start(&bar, inv->quiet);
	r = vz_ve_backup(&inv->ve, file, &how, inv->err);
	vz_progress_end(&bar);
	if (r)
		return inv->err->status;
	vz_info(inv->ctx, "VE %u is in %s", inv->veid, file);
	return 0;
}

const struct vz_cmd vz_cmd_backup = {
	.name = "backup",
	.args = "VEID FILE [--since FILE]",
	.help = "write a VE's configuration and files, of one moment, into a file "
		"(tar.zst)",
	.flags = VZ_CMD_LOCK,
	.opts = backup_options,
	.run = run_backup,
};

enum { OPT_LAYOUT, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_LAYOUT] = { "layout", 0, "simfs|overlay|ploop",
			 "as this layout, not as it was" },
	{ 0 },
};

static int run_restore(struct vz_inv *inv)
{
	vz_autostrv struct vz_strv words = { 0 };
	const char *opt[OPT__COUNT] = { 0 };
	struct vz_opt_parse parse = { .own = options,
				      .ret_values = opt,
				      .words = &words };
	vz_autofree char *file = NULL;
	struct vz_progress bar;
	struct vz_backup how = { .progress = vz_progress_update,
				 .progress_data = &bar,
				 .lock_fd = &inv->lock_fd };
	int r = vz_opt_parse(&parse, inv->argc, inv->argv, inv->err);

	if (!r)
		r = take_file(inv, &words, &file);
	if (r)
		return inv->err->status;
	vz_progress_start(&bar, inv->quiet);
	r = vz_ve_restore_backup(inv->ctx, inv->veid, file, opt[OPT_LAYOUT], &how,
				 inv->err);
	vz_progress_end(&bar);
	if (r)
		return inv->err->status;
	vz_info(inv->ctx, "VE %u was restored", inv->veid);
	return 0;
}

const struct vz_cmd vz_cmd_restore_backup = {
	.name = "restore-backup",
	.args = "FILE VEID [--layout simfs|overlay|ploop]",
	.help = "make a VE of a file that vzctl backup wrote",
	.flags = VZ_CMD_LOCK | VZ_CMD_NOCONF | VZ_CMD_NEWID | VZ_CMD_VEID_LAST,
	.opts = options,
	.run = run_restore,
};
