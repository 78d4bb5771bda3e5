/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/name.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/str.h"
#include "conf/conf.h"
#include "res/word.h"

static bool well_formed(const char *name)
{
	vz_autostr struct vz_str word = { 0 };

	return *name && !vz_word_name(name, &word);
}

/* The VEID of a link to …/VEID.conf; -ENOENT: it is none. */
static int link_target(const char *path, uint32_t *ret_id)
{
	char target[PATH_MAX], *base, *dot;
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return errno == EINVAL ? -ENOENT : -errno;
	target[n] = 0;
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	dot = strrchr(base, '.');
	if (!dot || strcmp(dot, ".conf"))
		return -ENOENT;
	*dot = 0;
	return vz_parse_veid(base, ret_id) ? -ENOENT : 0;
}

static bool file_agrees(const struct vz_ctx *ctx, uint32_t id, const char *name)
{
	vz_autofree char *path = vz_strf("%s/conf/%u.conf", ctx->confdir, id);
	vz_autoconf struct vz_conf *conf = NULL;
	const char *said;

	if (!path || vz_conf_load(ctx, path, &conf, NULL))
		return false;
	said = vz_conf_get(conf, "NAME");
	return said && !strcmp(said, name);
}

int vz_name_link(const struct vz_ctx *ctx, const char *name, uint32_t *ret_id)
{
	char path[PATH_MAX];

	if (!well_formed(name))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/names/%s", ctx->confdir, name);
	return link_target(path, ret_id);
}

int vz_name_find(const struct vz_ctx *ctx, const char *name, uint32_t *ret_id,
		 struct vz_err *err)
{
	uint32_t id;
	int r = vz_name_link(ctx, name, &id);

	if (r && r != -ENOENT)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read the link %s/names/%s",
				  ctx->confdir, name);
	if (r || !file_agrees(ctx, id, name))
		return -ENOENT;
	*ret_id = id;
	return 0;
}

int vz_name_check(const struct vz_ctx *ctx, uint32_t id, const char *name,
		  struct vz_err *err)
{
	uint32_t other;
	int r;

	if (!well_formed(name))
		return vz_err_set(err, VZ_E_NAME, 0,
				  "bad name \"%s\": expected letters, digits, blanks and "
				  "-+_.",
				  name);
	/* A word of digits is a number first: it may only be the VE's own. */
	if (name[strspn(name, "0123456789")] == 0 &&
	    (vz_parse_veid(name, &other) || other != id))
		return vz_err_set(err, VZ_E_NAME, 0,
				  "bad name \"%s\": it would be taken for a VE's number",
				  name);
	r = vz_name_find(ctx, name, &other, err);
	if (!r && other != id)
		return vz_err_set(err, VZ_E_NAME, 0, "the name \"%s\" is VE %u's", name,
				  other);
	return r == -ENOENT ? 0 : r;
}

static int make_link(const struct vz_ctx *ctx, uint32_t id, const char *name)
{
	vz_autofree char *dir = vz_strf("%s/names", ctx->confdir);
	vz_autofree char *path = vz_strf("%s/names/%s", ctx->confdir, name);
	vz_autofree char *tmp = vz_strf("%s/names/.%u.tmp", ctx->confdir, id);
	vz_autofree char *target = vz_strf("%s/conf/%u.conf", ctx->confdir, id);
	int r;

	if (!dir || !path || !tmp || !target)
		return -ENOMEM;
	r = vz_mkdir_p(dir, 0755);
	if (r)
		return r;
	unlink(tmp);
	if (symlink(target, tmp))
		return -errno;
	if (!rename(tmp, path))
		return 0;
	r = -errno;
	unlink(tmp);
	return r;
}

int vz_name_move(const struct vz_ctx *ctx, uint32_t id, const char *old, const char *name,
		 struct vz_err *err)
{
	vz_autofree char *path = NULL;
	uint32_t other;
	int r;

	if (name && *name) {
		r = make_link(ctx, id, name);
		if (r)
			return vz_err_set(err, VZ_E_NAME, -r,
					  "can't make the link %s/names/%s", ctx->confdir,
					  name);
	}
	if (!old || !well_formed(old) || (name && !strcmp(old, name)))
		return 0;
	path = vz_strf("%s/names/%s", ctx->confdir, old);
	if (path && !link_target(path, &other) && other == id && unlink(path) &&
	    errno != ENOENT)
		return vz_err_set(err, VZ_E_NAME, errno, "can't remove the link %s",
				  path);
	return 0;
}
