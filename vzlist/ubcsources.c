/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where each counter comes from on this node, and what enforces it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "sys/acct.h"
#include "sys/cgroup.h"
#include "vzlist/vzubc.h"

#define COLUMN 27 /* two of them, and what is before, are 80 */

static const char *const hows[] = {
	[VZ_ACCT_IS_EXACT] = "exact",
	[VZ_ACCT_IS_SAMPLED] = "sampled",
	[VZ_ACCT_IS_APPROXIMATE] = "approximate",
	[VZ_ACCT_IS_UNKNOWN] = "-",
};

/* Which controller's files they would be read from. */
static bool memory_is_v1(const struct vz_ctx *ctx)
{
	struct vz_cg_host host;

	return !vz_cg_probe(ctx, &host, NULL) && *host.v1[VZ_CG_MEMORY];
}

/* How many bytes of the text go into a column, by words. */
static size_t fitting(const char *text)
{
	size_t n = strlen(text), at;

	if (n <= COLUMN)
		return n;
	for (at = COLUMN; at && text[at] != ' '; at--)
		;
	return at ?: COLUMN;
}

/* Two texts beside each other, each in a column of its own. */
static void add_wrapped(const char *name, const char *how, const char *left,
			const char *right, struct vz_frame *f)
{
	do {
		size_t n = fitting(left), m = fitting(right);

		vz_frame_add(f, VZ_LOOK_PLAIN, "%-12s %-11s %-*.*s%s%.*s", name, how,
			     m ? COLUMN : 0, (int)n, left, m ? " " : "", (int)m, right);
		left += n + strspn(left + n, " ");
		right += m + strspn(right + m, " ");
		name = how = "";
	} while (*left || *right);
}

void sources_add(const struct vz_ctx *ctx, struct vz_frame *f)
{
	bool v1 = memory_is_v1(ctx);

	if (f->n)
		vz_frame_add(f, VZ_LOOK_PLAIN, "%s", "");
	vz_frame_add(f, VZ_LOOK_HEAD, "%-12s %-11s %-*s %s", "counter", "known", COLUMN,
		     "from", "enforced by");
	for (int i = 0; i < VZ_UBC_ROWS; i++) {
		struct vz_acct_about about = { 0 };
		vz_autofree char *enforced = NULL;

		if (vz_ubc_rows[i] < 0)
			continue;
		vz_acct_describe(ctx, vz_ubc_rows[i], v1, &about);
		enforced = vz_strf(
			"%s%s", about.enforced ?: "-",
			about.enforced && !about.live ? ", as it was at its start" : "");
		if (enforced)
			add_wrapped(vz_ubc_descs[vz_ubc_rows[i]].name, hows[about.how],
				    about.source ?: "-", enforced, f);
		f->failed |= !enforced;
	}
}

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

int sources_print_json(const struct vz_ctx *ctx)
{
	bool v1 = memory_is_v1(ctx);
	json_t *list = json_array();
	int r = list ? 0 : -ENOMEM;

	for (int i = 0; i < VZ_UBC_ROWS && !r; i++) {
		struct vz_acct_about about = { 0 };
		json_t *known;

		if (vz_ubc_rows[i] < 0)
			continue;
		vz_acct_describe(ctx, vz_ubc_rows[i], v1, &about);
		known = about.how == VZ_ACCT_IS_UNKNOWN ? json_null()
							: json_string(hows[about.how]);
		if (json_array_append_new(
			    list,
			    json_pack("{s:s, s:o, s:o, s:o, s:b}", "counter",
				      vz_ubc_descs[vz_ubc_rows[i]].name, "known", known,
				      "source", text_or_null(about.source), "enforced",
				      text_or_null(about.enforced), "live", about.live)))
			r = -ENOMEM;
	}
	if (!r && (json_dumpf(list, stdout, JSON_INDENT(2)) || putchar('\n') < 0))
		r = -EIO;
	json_decref(list);
	return r;
}
