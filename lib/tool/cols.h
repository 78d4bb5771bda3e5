/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_COLS_H
#define VZ_TOOL_COLS_H

/*
 * A list of things with columns to choose from: one row of a table a column,
 * from which follow the header, the text, JSON, sorting and the list of names.
 * JSON is in a module of its own (tool/json.h): who has none links none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum vz_col_type {
	VZ_COL_STR, /* cut to its width */
	VZ_COL_LIST, /* words; only the first is shown; an array in JSON */
	VZ_COL_WORD, /* short and never cut: a status, a time */
	VZ_COL_NUM,
	VZ_COL_MILLI, /* a fraction, in thousandths */
	VZ_COL_BOOL, /* yes and no */
};

/*
 * Parts of a column's value: `numproc.l`. In text each is a column; in JSON
 * the column is one object of them all. The first has no suffix.
 */
struct vz_col_parts {
	size_t n;
	const char *suffix; /* a letter each, from the second on */
	const char *const *names; /* in JSON */
	bool null; /* the object is null when no part has a value */
};

struct vz_col {
	const char *name;
	const char *header;
	int width; /* as printf has it: negative is left-aligned */
	enum vz_col_type type;
	const struct vz_col_parts *parts; /* NULL: a single value */
	const char *help;
	int id; /* the tool's */
};

/* One value. What is not set is "-" and null. */
struct vz_cell {
	bool set;
	const char *text; /* the tool's, or buf; NULL: num as a number */
	uint64_t num; /* of the types that are numbers, and what they sort by */
	char buf[256];
};

struct vz_cols {
	const struct vz_col *cols;
	size_t n;
	/* The value of a part of a column; *ret is all zero before the call. */
	void (*cell)(const void *row, const struct vz_col *col, unsigned int part,
		     struct vz_cell *ret);
};

/* A column that was asked for: `numproc.l`. */
struct vz_pick {
	const struct vz_col *col;
	unsigned int part;
};

/* Find NAME or NAME.SUFFIX of n bytes. 0, or -ENOENT. */
int vz_cols_find(const struct vz_cols *t, const char *name, size_t n,
		 struct vz_pick *ret);

/* NAME,NAME… to picks, freed by the caller. An unknown name is VZ_E_SYNTAX. */
int vz_cols_parse(const struct vz_cols *t, const char *list, struct vz_pick **ret,
		  size_t *ret_n, struct vz_err *err);

/* `NAME HEADER` a line, parts included: what may be asked for. */
void vz_cols_names(const struct vz_cols *t, struct vz_str *out);

/* The columns' headers, or the values of one row, as a line. */
void vz_cols_header(const struct vz_pick *picks, size_t n, struct vz_str *out);
void vz_cols_line(const struct vz_cols *t, const struct vz_pick *picks, size_t n,
		  bool trim, const void *row, struct vz_str *out);

/*
 * Sort pointers to rows by one column, stably: unset first, numbers by value,
 * all else by its text. Reversed means exactly the other way round.
 */
int vz_cols_sort(const struct vz_cols *t, const struct vz_pick *by, bool reverse,
		 const void **rows, size_t n);

#endif
