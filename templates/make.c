/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vztmpl make: a maker's script fills a directory, which becomes an archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "sys/hold.h"
#include "templates/cache.h"
#include "tool/opt.h"

/* What packs each format; a template is made once and unpacked often. */
static const struct format {
	const char *name, *ext, *packer;
} formats[] = {
	{ "zst", ".tar.zst", "zstd -q -T0 -12" },
	{ "gz", ".tar.gz", "gzip -9n" },
	{ "xz", ".tar.xz", "xz -q -T0" },
};

static const struct format *find_format(const struct tmpl_inv *inv, const char *name)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	vz_err_set(inv->err, VZ_E_VALUE, 0, "bad format '%s': expected zst, gz or xz",
		   name);
	return NULL;
}

/* The maker of debian-12-x86_64 is debian.sh. */
static int find_maker(const struct tmpl_inv *inv, const char *name, char **ret)
{
	size_t n = strcspn(name, "-");
	vz_autofree char *path =
		vz_strf("%s/templates/%.*s.sh", inv->ctx->libexecdir, (int)n, name);

	if (!path)
		return vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM, "can't make %s", name);
	if (access(path, R_OK))
		return vz_err_set(inv->err, VZ_E_NOTEMPLATE, 0,
				  "nothing here makes '%s': see vztmpl(8) for the names "
				  "(no %s)",
				  name, path);
	*ret = vz_take(path);
	return 0;
}

/* The last line that a maker said is why it failed. */
static void take_reason(const struct tmpl_inv *inv, const char *log)
{
	vz_autofree char *text = NULL;
	size_t len;
	char *line;

	if (vz_read_file(log, 64 << 20, &text, &len))
		return;
	while (len && text[len - 1] == '\n')
		text[--len] = 0;
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (*line)
		vz_err_set(inv->err, VZ_E_BADTEMPLATE, 0, "%s", line);
}

static int fill(const struct tmpl_inv *inv, const char *maker, const char *name,
		const struct tmpl_work *w)
{
	vz_autofree char *root = vz_strf("%s/root", w->dir);
	vz_autofree char *log = vz_strf("%s/log", w->dir);
	const char *const argv[] = { "sh", maker, name, root, NULL };
	vz_autofd int out = -1;
	int fd, r;

	if (!root || !log || mkdir(root, 0755))
		return vz_err_set(inv->err, VZ_E_SYSTEM, errno, "can't make %s/root",
				  w->dir);
	out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (out < 0)
		return vz_err_set(inv->err, VZ_E_SYSTEM, errno, "can't make %s", log);
	fd = inv->verbose ? STDERR_FILENO : out;
	r = tmpl_run(inv, argv, (int[3]){ -1, fd, fd }, "the maker");
	if (r && !vz_hold_struck() && !inv->verbose)
		take_reason(inv, log);
	if (r)
		vz_err_prefix(inv->err, "%s", name);
	return r;
}

/* In one order, by number, with what create keeps and nothing of the node. */
static int pack(const struct tmpl_inv *inv, const char *file, const struct format *f,
		const struct tmpl_work *w)
{
	vz_autofree char *root = vz_strf("%s/root", w->dir);
	const char *const argv[] = { "tar",
				     "--create",
				     "--file",
				     file,
				     "--directory",
				     root,
				     "--use-compress-program",
				     f->packer,
				     "--format=posix",
				     "--pax-option=delete=atime,delete=ctime",
				     "--sort=name",
				     "--numeric-owner",
				     "--one-file-system",
				     "--xattrs",
				     "--acls",
				     ".",
				     NULL };

	if (!root)
		return vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM, "can't pack %s", file);
	return tmpl_run(inv, argv, (int[3]){ -1, 2, 2 }, "packing");
}

static int make(const struct tmpl_inv *inv, const char *name, const struct format *f)
{
	tmpl_autowork struct tmpl_work w = TMPL_WORK_NONE;
	vz_autofree char *maker = NULL, *file = NULL;
	int r = find_maker(inv, name, &maker);

	if (!r)
		r = tmpl_work_begin(inv, name, &w);
	if (r)
		return r;
	file = vz_strf("%s/new%s", w.dir, f->ext);
	if (!file)
		return vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM, "can't make %s", name);
	r = fill(inv, maker, name, &w);
	if (!r)
		r = pack(inv, file, f, &w);
	if (!r)
		r = tmpl_install(inv, file, name, f->ext, NULL);
	if (!r)
		printf("%s/cache/%s%s\n", inv->dir, name, f->ext);
	return r;
}

static int run(struct tmpl_inv *inv)
{
	static const struct vz_opt own[] = {
		{ "format", 0, "zst|gz|xz", "how the archive is packed; zst" },
		{ 0 },
	};
	const char *value[1] = { "zst" };
	struct vz_strv words = { 0 };
	struct vz_opt_parse how = { .own = own, .ret_values = value, .words = &words };
	vz_autohold struct vz_hold hold;
	const struct format *f = NULL;
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	vz_hold_begin(&hold);
	if (!r && words.n != 1)
		r = vz_err_set(inv->err, VZ_E_NOPARAM, 0,
			       "one template is made at a time: vztmpl make NAME");
	if (!r)
		r = tmpl_name(inv, words.v[0]);
	if (!r) {
		f = find_format(inv, value[0]);
		r = f ? make(inv, words.v[0], f) : -EINVAL;
	}
	vz_strv_done(&words);
	return r;
}

const struct tmpl_cmd tmpl_cmd_make = {
	.name = "make",
	.args = "NAME [--format zst|gz|xz]",
	.help = "make a template: busybox-ARCH, debian-N-ARCH, debian-N-sysvinit-ARCH "
		"...",
	.run = run,
};
