/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/dedup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/blocks.h"
#include "sys/hold.h"
#include "ve/layout.h"

/* One VE's files, and the mount that they are below: blocks are shared within one. */
struct tree {
	int fd;
	uint64_t mount;
};

struct trees {
	struct tree *v;
	size_t n;
};

static void trees_done(struct trees *t)
{
	for (size_t i = 0; i < t->n; i++)
		close(t->v[i].fd);
	free(t->v);
}

static int tick(void *data, uint64_t done, uint64_t total)
{
	const struct vz_dedup *how = data;

	if (vz_hold_struck())
		return -EINTR;
	if (how->progress)
		how->progress(how->progress_data, done, total);
	return 0;
}

/* Asked of the directory that the area is in: nothing is made where the VE looks. */
static int can_share(const char *private)
{
	vz_autofree char *above = realpath(private, NULL);
	char *slash = above ? strrchr(above, '/') : NULL;
	vz_autofd int fd = -1;

	if (!slash)
		return -ENOENT;
	slash[slash == above] = 0;
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : vz_blocks_can_share(fd);
}

/* Why a VE is left out, when it is not one that was named. */
static int pass_over(const struct vz_ctx *ctx, const struct vz_dedup *how,
		     const struct vz_err *why, struct vz_err *err)
{
	if (!how->all) {
		*err = *why;
		return -EOPNOTSUPP;
	}
	vz_info(ctx, "Passed over: %s", why->text);
	return 0;
}

/* *ret_fd: its root; -EOPNOTSUPP with the error set. */
static int open_root(const struct vz_ve *ve, int *ret_fd, struct vz_err *err)
{
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	const char *private = vz_ve_private(ve, err);
	const struct vz_layout *layout;
	int r = private ? vz_layout_open(ve, NULL, &layout, &area, err) : -EINVAL;

	if (r)
		return r;
	if (area.ini)
		return vz_err_set(err, VZ_E_LAYOUT, 0,
				  "VE %u is of layout %s: files are shared between VEs "
				  "of layout simfs",
				  ve->id, layout->name);
	r = can_share(private);
	if (r < 0)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't look at %s", private);
	if (!r)
		return vz_err_set(err, VZ_E_KERNEL, EOPNOTSUPP,
				  "VE %u: the file system of %s shares no blocks between "
				  "files (xfs with reflink and btrfs do)",
				  ve->id, private);
	*ret_fd = openat(area.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? vz_err_set(err, VZ_E_SYSTEM, errno, "can't open %s", private)
			   : 0;
}

static int add_tree(struct trees *t, int fd)
{
	struct statx stx = { 0 };
	struct tree *v = reallocarray(t->v, t->n + 1, sizeof(*v));

	if (!v || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx)) {
		close(fd);
		t->v = v ? v : t->v;
		return v ? -errno : -ENOMEM;
	}
	t->v = v;
	t->v[t->n++] = (struct tree){ fd, stx.stx_mnt_id };
	return 0;
}

static int open_trees(const struct vz_ctx *ctx, const struct vz_dedup *how,
		      struct trees *ret, struct vz_err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < how->ids->n; i++) {
		vz_autove struct vz_ve ve = { 0 };
		struct vz_err why = { 0 };
		int fd = -1;

		if (vz_ve_open(ctx, how->ids->v[i], &ve, &why) ||
		    open_root(&ve, &fd, &why)) {
			r = pass_over(ctx, how, &why, err);
			continue;
		}
		r = add_tree(ret, fd);
		if (r)
			vz_err_set(err, VZ_E_SYSTEM, -r, "can't look at VE %u", ve.id);
	}
	return r;
}

static void add_up(struct vz_dedupe_sum *to, const struct vz_dedupe_sum *s)
{
	to->files += s->files;
	to->bytes += s->bytes;
	to->shared_files += s->shared_files;
	to->shared_bytes += s->shared_bytes;
	to->were_files += s->were_files;
	to->were_bytes += s->were_bytes;
	to->changed += s->changed;
	to->left += s->left;
}

/* All below the mount that the first of those that are left is below. */
static int share_mount(const struct vz_dedup *how, struct trees *t, int *roots,
		       bool *taken, size_t first, struct vz_dedupe_sum *ret)
{
	struct vz_dedupe one = { .root = roots, .tick = tick, .tick_data = (void *)how };
	struct vz_dedupe_sum sum;
	int r;

	for (size_t i = first; i < t->n; i++) {
		if (t->v[i].mount != t->v[first].mount)
			continue;
		taken[i] = true;
		roots[one.n++] = t->v[i].fd;
	}
	r = vz_dedupe(&one, &sum);
	add_up(ret, &sum);
	return r;
}

int vz_dedup(const struct vz_ctx *ctx, const struct vz_dedup *how,
	     struct vz_dedupe_sum *ret, struct vz_err *err)
{
	VZ_CLEANUP(trees_done) struct trees t = { 0 };
	vz_autofree int *roots = NULL;
	vz_autofree bool *taken = NULL;
	vz_autohold struct vz_hold hold;
	int r;

	*ret = (struct vz_dedupe_sum){ 0 };
	vz_hold_begin(&hold);
	r = open_trees(ctx, how, &t, err);
	if (r)
		return r;
	if (!t.n)
		return vz_err_set(err, VZ_E_KERNEL, 0,
				  "no VE has files that can be shared: nothing was done");
	roots = calloc(t.n, sizeof(*roots));
	taken = calloc(t.n, sizeof(*taken));
	if (!roots || !taken)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't share files");
	for (size_t i = 0; !r && i < t.n; i++)
		if (!taken[i])
			r = share_mount(how, &t, roots, taken, i, ret);
	if (r == -EINTR)
		return vz_err_set(err, VZ_E_SYSTEM, EINTR,
				  "given up; what is shared stays so");
	return r ? vz_err_set(err, r == -ENOSPC ? VZ_E_NOSPACE : VZ_E_SYSTEM, -r,
			      "can't share files")
		 : 0;
}
