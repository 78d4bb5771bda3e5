/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/ids.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

int vz_ids_add(struct vz_ids *ids, uint32_t id)
{
	if (ids->n == ids->room) {
		size_t room = ids->room ? ids->room * 2 : 16;
		uint32_t *v = reallocarray(ids->v, room, sizeof(*v));

		if (!v)
			return -ENOMEM;
		ids->v = v;
		ids->room = room;
	}
	ids->v[ids->n++] = id;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void vz_ids_sort(struct vz_ids *ids)
{
	size_t n = 0;

	if (!ids->n)
		return;
	qsort(ids->v, ids->n, sizeof(*ids->v), by_id);
	for (size_t i = 0; i < ids->n; i++)
		if (!n || ids->v[n - 1] != ids->v[i])
			ids->v[n++] = ids->v[i];
	ids->n = n;
}

bool vz_ids_has(const struct vz_ids *ids, uint32_t id)
{
	return ids->n && bsearch(&id, ids->v, ids->n, sizeof(id), by_id);
}

void vz_ids_done(struct vz_ids *ids)
{
	free(ids->v);
	*ids = (struct vz_ids){ 0 };
}

bool vz_ids_plain(const char *name, uint32_t *ret_id)
{
	return *name != '0' && !vz_parse_veid(name, ret_id);
}

bool vz_ids_conf(const char *name, uint32_t *ret_id)
{
	const char *dot = strchr(name, '.');
	char num[16] = "";

	if (!dot || strcmp(dot, ".conf") || (size_t)(dot - name) >= sizeof(num))
		return false;
	memcpy(num, name, dot - name);
	return vz_ids_plain(num, ret_id);
}

bool vz_ids_dump(const char *name, uint32_t *ret_id)
{
	return !strncmp(name, "Dump.", 5) && vz_ids_plain(name + 5, ret_id);
}

int vz_ids_read(struct vz_ids *ids, const char *dir, vz_ids_name_fn name_fn)
{
	vz_autodir DIR *d = opendir(dir);
	struct dirent *e;
	uint32_t id;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d)))
		if (name_fn(e->d_name, &id) && vz_ids_add(ids, id))
			return -ENOMEM;
	vz_ids_sort(ids);
	return 0;
}

int vz_ids_defined(const struct vz_ctx *ctx, struct vz_ids *ids)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/conf", ctx->confdir);
	return vz_ids_read(ids, dir, vz_ids_conf);
}

int vz_ids_active(const struct vz_ctx *ctx, struct vz_ids *ids)
{
	return vz_ids_read(ids, ctx->rundir, vz_ids_plain);
}
