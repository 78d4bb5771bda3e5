/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/node.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "base/str.h"
#include "conf/peek.h"
#include "res/value.h"
#include "ve/ids.h"
#include "ve/state.h"

/* The keys of a VE's file that boot looks at. */
enum { ONBOOT, BOOTORDER, DISABLED, KEYS };
static const enum vz_param_id params[KEYS] = {
	[ONBOOT] = VZ_P_ONBOOT,
	[BOOTORDER] = VZ_P_BOOTORDER,
	[DISABLED] = VZ_P_DISABLED,
};

/* One VEID a line. */
static void remembered_path(const struct vz_ctx *ctx, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/running", ctx->statedir);
}

static int read_remembered(const struct vz_ctx *ctx, struct vz_ids *ret,
			   struct vz_err *err)
{
	vz_autofree char *text = NULL;
	char path[PATH_MAX], *save = NULL, *line;
	uint32_t id;
	int r;

	remembered_path(ctx, path);
	r = vz_read_file(path, 16 << 20, &text, NULL);
	if (r == -ENOENT)
		return 0;
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (vz_ids_plain(line, &id) && vz_ids_add(ret, id))
			return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't read %s",
					  path);
	vz_ids_sort(ret);
	return 0;
}

/* False: not set, or not so that it means anything. */
static bool number(const struct vz_ctx *ctx, uint32_t id, enum vz_param_id param,
		   const char *text, uint64_t *ret)
{
	vz_autovalue struct vz_value v = { 0 };

	if (!text)
		return false;
	if (vz_value_parse(&vz_params[param], 0, text, &v)) {
		vz_warn(ctx, "VE %u: %s=\"%s\" is not understood and left out", id,
			vz_params[param].key, text);
		return false;
	}
	*ret = v.num;
	return true;
}

static int load_ve(const struct vz_ctx *ctx, struct vz_peek *peek, struct vz_node_ve *ve)
{
	const char *keys[KEYS], *values[KEYS];
	char path[PATH_MAX];
	uint64_t num;
	int r;

	for (int i = 0; i < KEYS; i++)
		keys[i] = vz_params[params[i]].key;
	snprintf(path, sizeof(path), "%s/conf/%u.conf", ctx->confdir, ve->id);
	r = vz_peek_read(peek, AT_FDCWD, path, keys, KEYS, values);
	if (r)
		return r;
	if (number(ctx, ve->id, params[ONBOOT], values[ONBOOT], &num))
		ve->onboot = num ? VZ_ONBOOT_YES : VZ_ONBOOT_NO;
	ve->has_order =
		number(ctx, ve->id, params[BOOTORDER], values[BOOTORDER], &ve->order);
	if (number(ctx, ve->id, params[DISABLED], values[DISABLED], &num))
		ve->disabled = num;
	return 0;
}

static int by_order(const void *va, const void *vb)
{
	const struct vz_node_ve *a = va, *b = vb;

	if (a->has_order != b->has_order)
		return a->has_order ? -1 : 1;
	if (a->order != b->order)
		return a->order > b->order ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static int load_all(const struct vz_ctx *ctx, const struct vz_ids *ids,
		    const struct vz_ids *active, const struct vz_ids *ran,
		    struct vz_node *node)
{
	struct vz_peek peek = { 0 };

	node->ves = calloc(ids->n + 1, sizeof(*node->ves));
	if (!node->ves)
		return -ENOMEM;
	for (size_t i = 0; i < ids->n; i++) {
		struct vz_node_ve *ve = &node->ves[node->n];
		int r;

		*ve = (struct vz_node_ve){ .id = ids->v[i] };
		r = load_ve(ctx, &peek, ve);
		ve->running =
			vz_ids_has(active, ve->id) && vz_state_running(ctx, ve->id) == 1;
		ve->ran = vz_ids_has(ran, ve->id);
		/* One that runs counts even when its file is gone. */
		if (r && r != -ENOENT)
			vz_warn(ctx, "can't read %s/conf/%u.conf: %s", ctx->confdir,
				ve->id, strerror(-r));
		if (!r || ve->running)
			node->n++;
	}
	vz_peek_done(&peek);
	qsort(node->ves, node->n, sizeof(*node->ves), by_order);
	return 0;
}

int vz_node_load(const struct vz_ctx *ctx, struct vz_node *ret, struct vz_err *err)
{
	vz_autoids struct vz_ids ids = { 0 }, active = { 0 }, ran = { 0 };
	vz_autonode struct vz_node node = { 0 };
	int r = read_remembered(ctx, &ran, err);

	if (r)
		return r;
	r = vz_ids_defined(ctx, &ids);
	if (!r)
		r = vz_ids_active(ctx, &active);
	for (size_t i = 0; !r && i < active.n; i++)
		r = vz_ids_add(&ids, active.v[i]);
	vz_ids_sort(&ids);
	if (!r)
		r = load_all(ctx, &ids, &active, &ran, &node);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't list the VEs of %s/conf",
				  ctx->confdir);
	*ret = node;
	node = (struct vz_node){ 0 };
	return 0;
}

void vz_node_done(struct vz_node *node)
{
	free(node->ves);
	*node = (struct vz_node){ 0 };
}

bool vz_node_starts(const struct vz_node_ve *ve)
{
	return ve->onboot == VZ_ONBOOT_YES || (ve->ran && ve->onboot != VZ_ONBOOT_NO);
}

int vz_node_remember(const struct vz_ctx *ctx, const struct vz_node *node,
		     struct vz_err *err)
{
	vz_autostr struct vz_str text = { 0 };
	char path[PATH_MAX];
	int r;

	for (size_t i = 0; i < node->n; i++)
		if (node->ves[i].running || node->ves[i].ran)
			vz_str_addf(&text, "%u\n", node->ves[i].id);
	remembered_path(ctx, path);
	r = text.failed ? -ENOMEM : vz_mkdir_p(ctx->statedir, 0755);
	if (!r)
		r = vz_replace_file(path, text.s ?: "", text.len, 0644);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r,
			      "can't write down in %s which VEs run", path)
		 : 0;
}

int vz_node_forget(const struct vz_ctx *ctx, struct vz_err *err)
{
	char path[PATH_MAX];

	remembered_path(ctx, path);
	if (unlink(path) && errno != ENOENT)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't remove %s", path);
	return 0;
}
