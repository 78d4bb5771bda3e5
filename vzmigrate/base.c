/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/base.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys/digest.h"
#include "ve/snaptree.h"
#include "ve/template.h"
#include "ve/unpacked.h"

/* Those of a command, a backup's, are not the VE's. */
static int count_kept(const struct vz_area *area, size_t *ret)
{
	vz_autofree struct vz_snap *snaps = NULL;
	size_t n = 0;
	int r = vz_snaptree_list(area, &snaps, &n);

	for (size_t i = 0; i < n; i++)
		*ret += !vz_snaptree_num(area, snaps[i].uuid, "temporary");
	return r;
}

json_t *base_describe(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	const struct vz_layout *layout;
	const char *base = NULL, *template = vz_cfg_str(ve->cfg, VZ_P_OSTEMPLATE);
	size_t kept = 0;
	json_t *about;

	if (vz_layout_open(ve, NULL, &layout, &area, err)) {
		mig_recast(err, err->status == VZ_E_NOPRIVATE ? MIG_E_NOVE : MIG_E_LAYOUT,
			   0);
		return NULL;
	}
	if (layout->over_base)
		base = vz_area_get(&area, layout->name, "base");
	else if (area.ini && count_kept(&area, &kept)) {
		mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't describe the VE");
		return NULL;
	}
	about = json_pack("{s:s, s:i, s:s, s:s, s:i}", "layout", layout->name, "version",
			  (int)area.version, "base", base ?: "", "template",
			  template ?: "", "kept", (int)kept);
	if (!about)
		mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't describe the VE");
	return about;
}

/* Whether the tarball that is here under that name is the one. */
static bool is_tarball(const char *path, const char *digest)
{
	vz_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char is[VZ_DIGEST_LEN];

	return fd >= 0 && !vz_digest_fd(fd, NULL, NULL, is) && !strcmp(is, digest);
}

static int check_base(const struct vz_ctx *ctx, const char *dir, const char *digest,
		      const char *template, bool unpack, struct vz_err *err)
{
	vz_autofree char *root = NULL, *tarball = NULL;
	vz_autounpacked struct vz_unpacked u = VZ_UNPACKED_NONE;
	struct vz_err why = { 0 };
	int r;

	if (!dir)
		return mig_fail(err, MIG_E_REMOTECONF, 0,
				"TEMPLATE is not set in vz.conf");
	if (!vz_unpacked_root(dir, digest, &root, &why))
		return 0;
	if (vz_bad_template(template) ||
	    vz_template_find(dir, template, &tarball, &why) ||
	    !is_tarball(tarball, digest))
		return mig_fail(
			err, MIG_E_LAYOUT, 0,
			"the VE lies over the template %s of digest %.12s..., which "
			"is not there: copy its tarball into %s/cache",
			template, digest, dir);
	if (!unpack)
		return 0;
	r = vz_unpacked_get(ctx, dir, template, tarball, NULL, NULL, &u, err);
	return r ? mig_recast(err, MIG_E_LAYOUT, r) : 0;
}

int base_check(const struct vz_cfg *cfg, const json_t *about, const struct vz_ctx *ctx,
	       bool unpack, struct vz_err *err)
{
	const char *name, *digest, *template;
	const struct vz_layout *layout;
	uint64_t version;
	int r = wire_text(about, "layout", 32, &name, err);

	if (!r)
		r = wire_num(about, "version", UINT32_MAX, &version, err);
	if (!r)
		r = wire_text(about, "base", VZ_DIGEST_LEN - 1, &digest, err);
	if (!r)
		r = wire_text(about, "template", 255, &template, err);
	if (r)
		return r;
	if (vz_layout_find(name, &layout, err))
		return mig_recast(err, MIG_E_LAYOUT, -EINVAL);
	if (version > layout->version)
		return mig_fail(err, MIG_E_LAYOUT, 0,
				"layout %s is known up to version %u, not %u", name,
				layout->version, (unsigned int)version);
	if (!layout->over_base)
		return 0;
	if (!vz_digest_valid(digest))
		return mig_fail(err, MIG_E_LAYOUT, 0, "no digest of a template");
	return check_base(ctx, vz_cfg_str(cfg, VZ_P_TEMPLATE), digest, template, unpack,
			  err);
}

int base_check_shift(const json_t *about, struct vz_err *err)
{
	uint64_t kept;
	int r = wire_num(about, "kept", INT32_MAX, &kept, err);

	return r || !kept ? r
			  : mig_fail(err, MIG_E_CONFIG, 0,
				     "the VE's host ids are another's there, and its %u "
				     "snapshots are images, in which they can't change: "
				     "delete them first",
				     (unsigned int)kept);
}

/* NULL: it has none. */
static const struct vz_layout *over_base(const json_t *about)
{
	const struct vz_layout *layout;
	const char *name;

	return !wire_text(about, "layout", 32, &name, NULL) &&
			       !vz_layout_find(name, &layout, NULL) && layout->over_base
		       ? layout
		       : NULL;
}

int base_hold(const struct vz_cfg *cfg, const json_t *about, const struct vz_ctx *ctx,
	      struct vz_unpacked *ret, struct vz_err *err)
{
	const char *dir = vz_cfg_str(cfg, VZ_P_TEMPLATE);
	int r;

	if (!dir || !over_base(about))
		return 0;
	r = vz_unpacked_hold(ctx, dir, ret, err);
	return r ? mig_recast(err, MIG_E_LAYOUT, r) : 0;
}

int base_refer(const json_t *about, const char *staging, uint32_t veid,
	       struct vz_err *err)
{
	const struct vz_layout *layout = over_base(about);
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	vz_autofd int fd = -1;
	const char *digest;
	int r;

	if (!layout)
		return 0;
	fd = open(staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mig_fail(err, MIG_E_COPY, errno, "can't open %s", staging);
	r = wire_text(about, "base", VZ_DIGEST_LEN - 1, &digest, err);
	if (!r)
		r = vz_area_new(staging, fd, layout->name, layout->version, veid, &a,
				err);
	if (!r && vz_area_set(&a, layout->name, "base", digest))
		r = vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't write in %s", staging);
	if (!r)
		r = vz_area_save(&a, false, err);
	return r ? mig_recast(err, MIG_E_COPY, r) : 0;
}
