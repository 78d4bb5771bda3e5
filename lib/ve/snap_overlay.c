/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of overlay: each has a layer (its `layer`), and shows the chain from
 * there down. Of a VE that is not mounted it is the top one, and a new top over it is
 * begun: nothing is copied. The layers of a mounted overlay can't change, nor those of
 * one that is suspended, whose processes have their files open: then it is a
 * copy of the top, beside it in the tree, and the VE goes on with its own.
 *
 * A layer that no snapshot has and that is not the top is folded into the one over
 * it, when that is the only one and nothing is mounted.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "sys/ovfold.h"
#include "ve/dumpdir.h"
#include "ve/layout_overlay.h"
#include "ve/mount.h"
#include "ve/snap_priv.h"
#include "ve/still.h"

#define LAYER "layer "
/* The kernel stacks 500, and a mount's options are a page. */
enum { NAME_SIZE = 32, CHAIN_ENOUGH = 400 };

static uint32_t top_of(const struct vz_snaps *s)
{
	return vz_area_get_u64(&s->area, "overlay", "top", 0);
}

static void section_of(uint32_t layer, char buf[NAME_SIZE])
{
	snprintf(buf, NAME_SIZE, LAYER "%u", layer);
}

static uint32_t parent_of(const struct vz_snaps *s, uint32_t layer)
{
	char section[NAME_SIZE];

	section_of(layer, section);
	return vz_area_get_u64(&s->area, section, "parent", 0);
}

static int open_layer(const struct vz_snaps *s, uint32_t layer, const char *what)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "layers/%u/%s", layer, what);
	fd = openat(s->area.fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A new layer over `parent`, which is no base; its top as that of layer `like` is. */
static int add_layer(struct vz_snaps *s, uint32_t parent, uint32_t like, uint32_t *ret)
{
	vz_autofree char *path = vz_strf("%s/layers/%u/fs", s->area.path, like);

	return path ? vz_overlay_area_add(s->ve, &s->area, parent, path, ret) : -ENOMEM;
}

/* --- taking --- */

static int take_instantly(struct vz_snaps *s, const char *uuid, struct vz_err *err)
{
	uint32_t chain[VZ_OVERLAY_CHAIN_MAX], top = top_of(s), layer;
	size_t n;
	int r = vz_overlay_area_chain(&s->area, top, chain, &n, err);

	if (!r && n > CHAIN_ENOUGH)
		return vz_err_set(err, VZ_E_SNAP_CREATE, 0,
				  "VE %u has %zu snapshots on one another: delete some "
				  "first",
				  s->ve->id, n - 1);
	if (!r)
		r = add_layer(s, top, top, &layer);

	if (!r)
		r = vz_area_set_u64(&s->area, "overlay", "top", layer);
	return r ? r : vz_snaptree_set_num(s->tree, uuid, "layer", top);
}

/* The copy is the layer of the snapshot, over what the top is over. */
static int take_copy(struct vz_snaps *s, const char *uuid, struct vz_err *err)
{
	vz_autofd int from = -1, to = -1, at = -1, links = -1;
	vz_autostill struct vz_still still = VZ_STILL_NONE;
	uint32_t top = top_of(s), layer = vz_area_get_u64(&s->area, "overlay", "next", 1);
	char section[NAME_SIZE], path[64];
	int r;

	snprintf(path, sizeof(path), "layers/%u", layer);
	r = vz_remove_tree(s->area.fd, path);
	if (!r && mkdirat(s->area.fd, path, 0700))
		r = -errno;
	at = r ? -1 : openat(s->area.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!r && (at < 0 || mkdirat(at, "work", 0700) || mkdirat(at, "fs", 0700) ||
		   mkdirat(at, "links", 0700)))
		r = -errno;
	from = r ? r : open_layer(s, top, "fs");
	to = r ? r : open_layer(s, layer, "fs");
	links = r ? r : open_layer(s, layer, "links");
	if (from < 0 || to < 0 || links < 0)
		return r ? r : -EIO;
	s->total = vz_copy_size(from);
	r = s->held ? 0 : vz_still_processes(s->ve, &still, err);
	if (!r)
		r = vz_copy_tree(&s->copy, from, to, links);
	vz_still_end(&still);
	if (!r)
		r = vz_remove_tree(at, "links");
	section_of(layer, section);
	if (!r)
		r = vz_area_set_u64(&s->area, section, "parent", parent_of(s, top));
	if (!r)
		r = vz_area_set_u64(&s->area, "overlay", "next", layer + 1);
	return r ? r : vz_snaptree_set_num(s->tree, uuid, "layer", layer);
}

static int take(struct vz_snaps *s, const char *uuid, int fd, struct vz_err *err)
{
	struct vz_err why = { 0 };
	/* What a suspended VE has open it must not have to copy up anew. */
	bool in_use = vz_ve_mounted(s->ve) || vz_dumpdir_has(s->ve);
	int r = in_use ? take_copy(s, uuid, &why) : take_instantly(s, uuid, &why);

	if (r && !why.status)
		vz_err_set(&why, VZ_E_SNAP_CREATE, -r, "can't make a layer in %s/layers",
			   s->area.path);
	if (r && err)
		*err = why;
	return r;
}

/* --- switching --- */

static int select_one(struct vz_snaps *s, const char *uuid, struct vz_err *err)
{
	uint32_t from = vz_snaptree_num(s->tree, uuid, "layer"), layer;
	int r = from ? add_layer(s, from, from, &layer) : -EINVAL;

	if (!r)
		r = vz_area_set_u64(&s->area, "overlay", "top", layer);
	if (!r)
		r = vz_snaptree_set_current(s->tree, uuid);
	return r ? vz_err_set(err, VZ_E_SNAP_SWITCH, -r,
			      "can't make a layer over that of the snapshot {%s}", uuid)
		 : 0;
}

/* --- sweeping --- */

/* What lies on a layer: snapshots and the top have it, other layers are over it. */
struct use {
	size_t users, children;
	uint32_t child;
};

static struct use use_of(const struct vz_snaps *s, const struct vz_strv *layers,
			 uint32_t layer)
{
	vz_autofree struct vz_snap *snaps = NULL;
	struct use u = { .users = top_of(s) == layer };
	size_t n = 0;

	if (vz_snaptree_list(s->tree, &snaps, &n))
		u.users = SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		u.users += vz_snaptree_num(s->tree, snaps[i].uuid, "layer") == layer;
	for (size_t i = 0; i < layers->n; i++) {
		uint32_t id = strtoul(layers->v[i] + strlen(LAYER), NULL, 10);

		if (parent_of(s, id) != layer)
			continue;
		u.children++;
		u.child = id;
	}
	return u;
}

static int fold(struct vz_snaps *s, uint32_t layer, uint32_t child, struct vz_err *err)
{
	vz_autofd int lower = open_layer(s, layer, "fs");
	vz_autofd int upper = open_layer(s, child, "fs");
	char section[NAME_SIZE];
	int r = lower < 0 ? lower : upper < 0 ? upper : vz_ovfold(lower, upper);

	section_of(child, section);
	if (!r && syncfs(upper))
		r = -errno;
	if (!r)
		r = vz_area_set_u64(&s->area, section, "parent", parent_of(s, layer));
	return r ? vz_err_set(err, VZ_E_SNAP_MERGE, -r,
			      "can't fold layer %u of %s into layer %u", layer,
			      s->area.path, child)
		 : 0;
}

/* One layer less that nobody needs: 1 when there was one, 0 when there is none. */
static int reduce(struct vz_snaps *s, bool idle, bool *ret_left, struct vz_err *err)
{
	vz_autostrv struct vz_strv layers = { 0 };
	int r = vz_area_sections(&s->area, LAYER, &layers);

	*ret_left = false;
	for (size_t i = 0; !r && i < layers.n; i++) {
		uint32_t id = strtoul(layers.v[i] + strlen(LAYER), NULL, 10);
		struct use u = use_of(s, &layers, id);

		if (u.users || u.children > 1)
			continue;
		if (u.children && !idle) {
			*ret_left = true;
			continue;
		}
		r = u.children ? fold(s, id, u.child, err) : 0;
		if (r)
			return r;
		vz_area_drop_section(&s->area, layers.v[i]);
		r = vz_area_save(&s->area, false, err);
		return r ? r : 1;
	}
	return r;
}

/* Directories of layers that the marker does not name. */
static int sweep_dirs(struct vz_snaps *s, struct vz_err *err)
{
	int fd = openat(s->area.fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	vz_autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char section[NAME_SIZE];
	struct dirent *e;
	uint64_t id;

	while (!r && d && (e = readdir(d))) {
		if (vz_parse_u64(e->d_name, UINT32_MAX, &id))
			continue;
		section_of(id, section);
		if (vz_area_get(&s->area, section, "parent"))
			continue;
		r = vz_remove_tree(fd, e->d_name);
		if (r)
			vz_err_set(err, VZ_E_SNAP_DELETE, -r,
				   "can't remove the layer %s of %s", e->d_name,
				   s->area.path);
	}
	return r;
}

static int sweep(struct vz_snaps *s, bool idle, struct vz_err *err)
{
	bool left = false;
	int r;

	do
		r = reduce(s, idle, &left, err);
	while (r == 1);
	if (!r)
		r = sweep_dirs(s, err);
	return r ? r : left;
}

static int mount_one(struct vz_snaps *s, const char *uuid, int *ret_mnt,
		     struct vz_err *err)
{
	struct vz_layout_mount how = {
		.read_only = true,
		.layer = vz_snaptree_num(s->tree, uuid, "layer"),
	};
	int r = s->layout->mount(s->ve, &s->area, &how, ret_mnt, err);

	if (r && err)
		err->status = VZ_E_SNAP_MOUNT;
	return r;
}

const struct vz_snap_ops vz_snap_overlay = {
	.take = take,
	.select = select_one,
	.sweep = sweep,
	.mount = mount_one,
};
