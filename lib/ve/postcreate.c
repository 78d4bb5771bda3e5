/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/postcreate.h"

#include <errno.h>
#include <string.h>

#include "ve/dist.h"
#include "ve/launch.h"
#include "ve/mount.h"
#include "ve/state.h"

int vz_postcreate_now(struct vz_ve *ve, int lock_fd, struct vz_err *err)
{
	struct vz_launch launch = {
		.mode = VZ_LAUNCH_TOOL,
		.lock_fd = lock_fd,
		.tool_fd = -1,
	};
	int r = vz_launch(ve, &launch, err);

	if (r)
		return r;
	r = vz_dist_run(ve, VZ_DIST_POST_CREATE, "stopped", NULL, err);
	vz_launch_end(ve, &launch);
	return r;
}

int vz_postcreate_defer(struct vz_area *a)
{
	return vz_area_set(a, "ve", "post_create", "due");
}

static bool is_due(const struct vz_area *a)
{
	const char *s = vz_area_get(a, "ve", "post_create");

	return s && !strcmp(s, "due");
}

/* Killed before this it runs once more, which does no harm to a VE that never ran. */
static int mark_done(struct vz_area *a, struct vz_err *err)
{
	vz_area_drop_section(a, "ve");
	return vz_area_save(a, false, err);
}

int vz_postcreate_launched(struct vz_ve *ve, struct vz_err *err)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	const struct vz_layout *layout;
	int r = vz_layout_open(ve, NULL, &layout, &a, err);

	if (r || !is_due(&a))
		return r;
	r = vz_dist_run(ve, VZ_DIST_POST_CREATE, "starting", NULL, err);
	return r ? r : mark_done(&a, err);
}

int vz_postcreate_settle(struct vz_ve *ve, int lock_fd, struct vz_err *err)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	const struct vz_layout *layout;
	struct vz_err ignored;
	bool mounted;
	int r = vz_layout_open(ve, NULL, &layout, &a, err);

	if (r || !is_due(&a) || vz_state_running(ve->ctx, ve->id) == 1)
		return r;
	mounted = vz_ve_mounted(ve) > 0;
	r = mounted ? 0 : vz_ve_attach(ve, layout, &a, err);
	if (r)
		return r;
	r = vz_postcreate_now(ve, lock_fd, err);
	if (!mounted)
		vz_ve_detach(ve, r ? &ignored : err);
	return r ? r : mark_done(&a, err);
}
