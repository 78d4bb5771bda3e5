/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/ubcview.h"

#include <stdio.h>

#include "base/num.h"
#include "tool/human.h"

int64_t vz_ubc_bound(const struct vz_ubc_value *v)
{
	if (v->barrier > 0 && v->barrier != VZ_UNLIMITED)
		return v->barrier;
	return v->limit || v->barrier == VZ_UBC_UNKNOWN ? v->limit : v->barrier;
}

int64_t vz_ubc_failed_since(int64_t now, int64_t then)
{
	return now == VZ_UBC_UNKNOWN || then < 0 || then > now ? now : now - then;
}

int64_t vz_ubc_change(int64_t now, int64_t then)
{
	if (now == VZ_UBC_UNKNOWN || then == VZ_UBC_UNKNOWN)
		return VZ_UBC_UNKNOWN;
	return now - then;
}

static int64_t failed(const struct vz_ubcview *view, const struct vz_ubc_value *v,
		      enum vz_ubc_id id)
{
	if (!view->relative || !view->failures)
		return v->failcnt;
	return vz_ubc_failed_since(v->failcnt, view->failures->v[id].failcnt);
}

static int64_t changed(const struct vz_ubcview *view, const struct vz_ubc_value *v,
		       enum vz_ubc_id id)
{
	return view->helds ? vz_ubc_change(v->held, view->helds->v[id].held)
			   : VZ_UBC_UNKNOWN;
}

enum vz_look vz_ubcview_look(const struct vz_ubcview *view, const struct vz_ubc_value *v,
			     enum vz_ubc_id id)
{
	int64_t bound = vz_ubc_bound(v);

	if (failed(view, v, id) > 0)
		return VZ_LOOK_BAD;
	if (bound < 0 || bound == VZ_UNLIMITED)
		return VZ_LOOK_PLAIN;
	if (v->held > bound)
		return VZ_LOOK_BAD;
	if (v->held > view->near_held * bound || v->maxheld > view->near_max * bound)
		return VZ_LOOK_NEAR;
	return VZ_LOOK_PLAIN;
}

bool vz_ubcview_shows(const struct vz_ubcview *view, const struct vz_ubc_value *v,
		      enum vz_ubc_id id)
{
	int64_t change = view->changes ? changed(view, v, id) : 0;

	if (vz_ubcview_look(view, v, id) != VZ_LOOK_PLAIN)
		return true;
	if (change && change != VZ_UBC_UNKNOWN)
		return true;
	if (view->near_only)
		return false;
	return view->unbounded ||
	       (vz_ubc_bound(v) >= 0 && vz_ubc_bound(v) != VZ_UNLIMITED);
}

/* +1.2M, -3, nothing. */
static const char *change_text(int64_t change, unsigned int unit, char buf[16])
{
	char human[VZ_HUMAN_MAX];

	*buf = '\0';
	if (change && change != VZ_UBC_UNKNOWN)
		snprintf(buf, 16, "%c%s", change < 0 ? '-' : '+',
			 vz_human_value(change < 0 ? -change : change, unit, human));
	return buf;
}

static void add_head(const struct vz_ubcview *view, const struct vz_ubc *u,
		     const char *name, struct vz_frame *f)
{
	if (f->n)
		vz_frame_add(f, VZ_LOOK_PLAIN, "%s", "");
	vz_frame_add(f, VZ_LOOK_HEAD, "VE %u%s%s", u->veid, name ? " " : "", name ?: "");
	vz_frame_add(f, VZ_LOOK_HEAD, "%-12s %6s%*s %5s %5s %7s %5s %5s %7s %7s %s%s",
		     "counter", "held", view->changes ? 7 : 0,
		     view->changes ? "change" : "", "bar%", "lim%", "maxheld", "bar%",
		     "lim%", "barrier", "limit", view->relative ? "+" : " ", "fail");
}

static void add_row(const struct vz_ubcview *view, const struct vz_ubc_value *v,
		    enum vz_ubc_id id, struct vz_frame *f)
{
	unsigned int unit = vz_ubc_descs[id].unit;
	char held[VZ_HUMAN_MAX], max[VZ_HUMAN_MAX], bar[VZ_HUMAN_MAX], lim[VZ_HUMAN_MAX];
	char held_bar[VZ_HUMAN_MAX], held_lim[VZ_HUMAN_MAX], max_bar[VZ_HUMAN_MAX];
	char max_lim[VZ_HUMAN_MAX], fail[VZ_HUMAN_MAX], change[16];

	vz_frame_add(f, vz_ubcview_look(view, v, id),
		     "%-12s %6s%*s %5s %5s %7s %5s %5s %7s %7s %5s",
		     vz_ubc_descs[id].name, vz_human_value(v->held, unit, held),
		     view->changes ? 7 : 0,
		     change_text(view->changes ? changed(view, v, id) : 0, unit, change),
		     vz_human_share(v->held, v->barrier, held_bar),
		     vz_human_share(v->held, v->limit, held_lim),
		     vz_human_value(v->maxheld, unit, max),
		     vz_human_share(v->maxheld, v->barrier, max_bar),
		     vz_human_share(v->maxheld, v->limit, max_lim),
		     vz_human_value(v->barrier, unit, bar),
		     vz_human_value(v->limit, unit, lim),
		     vz_human_count(failed(view, v, id), fail));
}

size_t vz_ubcview_add(const struct vz_ubcview *view, const struct vz_ubc *u,
		      const char *name, struct vz_frame *f)
{
	size_t rows = 0;

	for (int i = 0; i < VZ_UBC_ROWS; i++) {
		int id = vz_ubc_rows[i];

		if (id < 0 || !vz_ubcview_shows(view, &u->v[id], id))
			continue;
		if (!rows++)
			add_head(view, u, name, f);
		add_row(view, &u->v[id], id, f);
	}
	return rows;
}
