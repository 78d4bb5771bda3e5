/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/cols.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int find_part(const struct vz_col *col, const char *suffix, size_t n,
		     unsigned int *ret)
{
	const char *at;

	if (!n) {
		*ret = 0;
		return 0;
	}
	if (!col->parts || n != 2 || suffix[0] != '.')
		return -ENOENT;
	at = memchr(col->parts->suffix, suffix[1], col->parts->n - 1);
	if (!at)
		return -ENOENT;
	*ret = at - col->parts->suffix + 1;
	return 0;
}

int vz_cols_find(const struct vz_cols *t, const char *name, size_t n, struct vz_pick *ret)
{
	const char *dot = memchr(name, '.', n);
	size_t base = dot ? (size_t)(dot - name) : n;

	for (size_t i = 0; i < t->n; i++) {
		const struct vz_col *col = &t->cols[i];
		unsigned int part;

		if (strncmp(col->name, name, base) || col->name[base])
			continue;
		if (find_part(col, name + base, n - base, &part))
			return -ENOENT;
		*ret = (struct vz_pick){ col, part };
		return 0;
	}
	return -ENOENT;
}

int vz_cols_parse(const struct vz_cols *t, const char *list, struct vz_pick **ret,
		  size_t *ret_n, struct vz_err *err)
{
	size_t n = 1, at = 0;
	vz_autofree struct vz_pick *picks = NULL;

	for (const char *s = list; *s; s++)
		n += *s == ',';
	picks = calloc(n, sizeof(*picks));
	if (!picks)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't read the fields");
	for (const char *s = list; at < n; at++) {
		size_t len = strcspn(s, ",");

		if (vz_cols_find(t, s, len, &picks[at]))
			return vz_err_set(err, VZ_E_SYNTAX, 0, "Unknown field: %.*s",
					  (int)len, s);
		s += len + 1;
	}
	*ret = vz_take(picks);
	*ret_n = n;
	return 0;
}

/* A byte that begins a character: the others of UTF-8 take no width. */
static bool begins(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* How many bytes of s the first `width` characters take. */
static size_t bytes_of(const char *s, size_t len, size_t width)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (begins(s[i]) && !width--)
			break;
	return i;
}

static size_t width_of(const char *s, size_t len)
{
	size_t width = 0;

	while (len--)
		width += begins(*s++);
	return width;
}

static void add_blanks(struct vz_str *out, size_t have, size_t want)
{
	static const char blanks[] = "                                ";

	for (; have < want; have += sizeof(blanks) - 1)
		vz_str_addn(out, blanks,
			    want - have < sizeof(blanks) ? want - have
							 : sizeof(blanks) - 1);
}

/*
 * Add s and return its width. A value comes from a file: it can't move the
 * cursor or fake a line.
 */
static size_t add_printable(struct vz_str *out, const char *s, size_t len)
{
	size_t from = out->len, width = 0;

	vz_str_addn(out, s, len);
	for (; from < out->len; from++) {
		width += begins(out->s[from]);
		if ((unsigned char)out->s[from] < ' ' || out->s[from] == 0x7f)
			out->s[from] = '?';
	}
	return width;
}

static void add_field(struct vz_str *out, const char *s, size_t len, int width)
{
	size_t has;

	if (width > 0)
		add_blanks(out, width_of(s, len), width);
	has = add_printable(out, s, len);
	if (width < 0)
		add_blanks(out, has, -width);
}

static void end_line(struct vz_str *out, size_t from)
{
	while (!out->failed && out->len > from && out->s[out->len - 1] == ' ')
		out->len--;
	vz_str_addn(out, "\n", 1);
}

/* HEADER.L; the pieces are short, as the table has them. */
static int part_name(const struct vz_col *col, unsigned int part, bool upper, char *buf,
		     size_t size)
{
	const char *name = upper ? col->header : col->name;
	char c;

	if (!part)
		return snprintf(buf, size, "%s", name);
	c = col->parts->suffix[part - 1];
	return snprintf(buf, size, "%s.%c", name, upper ? c - 'a' + 'A' : c);
}

void vz_cols_names(const struct vz_cols *t, struct vz_str *out)
{
	char name[64], header[64];

	for (size_t i = 0; i < t->n; i++) {
		const struct vz_col *col = &t->cols[i];
		size_t parts = col->parts ? col->parts->n : 1;

		for (unsigned int part = 0; part < parts; part++) {
			part_name(col, part, false, name, sizeof(name));
			part_name(col, part, true, header, sizeof(header));
			vz_str_addf(out, "%-15s %s\n", name, header);
		}
	}
}

void vz_cols_header(const struct vz_pick *picks, size_t n, struct vz_str *out)
{
	size_t from = out->len;
	char header[64];

	for (size_t i = 0; i < n; i++) {
		int len = part_name(picks[i].col, picks[i].part, true, header,
				    sizeof(header));

		if (i)
			vz_str_addn(out, " ", 1);
		add_field(out, header, len, picks[i].col->width);
	}
	end_line(out, from);
}

/* The bytes of a value that are shown when another column follows. */
static size_t trimmed(const struct vz_col *col, const char *s, size_t len)
{
	if (col->type == VZ_COL_LIST)
		return strcspn(s, " ,");
	if (col->type == VZ_COL_STR)
		return bytes_of(s, len, abs(col->width));
	return len;
}

static const char *number(const struct vz_col *col, uint64_t num, char *buf, size_t size)
{
	if (col->type == VZ_COL_MILLI)
		snprintf(buf, size, "%g", num / 1000.0);
	else
		snprintf(buf, size, "%llu", (unsigned long long)num);
	return buf;
}

void vz_cols_line(const struct vz_cols *t, const struct vz_pick *picks, size_t n,
		  bool trim, const void *row, struct vz_str *out)
{
	size_t from = out->len;

	for (size_t i = 0; i < n; i++) {
		const struct vz_col *col = picks[i].col;
		struct vz_cell cell = { 0 };
		const char *s = "-";
		char num[24];
		size_t len;

		t->cell(row, col, picks[i].part, &cell);
		if (cell.set && col->type == VZ_COL_BOOL)
			s = cell.num ? "yes" : "no";
		else if (cell.set && cell.text)
			s = cell.text;
		else if (cell.set)
			s = number(col, cell.num, num, sizeof(num));
		len = strlen(s);
		if (trim && i + 1 < n)
			len = trimmed(col, s, len);
		if (i)
			vz_str_addn(out, " ", 1);
		add_field(out, s, len, col->width);
	}
	end_line(out, from);
}

static bool is_number(const struct vz_col *col)
{
	return col->type == VZ_COL_NUM || col->type == VZ_COL_MILLI ||
	       col->type == VZ_COL_BOOL;
}

struct sort_key {
	struct vz_cell cell;
	char *text; /* a copy: a cell's text is gone at the next call */
	const void *row;
	size_t at;
};

static int compare(const void *va, const void *vb)
{
	const struct sort_key *a = va, *b = vb;
	int r = 0;

	if (a->cell.set != b->cell.set)
		return a->cell.set ? 1 : -1;
	if (a->text && b->text)
		r = strcmp(a->text, b->text);
	else if (a->cell.num != b->cell.num)
		r = a->cell.num > b->cell.num ? 1 : -1;
	return r ? r : a->at > b->at ? 1 : -1;
}

static int fill_key(const struct vz_cols *t, const struct vz_pick *by, struct sort_key *k)
{
	t->cell(k->row, by->col, by->part, &k->cell);
	if (!k->cell.text || is_number(by->col))
		return 0;
	k->text = strdup(k->cell.text);
	return k->text ? 0 : -ENOMEM;
}

int vz_cols_sort(const struct vz_cols *t, const struct vz_pick *by, bool reverse,
		 const void **rows, size_t n)
{
	struct sort_key *keys = calloc(n ? n : 1, sizeof(*keys));
	int r = keys ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !r; i++) {
		keys[i].row = rows[i];
		keys[i].at = i;
		r = fill_key(t, by, &keys[i]);
	}
	if (!r) {
		qsort(keys, n, sizeof(*keys), compare);
		for (size_t i = 0; i < n; i++)
			rows[reverse ? n - 1 - i : i] = keys[i].row;
	}
	for (size_t i = 0; keys && i < n; i++)
		free(keys[i].text);
	free(keys);
	return r;
}
