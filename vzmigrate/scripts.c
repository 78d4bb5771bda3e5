/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/scripts.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

static const char *const names[] = { "premount", "mount",  "start",
				     "stop",	 "umount", "postumount" };

static char *place(const struct vz_ctx *ctx, uint32_t veid, const char *name)
{
	return vz_strf("%s/conf/%u.%s", ctx->confdir, veid, name);
}

/* 1 when there is one. */
static int read_one(const char *path, char **ret, size_t *ret_len)
{
	int r = path ? vz_read_file(path, SCRIPT_MAX, ret, ret_len) : -ENOMEM;

	return r == -ENOENT ? 0 : r ? r : 1;
}

json_t *scripts_pack(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err)
{
	autojson json_t *all = json_object();

	for (size_t i = 0; i < VZ_ARRAY_SIZE(names); i++) {
		vz_autofree char *path = place(ctx, veid, names[i]), *text = NULL;
		size_t len;
		int r = read_one(path, &text, &len);

		if (r > 0 && json_object_set_new(all, names[i], wire_hex(text, len)))
			r = -ENOMEM;
		if (r < 0) {
			mig_fail(err, MIG_E_SYSTEM, -r, "can't read %s", path);
			return NULL;
		}
	}
	return vz_take(all);
}

int scripts_unpack(const json_t *ask, const char *staging, uint32_t veid,
		   struct vz_err *err)
{
	const json_t *all = json_object_get(ask, "scripts");

	for (size_t i = 0; i < VZ_ARRAY_SIZE(names); i++) {
		vz_autofree char *path =
			vz_strf("%s/conf/%u.%s", staging, veid, names[i]);
		vz_autofree char *text = NULL;
		size_t len;
		int r;

		if (!json_object_get(all, names[i]))
			continue;
		r = wire_bytes(all, names[i], SCRIPT_MAX, &text, &len, err);
		if (r)
			return r;
		r = path ? vz_replace_file(path, text, len, 0755) : -ENOMEM;
		if (r)
			return mig_fail(err, MIG_E_CONFIG, -r, "can't write %s", path);
	}
	return 0;
}

int scripts_place(const struct vz_ctx *ctx, const char *staging, uint32_t veid,
		  struct vz_err *err)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(names); i++) {
		vz_autofree char *from =
			vz_strf("%s/conf/%u.%s", staging, veid, names[i]);
		vz_autofree char *to = place(ctx, veid, names[i]), *text = NULL;
		size_t len;
		int r = read_one(from, &text, &len);

		if (r > 0)
			r = to ? vz_replace_file(to, text, len, 0755) : -ENOMEM;
		if (r < 0)
			return mig_fail(err, MIG_E_CONFIG, -r, "can't write %s", to);
	}
	return 0;
}

void scripts_remove(const struct vz_ctx *ctx, uint32_t veid)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(names); i++) {
		vz_autofree char *path = place(ctx, veid, names[i]);

		if (path)
			unlink(path);
	}
}
