/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/password.h"

#include <errno.h>

#include "ve/dist.h"
#include "ve/launch.h"
#include "ve/mount.h"
#include "ve/state.h"

static int in_tool(struct vz_ve *ve, const char *userpw, struct vz_err *err)
{
	struct vz_launch launch = {
		.mode = VZ_LAUNCH_TOOL,
		.lock_fd = -1,
		.tool_fd = -1,
	};
	int r = vz_launch(ve, &launch, err);

	if (r)
		return r;
	r = vz_dist_userpasswd(ve, "starting", userpw, err);
	vz_launch_end(ve, &launch);
	return r;
}

int vz_ve_password(struct vz_ve *ve, const char *userpw, struct vz_err *err)
{
	int r = vz_dist_check_userpasswd(userpw, err), mounted;

	if (r)
		return r;
	r = vz_state_running(ve->ctx, ve->id);
	if (r > 0)
		return vz_dist_userpasswd(ve, "running", userpw, err);
	mounted = vz_ve_mounted(ve);
	if (r < 0 || mounted < 0)
		return vz_err_set(err, VZ_E_SYSTEM, r < 0 ? -r : -mounted,
				  "can't tell what VE %u is doing", ve->id);
	if (!mounted)
		r = vz_ve_mount(ve, err);
	if (r)
		return r;
	r = in_tool(ve, userpw, err);
	if (!mounted && vz_ve_umount(ve, r ? NULL : err) && !r)
		return -EIO;
	return r;
}
