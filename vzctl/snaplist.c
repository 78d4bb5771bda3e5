/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl snapshot-list: the snapshots of a VE. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tool/cols.h"
#include "tool/json.h"
#include "ve/snapshot.h"
#include "vzctl/cmds.h"

#define DEFAULT_FIELDS "parent_uuid,current,uuid,date,name"

enum { OPT_HEADER, OPT_FIELDS, OPT_ID, OPT_LIST, OPT_JSON, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_HEADER] = { "no-header", 'H', NULL, "without the line of headers" },
	[OPT_FIELDS] = { "output", 'o', "FIELD[,FIELD...]", "these fields" },
	[OPT_ID] = { "id", 'u', "UUID", "this one only" },
	[OPT_LIST] = { "list", 'L', NULL, "the fields that there are" },
	[OPT_JSON] = { "json", 'j', NULL, "as JSON" },
	{ 0 },
};

enum { F_UUID, F_PARENT, F_CURRENT, F_DATE, F_NAME, F_DESCRIPTION, F_TARGET, F_MEMORY };

static const struct vz_col fields[] = {
	{ "uuid", "UUID", -38, VZ_COL_WORD, NULL, "its UUID", F_UUID },
	{ "id", "UUID", -38, VZ_COL_WORD, NULL, "the same", F_UUID },
	{ "parent_uuid", "PARENT_UUID", -38, VZ_COL_WORD, NULL, "that of the one before",
	  F_PARENT },
	{ "parent_id", "PARENT_UUID", -38, VZ_COL_WORD, NULL, "the same", F_PARENT },
	{ "current", "C", 1, VZ_COL_WORD, NULL, "* for the one that the VE goes on from",
	  F_CURRENT },
	{ "date", "DATE", -19, VZ_COL_WORD, NULL, "when it was taken", F_DATE },
	{ "name", "NAME", -32, VZ_COL_STR, NULL, "its name", F_NAME },
	{ "desc", "DESC", -32, VZ_COL_STR, NULL, "its description", F_DESCRIPTION },
	{ "target", "TARGET", -32, VZ_COL_STR, NULL, "where it is mounted", F_TARGET },
	{ "memory", "M", 1, VZ_COL_WORD, NULL, "* for one with the VE's memory",
	  F_MEMORY },
};

struct row {
	const struct vz_snapshot *snapshot;
	char *target;
};

static void cell(const void *data, const struct vz_col *col, unsigned int part,
		 struct vz_cell *ret)
{
	const struct row *row = data;
	const struct vz_snap *s = &row->snapshot->snap;
	time_t date = s->date;
	struct tm tm;

	/* As OpenVZ: what there is none of is a blank. */
	ret->set = true;
	ret->text = ret->buf;
	if (col->id == F_UUID)
		snprintf(ret->buf, sizeof(ret->buf), "{%s}", s->uuid);
	else if (col->id == F_PARENT && *s->parent)
		snprintf(ret->buf, sizeof(ret->buf), "{%s}", s->parent);
	else if (col->id == F_CURRENT && s->current)
		strcpy(ret->buf, "*");
	else if (col->id == F_MEMORY && row->snapshot->memory)
		strcpy(ret->buf, "*");
	else if (col->id == F_DATE && localtime_r(&date, &tm))
		strftime(ret->buf, sizeof(ret->buf), "%Y-%m-%d %H:%M:%S", &tm);
	else if (col->id == F_NAME)
		ret->text = row->snapshot->name;
	else if (col->id == F_DESCRIPTION)
		ret->text = row->snapshot->description;
	else if (col->id == F_TARGET && row->target)
		ret->text = row->target;
}

static const struct vz_cols cols = { fields, VZ_ARRAY_SIZE(fields), cell };

/* One command's rows; pointers to them for JSON. */
struct list {
	struct vz_snapshots all;
	struct row *rows;
	const void **ptr;
	size_t n;
};

static void list_done(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->rows[i].target);
	free(l->rows);
	free(l->ptr);
	vz_snapshots_done(&l->all);
}

static int read_rows(struct vz_inv *inv, const char *uuid, struct list *l)
{
	int r = vz_snapshot_list(&inv->ve, &l->all, inv->err);

	if (r)
		return r;
	l->rows = calloc(l->all.n + 1, sizeof(*l->rows));
	l->ptr = calloc(l->all.n + 1, sizeof(*l->ptr));
	if (!l->rows || !l->ptr)
		return vz_err_set(inv->err, VZ_E_SNAP_LIST, ENOMEM,
				  "can't list snapshots");
	for (size_t i = 0; i < l->all.n; i++) {
		const struct vz_snapshot *s = &l->all.v[i];

		if (uuid && strcmp(uuid, s->snap.uuid))
			continue;
		l->rows[l->n] = (struct row){
			.snapshot = s,
			.target = vz_snapshot_target(&inv->ve, s->snap.uuid),
		};
		l->ptr[l->n] = &l->rows[l->n];
		l->n++;
	}
	return uuid && !l->n ? vz_err_set(inv->err, VZ_E_SNAP_LIST, 0,
					  "VE %u has no snapshot {%s}", inv->veid, uuid)
			     : 0;
}

static int print(struct vz_inv *inv, const struct list *l, const char *const *opt)
{
	vz_autofree struct vz_pick *picks = NULL;
	vz_autostr struct vz_str out = { 0 };
	size_t n;
	int r = vz_cols_parse(&cols, opt[OPT_FIELDS] ? opt[OPT_FIELDS] : DEFAULT_FIELDS,
			      &picks, &n, inv->err);

	if (r)
		return r;
	if (opt[OPT_JSON])
		return vz_cols_json(&cols, picks, n, l->ptr, l->n, stdout);
	if (!opt[OPT_HEADER])
		vz_cols_header(picks, n, &out);
	for (size_t i = 0; i < l->n; i++)
		vz_cols_line(&cols, picks, n, true, &l->rows[i], &out);
	if (out.s)
		fputs(out.s, stdout);
	return 0;
}

static int run(struct vz_inv *inv)
{
	const char *opt[OPT__COUNT] = { 0 };
	struct vz_opt_parse parse = { .own = options, .ret_values = opt };
	VZ_CLEANUP(list_done) struct list l = { 0 };
	char uuid[VZ_UUID_SIZE];
	int r = vz_opt_parse(&parse, inv->argc, inv->argv, inv->err);

	if (!r && opt[OPT_LIST]) {
		vz_autostr struct vz_str names = { 0 };

		vz_cols_names(&cols, &names);
		fputs(names.s ? names.s : "", stdout);
		return 0;
	}
	if (!r && opt[OPT_ID] && vz_uuid_parse(opt[OPT_ID], uuid))
		r = vz_err_set(inv->err, VZ_E_VALUE, 0, "bad UUID '%s'", opt[OPT_ID]);
	if (!r)
		r = read_rows(inv, opt[OPT_ID] ? uuid : NULL, &l);
	if (!r)
		r = print(inv, &l, opt);
	return r ? (int)inv->err->status : 0;
}

const struct vz_cmd vz_cmd_snapshot_list = {
	.name = "snapshot-list",
	.args = "VEID [-H] [-o FIELD[,FIELD...]] [--id UUID] [-L] [-j]",
	.help = "show the snapshots of a VE",
	.opts = options,
	.run = run,
};
