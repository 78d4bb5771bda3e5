/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"
#include "sys/mnt.h"
#include "ve/action.h"
#include "ve/diskquota.h"
#include "ve/layout.h"
#include "ve/private.h"
#include "ve/quotafile.h"
#include "ve/state.h"

#define BUSY_MS 2000
#define NAP_MS 10

int vz_ve_mounted(const struct vz_ve *ve)
{
	const char *root = vz_ve_root(ve, NULL);
	int r = root ? vz_mnt_is_mounted(root) : -EINVAL;

	return r == -ENOENT ? 0 : r;
}

/* The area's files, seen at VE_ROOT. */
static int attach(const struct vz_ve *ve, int mnt, const char *root, struct vz_err *err)
{
	int r = vz_mkdir_p(root, 0700);
	vz_autofd int at = -1;

	if (r)
		return vz_err_set(err, VZ_E_MKDIR, -r, "can't make VE_ROOT %s", root);
	at = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return vz_err_set(err, VZ_E_MOUNTPOINT, errno,
				  "VE_ROOT %s can't be mounted on", root);
	/* A user namespace VE has its devices bound into its /dev. */
	r = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID)
		    ? vz_mnt_set_attr(mnt, MOUNT_ATTR_NODEV, false)
		    : 0;
	if (!r)
		r = vz_mnt_attach(mnt, at);
	return r ? vz_err_set(err, VZ_E_MOUNT, -r, "can't mount VE %u on %s", ve->id,
			      root)
		 : 0;
}

int vz_ve_attach(const struct vz_ve *ve, const struct vz_layout *layout,
		 const struct vz_area *area, struct vz_err *err)
{
	static const struct vz_layout_mount writable = { 0 };
	const char *root = vz_ve_root(ve, err);
	vz_autofd int mnt = -1;
	int r = root ? layout->mount(ve, area, &writable, &mnt, err) : -EINVAL;

	return r ? r : attach(ve, mnt, root, err);
}

/* \040 and the like, as mountinfo writes spaces. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

/* The mounts at and below root, in the order in which they were made. */
static int list_mounts(const struct vz_ctx *ctx, const char *root, struct vz_strv *ret)
{
	vz_autofree char *path = vz_strf("%s/self/mountinfo", ctx->procdir);
	vz_autofree char *real = realpath(root, NULL);
	vz_autofile FILE *f = path && real ? fopen(path, "re") : NULL;
	char line[3 * PATH_MAX], at[PATH_MAX];
	size_t n = real ? strlen(real) : 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", at) != 1)
			continue;
		unescape(at);
		if (strncmp(at, real, n) || (at[n] && at[n] != '/'))
			continue;
		if (vz_strv_add(ret, at))
			return -ENOMEM;
	}
	return 0;
}

/* VE_ROOT, and what mount scripts left below it. */
static int umount_all(const struct vz_ctx *ctx, const char *root)
{
	vz_autostrv struct vz_strv list = { 0 };
	int r;

	if (!umount2(root, UMOUNT_NOFOLLOW))
		return 0;
	if (errno != EBUSY)
		return -errno;
	r = list_mounts(ctx, root, &list);
	for (size_t i = list.n; i-- && !r;)
		r = umount2(list.v[i], UMOUNT_NOFOLLOW) ? -errno : 0;
	return r;
}

static int umount_root(const struct vz_ve *ve, const char *root, struct vz_err *err)
{
	const struct timespec nap = { .tv_nsec = NAP_MS * 1000000L };
	int r;

	/* What is begun on the node for a VE and ends with it ends a moment later. */
	for (int ms = 0; (r = umount_all(ve->ctx, root)) == -EBUSY && ms < BUSY_MS;
	     ms += NAP_MS)
		nanosleep(&nap, NULL);
	return r ? vz_err_set(err, VZ_E_UMOUNT, -r,
			      "can't unmount %s (fuser -m %s shows who uses it)", root,
			      root)
		 : 0;
}

int vz_ve_detach(const struct vz_ve *ve, struct vz_err *err)
{
	const char *root = vz_ve_root(ve, err);

	return root ? umount_root(ve, root, err) : -EINVAL;
}

int vz_ve_mount(struct vz_ve *ve, struct vz_err *err)
{
	const char *root = vz_ve_root(ve, err), *private;
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	const struct vz_layout *layout;
	int r;

	private = root ? vz_ve_private(ve, err) : NULL;
	if (!private)
		return -EINVAL;
	r = vz_ve_mounted(ve);
	if (r)
		return r > 0 ? 0
			     : vz_err_set(err, VZ_E_MOUNTPOINT, -r,
					  "VE_ROOT %s can't be looked at", root);
	/* First: its marker may be one of the files that are not what they were. */
	r = vz_area_check_settled(ve->ctx, private, err);
	if (!r)
		r = vz_layout_open(ve, NULL, &layout, &area, err);
	if (!r)
		r = vz_action_run(ve, "premount", err);
	if (!r)
		r = vz_diskquota_mount(ve, layout, &area, err);
	if (!r)
		r = vz_ve_attach(ve, layout, &area, err);
	if (r)
		return r;
	r = vz_action_run(ve, "mount", err);
	if (r) {
		umount_all(ve->ctx, root);
		return r;
	}
	vz_quotafile_put(ve);
	vz_info(ve->ctx, "Container is mounted");
	return 0;
}

int vz_ve_umount(struct vz_ve *ve, struct vz_err *err)
{
	const char *root = vz_ve_root(ve, err);
	int r;

	if (!root)
		return -EINVAL;
	r = vz_ve_mounted(ve);
	if (!r)
		return vz_err_set(err, VZ_E_NOTMOUNTED, 0, "Container is not mounted");
	if (r < 0)
		return vz_err_set(err, VZ_E_UMOUNT, -r, "VE_ROOT %s can't be looked at",
				  root);
	if (vz_state_running(ve->ctx, ve->id) == 1)
		return vz_err_set(err, VZ_E_RUNNING, 0,
				  "Container is running -- stop it first");
	r = vz_action_run(ve, "umount", err);
	if (!r)
		r = umount_root(ve, root, err);
	if (r)
		return r;
	vz_quotafile_drop(ve->ctx, ve->id);
	vz_info(ve->ctx, "Container is unmounted");
	return vz_action_run(ve, "postumount", err);
}
