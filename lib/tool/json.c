/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* JSON is UTF-8: a byte of another encoding is shown as a question mark. */
static json_t *text_json(const char *s, size_t len)
{
	json_t *j = json_stringn(s, len);
	char *ascii;

	if (j)
		return j;
	ascii = strndup(s, len);
	for (char *c = ascii; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	j = ascii ? json_string(ascii) : NULL;
	free(ascii);
	return j;
}

static json_t *list_json(const char *s)
{
	json_t *list = json_array();

	while (s && *(s += strspn(s, " \t,"))) {
		size_t n = strcspn(s, " \t,");

		if (json_array_append_new(list, text_json(s, n))) {
			json_decref(list);
			return NULL;
		}
		s += n;
	}
	return list;
}

static json_t *cell_json(const struct vz_cols *t, const struct vz_col *col,
			 unsigned int part, const void *row)
{
	struct vz_cell cell = { 0 };

	t->cell(row, col, part, &cell);
	if (col->type == VZ_COL_LIST)
		return list_json(cell.set ? cell.text : NULL);
	if (!cell.set)
		return json_null();
	if (col->type == VZ_COL_NUM)
		return json_integer(cell.num);
	if (col->type == VZ_COL_MILLI)
		return json_real(cell.num / 1000.0);
	if (col->type == VZ_COL_BOOL)
		return json_boolean(cell.num);
	return text_json(cell.text, strlen(cell.text));
}

static json_t *parts_json(const struct vz_cols *t, const struct vz_col *col,
			  const void *row)
{
	json_t *object = json_object();
	bool any = false;

	for (unsigned int part = 0; object && part < col->parts->n; part++) {
		json_t *j = cell_json(t, col, part, row);

		any |= !json_is_null(j);
		if (json_object_set_new(object, col->parts->names[part], j)) {
			json_decref(object);
			return NULL;
		}
	}
	if (object && !any && col->parts->null) {
		json_decref(object);
		return json_null();
	}
	return object;
}

static json_t *row_json(const struct vz_cols *t, const struct vz_pick *picks, size_t n,
			const void *row)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < n; i++) {
		const struct vz_col *col = picks[i].col;
		json_t *j =
			col->parts ? parts_json(t, col, row) : cell_json(t, col, 0, row);

		if (json_object_set_new(object, col->name, j)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

int vz_cols_json(const struct vz_cols *t, const struct vz_pick *picks, size_t n,
		 const void *const *rows, size_t n_rows, FILE *out)
{
	json_t *list = json_array();
	int r = 0;

	for (size_t i = 0; i < n_rows && !r; i++)
		if (json_array_append_new(list, row_json(t, picks, n, rows[i])))
			r = -ENOMEM;
	if (!r &&
	    (!list || json_dumpf(list, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ||
	     fputc('\n', out) < 0))
		r = -EIO;
	json_decref(list);
	return r;
}
