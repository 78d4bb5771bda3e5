/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "vzlist/vzubc.h"

#define KEPT_MAX (64 << 20)

void blocks_done(struct blocks *b)
{
	free(b->v);
	*b = (struct blocks){ 0 };
}

const struct vz_ubc *blocks_find(const struct blocks *b, uint32_t veid)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].veid == veid)
			return &b->v[i];
	return NULL;
}

static void path_of(const char *dir, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", dir, name);
}

int kept_load(const char *dir, const char *name, struct blocks *ret, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int r;

	path_of(dir, name, path);
	r = vz_read_file(path, KEPT_MAX, &text, &len);
	if (r == -ENOENT)
		return 0;
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path);
	if (vz_ubc_parse(text, &ret->v, &ret->n))
		return vz_err_set(err, VZ_E_SYSTEM, 0,
				  "%s is damaged: remove it, or use -rc and -ic", path);
	return 0;
}

/* Who else may write to the directory could have us write to any file. */
static int make_dir(const char *dir, struct vz_err *err)
{
	struct stat st;
	int r = vz_mkdir_p(dir, 0700);

	if (!r && stat(dir, &st))
		r = -errno;
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't make %s", dir);
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return vz_err_set(err, VZ_E_SYSTEM, 0,
				  "%s can be written to by others: give -rd another "
				  "directory",
				  dir);
	return 0;
}

static int add_blocks(struct vz_str *text, const struct blocks *b,
		      const struct blocks *without)
{
	char buf[VZ_UBC_BLOCK_MAX];

	for (size_t i = 0; i < b->n; i++)
		if (!without || !blocks_find(without, b->v[i].veid))
			vz_str_addn(text, buf, vz_ubc_format(&b->v[i], 0, buf));
	return text->failed ? -ENOMEM : 0;
}

int kept_save(const char *dir, const char *name, const struct blocks *before,
	      const struct blocks *now, struct vz_err *err)
{
	vz_autostr struct vz_str text = { 0 };
	char path[PATH_MAX], head[VZ_UBC_BLOCK_MAX];
	int r = make_dir(dir, err);

	if (r)
		return r;
	path_of(dir, name, path);
	vz_str_addn(&text, head, vz_ubc_format_head(0, head));
	r = add_blocks(&text, before, now);
	if (!r)
		r = add_blocks(&text, now, NULL);
	if (!r)
		r = vz_replace_volatile(path, text.s, text.len);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write %s", path) : 0;
}

int kept_clear(const char *dir, const char *name, struct vz_err *err)
{
	char path[PATH_MAX];

	path_of(dir, name, path);
	if (unlink(path) && errno != ENOENT)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't remove %s", path);
	return 0;
}
