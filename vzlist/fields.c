/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The columns of vzlist: a few of its own, and one for each parameter that has one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "res/cfg.h"
#include "res/ubc.h"
#include "res/value.h"
#include "vzlist/vzlist.h"

/* Columns that are no parameter's; numbered on from those. */
enum field {
	F_CTID = VZ_P__COUNT,
	F_STATUS,
	F_SMART_NAME,
	F_LAVERAGE,
	F_UPTIME,
	F_VSWAP,
	F_NET_IN,
	F_NET_OUT,
	F_NET_DROPPED,
};

static const struct vz_col own[] = {
	{ "ctid", "CTID", 10, VZ_COL_NUM, NULL, "number of the VE", F_CTID },
	{ "veid", "CTID", 10, VZ_COL_NUM, NULL, "the same", F_CTID },
	{ "vpsid", "CTID", 10, VZ_COL_NUM, NULL, "the same", F_CTID },
	{ "status", "STATUS", -9, VZ_COL_WORD, NULL,
	  "running, stopped, mounted or suspended", F_STATUS },
	{ "smart_name", "SMARTNAME", 10, VZ_COL_STR, NULL, "its name, else its number",
	  F_SMART_NAME },
	{ "laverage", "LAVERAGE", 14, VZ_COL_WORD, NULL, "load averages", F_LAVERAGE },
	{ "uptime", "UPTIME", 15, VZ_COL_NUM, NULL, "how long it has been running",
	  F_UPTIME },
	{ "vswap", "VSWAP", 5, VZ_COL_BOOL, NULL, "whether physpages limit its memory",
	  F_VSWAP },
	{ "net_in", "NET_IN", 16, VZ_COL_NUM, NULL, "bytes of IP that it received",
	  F_NET_IN },
	{ "net_out", "NET_OUT", 16, VZ_COL_NUM, NULL, "bytes of IP that it sent",
	  F_NET_OUT },
	{ "net_dropped", "NET_DROPPED", 12, VZ_COL_NUM, NULL,
	  "packets that it sent from addresses not its own, dropped", F_NET_DROPPED },
};

static const char *const ubc_parts[] = { "held", "maxheld", "barrier", "limit",
					 "failcnt" };
static const char *const quota_parts[] = { "usage", "softlimit", "hardlimit" };
static const struct vz_col_parts ubc = { 5, "mblf", ubc_parts, false };
static const struct vz_col_parts quota = { 3, "sh", quota_parts, true };

enum { UBC_HELD, UBC_MAXHELD, UBC_BARRIER, UBC_LIMIT, UBC_FAILCNT };
enum { QUOTA_USAGE, QUOTA_SOFT, QUOTA_HARD };

/* How a parameter's type is shown. */
static enum vz_col_type col_type(const struct vz_param *p)
{
	switch (p->col.json) {
	case VZ_JSON_LIST:
		return VZ_COL_LIST;
	case VZ_JSON_BOOL:
		return VZ_COL_BOOL;
	case VZ_JSON_STR:
		return p->type == VZ_T_ENUM ? VZ_COL_WORD : VZ_COL_STR;
	default:
		return p->type == VZ_T_MILLI ? VZ_COL_MILLI : VZ_COL_NUM;
	}
}

static struct vz_col param_col(enum vz_param_id id)
{
	const struct vz_param *p = &vz_params[id];

	return (struct vz_col){
		.name = p->col.name,
		.header = p->col.header,
		.width = p->col.width,
		.type = col_type(p),
		.parts = p->col.json == VZ_JSON_UBC	? &ubc
			 : p->col.json == VZ_JSON_QUOTA ? &quota
							: NULL,
		.help = p->help,
		.id = id,
	};
}

const char *ve_value(const struct ve *ve, enum vz_param_id id)
{
	short at = ve->list->key_of[id];
	const char *value;

	if (at < 0)
		return NULL;
	value = ve->values[at];
	if (!value && vz_params[id].scope != VZ_SCOPE_VE)
		value = ve->list->global[at];
	return value;
}

bool expand_veid(const char *path, uint32_t id, char *buf, size_t size)
{
	size_t n = 0;

	while (*path && n + 12 < size) {
		if (!strncmp(path, "$VEID", 5)) {
			n += snprintf(buf + n, size - n, "%u", id);
			path += 5;
		} else {
			buf[n++] = *path++;
		}
	}
	buf[n] = 0;
	return !*path;
}

void list_need(struct list *list, enum vz_param_id id)
{
	if (list->key_of[id] >= 0)
		return;
	list->key_of[id] = list->n_keys;
	list->keys[list->n_keys++] = vz_params[id].key;
}

void fields_need(struct list *list, const struct vz_pick *pick, bool all_parts)
{
	const struct vz_col *col = pick->col;

	if (col->parts == &ubc) {
		list->need_ubc = true;
		/* Barrier and limit are in the file; the others are counted only. */
		if (!all_parts && pick->part != UBC_BARRIER && pick->part != UBC_LIMIT)
			return;
	}
	/* Limits are in the file, too. */
	if (col->parts == &quota && (all_parts || pick->part == QUOTA_USAGE))
		list->need_quota = true;
	switch (col->id) {
	case F_CTID:
	case F_LAVERAGE:
		break;
	case F_STATUS:
		list->need_status = true;
		break;
	case F_UPTIME:
		list->need_uptime = true;
		break;
	case F_NET_IN:
	case F_NET_OUT:
	case F_NET_DROPPED:
		list->need_traffic = true;
		break;
	case F_VSWAP:
		list_need(list, VZ_P_PHYSPAGES);
		break;
	case F_SMART_NAME:
	case VZ_P_NAME:
		list->need_name = true;
		break;
	case VZ_P_LOCKEDPAGES:
	case VZ_P_OOMGUARPAGES:
	case VZ_P_VMGUARPAGES:
	case VZ_P_PRIVVMPAGES:
		list_need(list, VZ_P_PHYSPAGES);
		list_need(list, VZ_P_SWAPPAGES);
		list_need(list, VZ_P_VM_OVERCOMMIT);
		/* fall through */
	default:
		list_need(list, col->id);
	}
}

/* A value of a file; one that is none counts as unset here. */
static bool parse(enum vz_param_id id, const char *text, struct vz_value *ret)
{
	*ret = (struct vz_value){ 0 };
	return text && !vz_value_parse(&vz_params[id], 0, text, ret);
}

/* Of a VE that runs: as it is counted. NULL: it is not. */
static const struct vz_ubc_value *counted(const struct ve *ve, enum vz_param_id id)
{
	if (ve->ubc)
		for (int i = 0; i < VZ_UBC__COUNT; i++)
			if (vz_ubc_descs[i].param == (int)id)
				return &ve->ubc->v[i];
	return NULL;
}

static bool counted_part(const struct vz_ubc_value *v, unsigned int part, uint64_t *ret)
{
	const int64_t parts[] = { [UBC_HELD] = v->held,
				  [UBC_MAXHELD] = v->maxheld,
				  [UBC_BARRIER] = v->barrier,
				  [UBC_LIMIT] = v->limit,
				  [UBC_FAILCNT] = v->failcnt };

	*ret = parts[part];
	return parts[part] != VZ_UBC_UNKNOWN;
}

static bool set_limit(const struct ve *ve, enum vz_param_id id, struct vz_limit *ret)
{
	struct vz_value v;

	if (!parse(id, ve_value(ve, id), &v))
		return false;
	*ret = v.limit;
	return true;
}

static bool is_vswap(const struct ve *ve, struct vz_limit *ret_ram)
{
	return set_limit(ve, VZ_P_PHYSPAGES, ret_ram) && ret_ram->limit != VZ_UNLIMITED;
}

/* The limit in force of a counter: an unset one is implied or has its default. */
static bool limit_of(const struct ve *ve, enum vz_param_id id, struct vz_limit *ret)
{
	struct vz_limit ram, swap;
	struct vz_value v;

	if (set_limit(ve, id, ret))
		return true;
	if (is_vswap(ve, &ram) && set_limit(ve, VZ_P_SWAPPAGES, &swap)) {
		if (!parse(VZ_P_VM_OVERCOMMIT, ve_value(ve, VZ_P_VM_OVERCOMMIT), &v))
			v.num = 0;
		if (vz_cfg_implied(id, ram.limit, swap.limit, v.num, ret))
			return true;
	}
	*ret = (struct vz_limit){ VZ_UNLIMITED, VZ_UNLIMITED };
	if (parse(id, vz_params[id].def, &v))
		*ret = v.limit;
	return true;
}

/* Barriers and limits are those of the counters, else of the configuration. */
static void ubc_cell(const struct ve *ve, const struct vz_col *col, unsigned int part,
		     struct vz_cell *ret)
{
	const struct vz_ubc_value *v = counted(ve, col->id);
	struct vz_limit limit;

	if (v && counted_part(v, part, &ret->num)) {
		ret->set = true;
	} else if (part == UBC_BARRIER || part == UBC_LIMIT) {
		ret->set = limit_of(ve, col->id, &limit);
		ret->num = part == UBC_BARRIER ? limit.barrier : limit.limit;
	}
}

static void quota_cell(const struct ve *ve, const struct vz_col *col, unsigned int part,
		       struct vz_cell *ret)
{
	struct vz_limit v;

	if (part == QUOTA_USAGE) {
		ret->set = ve->has_quota;
		ret->num = (int)col->id == VZ_P_DISKINODES
				   ? ve->quota.inodes
				   : (ve->quota.space + 1023) / 1024;
		return;
	}
	ret->set = set_limit(ve, col->id, &v);
	ret->num = part == QUOTA_SOFT ? v.barrier : v.limit;
}

static void param_cell(const struct ve *ve, const struct vz_col *col, struct vz_cell *ret)
{
	const struct vz_param *p = &vz_params[col->id];
	const char *value = ve_value(ve, col->id);
	struct vz_value v;

	if (col->type == VZ_COL_NUM || col->type == VZ_COL_MILLI) {
		ret->set = parse(col->id, value, &v);
		ret->num = v.num;
		return;
	}
	value = value ?: p->def;
	if (col->type == VZ_COL_BOOL) {
		ret->set = parse(col->id, value, &v);
		ret->num = v.num;
		return;
	}
	ret->set = value && *value;
	ret->text = value;
	if (p->type == VZ_T_PATH && ret->set &&
	    expand_veid(value, ve->id, ret->buf, sizeof(ret->buf)))
		ret->text = ret->buf;
}

static void uptime_cell(const struct ve *ve, struct vz_cell *ret)
{
	unsigned long long t = ve->uptime;

	if (ve->status != STATUS_RUNNING || ve->uptime < 0)
		return;
	snprintf(ret->buf, sizeof(ret->buf), "%.3llud%.2lluh:%.2llum:%.2llus", t / 86400,
		 t / 3600 % 24, t / 60 % 60, t % 60);
	ret->set = true;
	ret->text = ret->buf;
	ret->num = t;
}

static void text_cell(const char *text, struct vz_cell *ret)
{
	ret->set = text;
	ret->text = text;
}

static void vswap_cell(const struct ve *ve, struct vz_cell *ret)
{
	struct vz_limit ram;

	ret->set = true;
	ret->num = is_vswap(ve, &ram);
}

/* A VE that was never on the net has none. */
static void traffic_cell(const struct ve *ve, int id, struct vz_cell *ret)
{
	struct vz_guard_traffic t;

	if (vz_traffic_read(&ve->list->traffic, ve->id, &t))
		return;
	ret->set = true;
	ret->num = id == F_NET_IN    ? vz_traffic_sum(t.in).bytes
		   : id == F_NET_OUT ? vz_traffic_sum(t.out).bytes
				     : t.dropped.packets;
}

static void cell(const void *row, const struct vz_col *col, unsigned int part,
		 struct vz_cell *ret)
{
	static const char *const statuses[] = {
		[STATUS_STOPPED] = "stopped",
		[STATUS_MOUNTED] = "mounted",
		[STATUS_SUSPENDED] = "suspended",
		[STATUS_RUNNING] = "running",
	};
	const struct ve *ve = row;

	switch (col->id) {
	case F_CTID:
		ret->set = true;
		ret->num = ve->id;
		break;
	case F_STATUS:
		text_cell(statuses[ve->status], ret);
		break;
	case F_SMART_NAME:
		if (!ve->name)
			snprintf(ret->buf, sizeof(ret->buf), "%u", ve->id);
		text_cell(ve->name ?: ret->buf, ret);
		break;
	case VZ_P_NAME:
		text_cell(ve->name, ret);
		break;
	case F_UPTIME:
		uptime_cell(ve, ret);
		break;
	case F_VSWAP:
		vswap_cell(ve, ret);
		break;
	case F_NET_IN:
	case F_NET_OUT:
	case F_NET_DROPPED:
		traffic_cell(ve, col->id, ret);
		break;
	case F_LAVERAGE:
		break; /* the kernel keeps none per group */
	default:
		if (col->parts == &ubc)
			ubc_cell(ve, col, part, ret);
		else if (col->parts)
			quota_cell(ve, col, part, ret);
		else
			param_cell(ve, col, ret);
	}
}

int fields_init(struct vz_cols *ret)
{
	struct vz_col *cols = calloc(VZ_ARRAY_SIZE(own) + VZ_P__COUNT, sizeof(*cols));
	size_t n = VZ_ARRAY_SIZE(own);

	if (!cols)
		return -ENOMEM;
	memcpy(cols, own, sizeof(own));
	for (int id = 0; id < VZ_P__COUNT; id++)
		if (vz_params[id].col.name)
			cols[n++] = param_col(id);
	*ret = (struct vz_cols){ cols, n, cell };
	return 0;
}
