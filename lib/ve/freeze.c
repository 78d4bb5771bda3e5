/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "sys/cgroup.h"
#include "ve/dumplinks.h"
#include "ve/state.h"

static char *mark_path(const struct vz_ctx *ctx, uint32_t veid)
{
	return vz_strf("%s/%u/frozen", ctx->rundir, veid);
}

bool vz_frozen(const struct vz_ctx *ctx, uint32_t veid)
{
	vz_autofree char *path = mark_path(ctx, veid);

	return path && !access(path, F_OK);
}

int vz_freeze_mark(const struct vz_ve *ve, bool wanted)
{
	vz_autofree char *path = mark_path(ve->ctx, ve->id);

	if (!path)
		return -ENOMEM;
	if (wanted)
		return vz_replace_volatile(path, "", 0);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

int vz_freeze_groups(const struct vz_ve *ve, bool frozen, struct vz_err *err)
{
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host };
	struct vz_state st;
	int r = vz_state_load(ve->ctx, ve->id, &st, err);

	if (r == -ENOENT)
		return vz_err_set(err, VZ_E_NOTRUNNING, 0, "Container is not running");
	if (!r)
		r = vz_cg_probe(ve->ctx, &host, err);
	if (r)
		return r;
	snprintf(cg.name, sizeof(cg.name), "%s", st.cgroup);
	return vz_cg_freeze(&cg, frozen, err);
}

int vz_freeze_begin(const struct vz_ve *ve, const char *cgroup)
{
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host };
	int r = vz_cg_probe(ve->ctx, &host, NULL);

	if (r)
		return r;
	if (!*host.unified)
		return -EOPNOTSUPP;
	snprintf(cg.name, sizeof(cg.name), "%s", cgroup);
	return vz_cg_write(&cg, VZ_CG_UNIFIED, "cgroup.freeze", "1", NULL);
}

int vz_freeze(const struct vz_ve *ve, struct vz_err *err)
{
	int r;

	if (vz_state_running(ve->ctx, ve->id) != 1)
		return vz_err_set(err, VZ_E_NOTRUNNING, 0, "Container is not running");
	r = vz_freeze_mark(ve, true);
	if (r)
		return vz_err_set(err, VZ_E_CHECKPOINT, -r,
				  "can't note that the VE stands still");
	r = vz_freeze_groups(ve, true, err);
	if (r) {
		vz_freeze_groups(ve, false, NULL);
		vz_freeze_mark(ve, false);
	}
	return r;
}

int vz_thaw(const struct vz_ve *ve, struct vz_err *err)
{
	int r;

	if (!vz_frozen(ve->ctx, ve->id))
		return 0;
	/* A dump that left it standing has shut its network. */
	r = vz_dumplinks_release(ve, err);
	if (!r)
		r = vz_freeze_groups(ve, false, err);
	return r ? r : vz_freeze_mark(ve, false);
}
