/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overlay: the VE's own files over a template that is unpacked once for all.
 *
 *	area.ini	[overlay] base = DIGEST, top = N
 *			[layer N] parent = M; 0: the base
 *	layers/N/fs	what layer N has, with the VE's ids and overlayfs' marks
 *	layers/N/work	overlayfs' own, of the layer that is written to
 *	layers/base	empty: the place in the mount's own namespace for the template
 *
 * Layers are a tree by their parents. The VE sees the chain from `top` down to the
 * base, and writes to the top only: a snapshot is a new top whose parent is the old
 * one. Numbers are not used again. What the marker does not name is garbage of a
 * killed command.
 */
#include "ve/layout_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "sys/attrcopy.h"
#include "sys/digest.h"
#include "sys/overlay.h"
#include "ve/snap_priv.h"
#include "ve/unpacked.h"

enum { VERSION = 1 };

static const char *base_dir(const struct vz_ve *ve, struct vz_err *err)
{
	const char *dir = vz_cfg_str(ve->cfg, VZ_P_TEMPLATE);

	if (!dir)
		vz_err_set(err, VZ_E_NO_TEMPLATE_SET, 0,
			   "TEMPLATE is not set in vz.conf");
	return dir;
}

static int damaged(const struct vz_area *a, const char *what, struct vz_err *err)
{
	return vz_err_set(err, VZ_E_NOPRIVATE, EBADMSG,
			  "the private area %s is damaged: %s", a->path, what);
}

static void section_of(uint32_t layer, char buf[32])
{
	snprintf(buf, 32, "layer %u", layer);
}

int vz_overlay_area_chain(const struct vz_area *a, uint32_t top,
			  uint32_t ret[VZ_OVERLAY_CHAIN_MAX], size_t *ret_n,
			  struct vz_err *err)
{
	char section[32];
	size_t n = 0;

	if (!top)
		top = vz_area_get_u64(a, "overlay", "top", 0);
	if (!top)
		return damaged(a, "its " VZ_AREA_MARKER " says no layer", err);
	for (uint32_t layer = top; layer;) {
		uint64_t parent;

		section_of(layer, section);
		parent = vz_area_get_u64(a, section, "parent", UINT64_MAX);
		/* A layer's parent is older, so a chain comes to its end. */
		if (parent >= layer || n == VZ_OVERLAY_CHAIN_MAX)
			return damaged(a, "its layers are no chain", err);
		ret[n++] = layer;
		layer = parent;
	}
	*ret_n = n;
	return 0;
}

/* --- a new one --- */

/*
 * The top of the VE's tree is this layer's own: as that of the template, whose ids count
 * from 0, or of another layer.
 */
static int make_top(const struct vz_ve *ve, int fd, const char *like, bool is_base)
{
	uid_t uid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID);
	gid_t gid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID);
	vz_autofd int from = open(like, O_RDONLY | O_DIRECTORY | O_CLOEXEC), top = -1;
	struct timespec times[2];
	struct stat st;
	int r;

	if (from < 0 || fstat(from, &st) || mkdirat(fd, "fs", 0700))
		return -errno;
	top = openat(fd, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (top < 0 ||
	    fchown(top, st.st_uid + (is_base ? uid : 0),
		   st.st_gid + (is_base ? gid : 0)) ||
	    fchmod(top, st.st_mode & 07777))
		return -errno;
	r = vz_attrcopy(from, is_base ? 0 : uid, is_base ? 0 : gid, top, uid, gid);
	return r || !futimens(top, times) ? r : -errno;
}

int vz_overlay_area_add(const struct vz_ve *ve, struct vz_area *a, uint32_t parent,
			const char *like, uint32_t *ret)
{
	uint32_t layer = vz_area_get_u64(a, "overlay", "next", 1);
	vz_autofd int fd = -1;
	char path[64], section[32];
	int r;

	snprintf(path, sizeof(path), "layers/%u", layer);
	r = vz_remove_tree(a->fd, path);
	if (r)
		return r;
	if (mkdirat(a->fd, path, 0700))
		return -errno;
	fd = openat(a->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mkdirat(fd, "work", 0700))
		return -errno;
	r = make_top(ve, fd, like, !parent);
	section_of(layer, section);
	if (!r)
		r = vz_area_set_u64(a, section, "parent", parent);
	if (!r)
		r = vz_area_set_u64(a, "overlay", "next", layer + 1);
	if (!r)
		*ret = layer;
	return r;
}

static int fill(const struct vz_ve *ve, struct vz_area *a, const char *base,
		const char *digest)
{
	uint32_t layer;
	int r;

	if (mkdirat(a->fd, "layers", 0700) || mkdirat(a->fd, "layers/base", 0700))
		return -errno;
	r = vz_area_set(a, "overlay", "base", digest);
	if (!r)
		r = vz_overlay_area_add(ve, a, 0, base, &layer);
	return r ? r : vz_area_set_u64(a, "overlay", "top", layer);
}

static int begin(const struct vz_ve *ve, const char *path, int fd,
		 const struct vz_layout_new *how, struct vz_err *err)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	vz_autofree char *base = NULL;
	const char *dir = base_dir(ve, err);
	int r = dir ? vz_unpacked_root(dir, how->base, &base, err) : -EINVAL;

	if (!r)
		r = vz_area_new(path, fd, "overlay", VERSION, ve->id, &a, err);
	if (r)
		return r;
	r = fill(ve, &a, base, how->base);
	if (r)
		return vz_err_set(err,
				  r == -ENOSPC || r == -EDQUOT ? VZ_E_NOSPACE
							       : VZ_E_NEWPRIVATE,
				  -r, "can't make layers in %s", path);
	return vz_area_save(&a, true, err);
}

/* --- a look at one --- */

static int check_layers(const struct vz_ve *ve, const struct vz_area *a,
			struct vz_err *err)
{
	uint32_t chain[VZ_OVERLAY_CHAIN_MAX];
	char path[64], what[100];
	vz_autofd int top = -1;
	struct stat st;
	size_t n;
	int r = vz_overlay_area_chain(a, 0, chain, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		snprintf(path, sizeof(path), "layers/%u/fs", chain[i]);
		snprintf(what, sizeof(what), "its %s is missing", path);
		if (fstatat(a->fd, path, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISDIR(st.st_mode))
			r = damaged(a, what, err);
	}
	if (r)
		return r;
	snprintf(path, sizeof(path), "layers/%u/fs", chain[0]);
	top = openat(a->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return vz_layout_check_owner(ve, a, top, err);
}

static int check(const struct vz_ve *ve, const struct vz_area *a, struct vz_err *err)
{
	vz_autofree char *base = NULL;
	const char *digest = vz_area_get(a, "overlay", "base");
	const char *dir = base_dir(ve, err);
	int r;

	if (!dir)
		return -EINVAL;
	if (!digest || !vz_digest_valid(digest))
		return damaged(a, "its " VZ_AREA_MARKER " names no template", err);
	r = vz_unpacked_root(dir, digest, &base, err);
	if (r) {
		vz_err_prefix(err, "the private area %s", a->path);
		return r;
	}
	return check_layers(ve, a, err);
}

/* --- mount --- */

/* What is to be mounted, with the room for its names. */
struct plan {
	struct vz_overlay o;
	char *dir, *base;
	char names[VZ_OVERLAY_CHAIN_MAX][16];
	const char *layer[VZ_OVERLAY_CHAIN_MAX];
	char work[16];
	int idmap;
};

static void plan_done(struct plan **p)
{
	if (!*p)
		return;
	free((*p)->dir);
	free((*p)->base);
	if ((*p)->idmap >= 0)
		close((*p)->idmap);
	free(*p);
}

static int plan_layers(struct plan *p, const struct vz_area *a,
		       const struct vz_layout_mount *how, struct vz_err *err)
{
	uint32_t chain[VZ_OVERLAY_CHAIN_MAX];
	size_t n;
	int r = vz_overlay_area_chain(a, how->layer, chain, &n, err);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		snprintf(p->names[i], sizeof(p->names[i]), "%u/fs", chain[i]);
		p->layer[i] = p->names[i];
	}
	snprintf(p->work, sizeof(p->work), "%u/work", chain[0]);
	p->o.layer = p->layer;
	p->o.layers = n;
	if (!how->read_only) {
		p->o.upper = p->layer[0];
		p->o.work = p->work;
		p->o.layer++;
		p->o.layers--;
	}
	return 0;
}

static int plan_base(struct plan *p, const struct vz_ve *ve, const struct vz_area *a,
		     struct vz_err *err)
{
	uid_t uid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID);
	gid_t gid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID);
	const char *dir = base_dir(ve, err), *digest = vz_area_get(a, "overlay", "base");
	int r = dir && digest ? vz_unpacked_root(dir, digest, &p->base, err) : -EINVAL;

	if (r)
		return r;
	/* By its path: a descriptor would lead out of the mount's own namespace. */
	p->dir = vz_strf("%s/layers", a->path);
	if (!p->dir)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't mount %s", a->path);
	p->o.dir = p->dir;
	p->o.base = p->base;
	p->o.base_at = "base";
	r = uid ? vz_overlay_idmap(uid, gid, VZ_ID_RANGE) : -1;
	p->o.idmap = p->idmap = r;
	return uid && r < 0
		       ? vz_err_set(err, VZ_E_KERNEL, -r,
				    "can't make a user namespace for the ids of VE %u",
				    ve->id)
		       : 0;
}

static int mount_area(const struct vz_ve *ve, const struct vz_area *a,
		      const struct vz_layout_mount *how, int *ret_mnt, struct vz_err *err)
{
	VZ_CLEANUP(plan_done) struct plan *p = calloc(1, sizeof(*p));
	const char *step;
	int r;

	if (!p)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't mount %s", a->path);
	p->idmap = -1;
	r = plan_base(p, ve, a, err);
	if (!r)
		r = plan_layers(p, a, how, err);
	if (r)
		return r;
	r = vz_overlay_mount(&p->o, ret_mnt, &step);
	return r ? vz_err_set(err, VZ_E_MOUNT, -r,
			      "can't mount %s over its template: %s failed (see dmesg)",
			      a->path, step)
		 : 0;
}

/* Only what differs from the template; straight into the layer, as overlayfs has it. */
static int fill_layer(const struct vz_ve *ve, const struct vz_area *a, int from,
		      struct vz_copy *copy, struct vz_err *err)
{
	const char *dir = base_dir(ve, err), *digest = vz_area_get(a, "overlay", "base");
	struct vz_copy_base over = {
		.uid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID),
		.gid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID),
	};
	vz_autofd int base = -1, top = -1, links = -1;
	vz_autofree char *path = NULL;
	int r = dir && digest ? vz_unpacked_root(dir, digest, &path, err) : -EINVAL;

	if (r)
		return r;
	over.fd = base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0 || mkdirat(a->fd, "layers/links", 0700))
		return damaged(a, strerror(errno), err);
	top = openat(a->fd, "layers/1/fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	links = openat(a->fd, "layers/links", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = top < 0 || links < 0 ? -errno : vz_copy_layer(copy, from, top, links, &over);
	if (!r)
		r = vz_remove_tree(a->fd, "layers/links");
	if (!r && syncfs(top))
		r = -errno;
	return !r || r == -EINTR
		       ? r
		       : vz_err_set(err,
				    r == -ENOSPC || r == -EDQUOT ? VZ_E_NOSPACE
								 : VZ_E_NEWPRIVATE,
				    -r, "can't copy to %s", a->path);
}

static int quota_dir(const struct vz_area *a)
{
	int fd = openat(a->fd, "layers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

const struct vz_layout vz_layout_overlay = {
	.name = "overlay",
	.version = VERSION,
	.over_base = true,
	.begin = begin,
	.check = check,
	.mount = mount_area,
	.fill = fill_layer,
	.quota_dir = quota_dir,
	.snap = &vz_snap_overlay,
};
