/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vztmpl verify, vztmpl remove: a template's file and its checksum. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "sys/hold.h"
#include "templates/cache.h"
#include "tool/opt.h"
#include "ve/template.h"

static const char *const exts[] = { ".tar.zst", ".tar.gz", ".tar.xz" };

/* The names on the command line, all well-formed, at least one. */
static int names(const struct tmpl_inv *inv, struct vz_strv *ret)
{
	struct vz_opt_parse how = { .words = ret };
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	if (!r && !ret->n)
		r = vz_err_set(inv->err, VZ_E_NOPARAM, 0,
			       "no template named: vztmpl %s NAME ...", inv->argv[0]);
	for (size_t i = 0; !r && i < ret->n; i++)
		r = tmpl_name(inv, ret->v[i]);
	return r;
}

static int verify(const struct tmpl_inv *inv, const char *name)
{
	vz_autofree char *path = NULL, *sum = NULL, *text = NULL;
	int out[2];
	vz_autofd int from = -1, to = -1;
	const char *argv[] = { "sha256sum", "--binary", "--", NULL, NULL };
	char hex[64];
	size_t len;
	int r = vz_template_find(inv->dir, name, &path, inv->err);

	if (r)
		return r;
	sum = vz_strf("%s.sha256", path);
	r = sum ? vz_read_file(sum, 4096, &text, &len) : -ENOMEM;
	if (r == -ENOENT)
		return vz_err_set(inv->err, VZ_E_BADTEMPLATE, 0,
				  "%s has no checksum to compare with (%s)", name, sum);
	if (r)
		return vz_err_set(inv->err, VZ_E_SYSTEM, -r, "can't read %s", sum);
	argv[3] = path;
	if (pipe2(out, O_CLOEXEC))
		return vz_err_set(inv->err, VZ_E_SYSTEM, errno, "can't make a pipe");
	from = out[0];
	to = out[1];
	/* A line fits into the pipe: no one has to read meanwhile. */
	r = tmpl_run(inv, argv, (int[3]){ -1, to, 2 }, "the checksum");
	if (r)
		return r;
	if (read(from, hex, sizeof(hex)) != sizeof(hex) || len < sizeof(hex) ||
	    memcmp(hex, text, sizeof(hex)))
		return vz_err_set(inv->err, VZ_E_BADTEMPLATE, 0,
				  "%s is damaged: the checksum is not that of %s", path,
				  sum);
	printf("%s: good\n", name);
	return 0;
}

static int run_verify(struct tmpl_inv *inv)
{
	struct vz_strv list = { 0 };
	vz_autohold struct vz_hold hold;
	int r = names(inv, &list);

	vz_hold_begin(&hold);
	for (size_t i = 0; !r && i < list.n; i++)
		r = verify(inv, list.v[i]);
	vz_strv_done(&list);
	return r;
}

static int remove_one(const struct tmpl_inv *inv, const char *file)
{
	if (!unlink(file) || errno == ENOENT)
		return 0;
	return vz_err_set(inv->err, VZ_E_SYSTEM, errno, "can't remove %s", file);
}

/* All its files, and the sums last: see tmpl_install(). */
static int remove_template(const struct tmpl_inv *inv, const char *name)
{
	vz_autofree char *path = NULL;
	int r = vz_template_find(inv->dir, name, &path, inv->err);

	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(exts); i++) {
		vz_autofree char *file =
			vz_strf("%s/cache/%s%s", inv->dir, name, exts[i]);
		vz_autofree char *sum = file ? vz_strf("%s.sha256", file) : NULL;

		if (!sum)
			return vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM,
					  "can't remove %s", name);
		r = remove_one(inv, file);
		if (!r)
			r = remove_one(inv, sum);
	}
	return r;
}

static int run_remove(struct tmpl_inv *inv)
{
	struct vz_strv list = { 0 };
	int r = names(inv, &list);

	for (size_t i = 0; !r && i < list.n; i++) {
		tmpl_autowork struct tmpl_work w = TMPL_WORK_NONE;

		r = tmpl_work_begin(inv, list.v[i], &w);
		if (!r)
			r = remove_template(inv, list.v[i]);
	}
	vz_strv_done(&list);
	return r;
}

const struct tmpl_cmd tmpl_cmd_verify = {
	.name = "verify",
	.args = "NAME ...",
	.help = "compare templates with their checksums",
	.run = run_verify,
};

const struct tmpl_cmd tmpl_cmd_remove = {
	.name = "remove",
	.args = "NAME ...",
	.help = "remove templates; VEs that were made of them stay",
	.run = run_remove,
};
