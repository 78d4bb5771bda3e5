/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vztmpl list: what there is. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "templates/vztmpl.h"
#include "tool/opt.h"
#include "ve/template.h"
#include "ve/unpacked.h"

static bool has_sum(const struct vz_template *t)
{
	vz_autofree char *path = vz_strf("%s.sha256", t->path);

	return path && !access(path, R_OK);
}

static bool is_default(const struct tmpl_inv *inv, const struct vz_template *t)
{
	return inv->def && !strcmp(inv->def, t->name);
}

static void print_text(const struct tmpl_inv *inv, const struct vz_templates *t,
		       bool header)
{
	char made[32];
	struct tm tm;

	if (header)
		printf("%-32s %9s %-6s %s\n", "NAME", "SIZE", "FORMAT", "MADE");
	for (size_t i = 0; i < t->n; i++) {
		const struct vz_template *v = &t->v[i];

		localtime_r(&v->mtime, &tm);
		strftime(made, sizeof(made), "%Y-%m-%d", &tm);
		printf("%-32s %8.1fM %-6s %s%s\n", v->name, v->size / 1048576.0,
		       v->ext + strlen(".tar."), made,
		       is_default(inv, v) ? " default" : "");
	}
}

static int print_json(const struct tmpl_inv *inv, const struct vz_templates *t)
{
	json_t *all = json_array();
	int r = 0;

	for (size_t i = 0; !r && i < t->n; i++) {
		const struct vz_template *v = &t->v[i];

		r = json_array_append_new(
			all,
			json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:b}", "name", v->name,
				  "path", v->path, "format", v->ext + strlen(".tar."),
				  "size", (json_int_t)v->size, "mtime",
				  (json_int_t)v->mtime, "checksum", has_sum(v), "default",
				  is_default(inv, v)));
	}
	if (!r)
		r = json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(all);
	putchar('\n');
	return r ? vz_err_set(inv->err, VZ_E_SYSTEM, 0, "can't write JSON") : 0;
}

static void print_unpacked(const struct vz_unpacked_list *l, bool header)
{
	char made[32];
	struct tm tm;

	if (header)
		printf("%-12s %-32s %5s %s\n", "DIGEST", "TEMPLATE", "VES", "UNPACKED");
	for (size_t i = 0; i < l->n; i++) {
		const struct vz_unpacked_version *v = &l->v[i];

		localtime_r(&v->made, &tm);
		strftime(made, sizeof(made), "%Y-%m-%d %H:%M", &tm);
		printf("%.12s %-32s %5zu %s\n", v->digest,
		       v->template ? v->template : "-", v->users, made);
	}
}

static int print_unpacked_json(const struct tmpl_inv *inv,
			       const struct vz_unpacked_list *l)
{
	json_t *all = json_array();
	int r = 0;

	for (size_t i = 0; !r && i < l->n; i++) {
		const struct vz_unpacked_version *v = &l->v[i];

		r = json_array_append_new(
			all, json_pack("{s:s, s:s?, s:I, s:I, s:I}", "digest", v->digest,
				       "template", v->template, "size",
				       (json_int_t)v->bytes, "unpacked",
				       (json_int_t)v->made, "ves", (json_int_t)v->users));
	}
	if (!r)
		r = json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(all);
	putchar('\n');
	return r ? vz_err_set(inv->err, VZ_E_SYSTEM, 0, "can't write JSON") : 0;
}

static int list_unpacked(const struct tmpl_inv *inv, bool json, bool header)
{
	vz_autounpackedlist struct vz_unpacked_list l = { 0 };
	int r = vz_unpacked_list(inv->ctx, inv->dir, &l, inv->err);

	if (r)
		return r;
	if (json)
		return print_unpacked_json(inv, &l);
	print_unpacked(&l, header);
	return 0;
}

static int run(struct tmpl_inv *inv)
{
	static const struct vz_opt own[] = {
		{ "json", 'j', NULL, "as JSON" },
		{ "no-header", 'H', NULL, "without the header line" },
		{ "unpacked", 'u', NULL,
		  "the versions that are unpacked, and for how many VEs" },
		{ 0 },
	};
	const char *value[3] = { NULL };
	struct vz_opt_parse how = { .own = own, .ret_values = value };
	vz_autotemplates struct vz_templates t = { 0 };
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	if (!r && value[2])
		return list_unpacked(inv, value[0], !value[1]);
	if (!r)
		r = vz_template_list(inv->dir, &t, inv->err);
	if (r)
		return r;
	if (value[0])
		return print_json(inv, &t);
	print_text(inv, &t, !value[1]);
	return 0;
}

const struct tmpl_cmd tmpl_cmd_list = {
	.name = "list",
	.args = "[-u] [-j] [-H]",
	.help = "show the templates that there are; -u: what is unpacked of them",
	.run = run,
};
