/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <jansson.h>

#include "vzlist/vzubc.h"

static json_t *number(int64_t v)
{
	return v == VZ_UBC_UNKNOWN ? json_null() : json_integer(v);
}

static json_t *counter(const struct vz_ubcview *view, const struct vz_ubc_value *v,
		       enum vz_ubc_id id)
{
	const struct vz_ubc_value *failures =
		view->failures ? &view->failures->v[id] : NULL;
	json_t *j =
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "held", number(v->held), "maxheld",
			  number(v->maxheld), "barrier", number(v->barrier), "limit",
			  number(v->limit), "failcnt", number(v->failcnt));

	if (j && view->relative)
		json_object_set_new(
			j, "failed",
			number(failures ? vz_ubc_failed_since(v->failcnt,
							      failures->failcnt)
					: v->failcnt));
	if (j && view->changes)
		json_object_set_new(
			j, "change",
			number(view->helds
				       ? vz_ubc_change(v->held, view->helds->v[id].held)
				       : VZ_UBC_UNKNOWN));
	return j;
}

static json_t *block(const struct vz_ubcview *view, const struct vz_ubc *u)
{
	json_t *j = json_object();

	if (!j || json_object_set_new(j, "ctid", json_integer(u->veid))) {
		json_decref(j);
		return NULL;
	}
	for (int i = 0; i < VZ_UBC__COUNT; i++)
		if (vz_ubcview_shows(view, &u->v[i], i) &&
		    json_object_set_new(j, vz_ubc_descs[i].name,
					counter(view, &u->v[i], i))) {
			json_decref(j);
			return NULL;
		}
	return j;
}

int json_print(const struct options *o, const struct blocks *b,
	       const struct blocks *failures, const struct blocks *helds)
{
	json_t *list = json_array();
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; i < b->n && !r; i++) {
		struct vz_ubcview view = o->view;

		view.unbounded = true;
		view.failures = blocks_find(failures, b->v[i].veid);
		view.helds = blocks_find(helds, b->v[i].veid);
		if (json_array_append_new(list, block(&view, &b->v[i])))
			r = -ENOMEM;
	}
	if (!r && (json_dumpf(list, stdout, JSON_INDENT(2)) || putchar('\n') < 0))
		r = -EIO;
	json_decref(list);
	return r;
}
