/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "sys/mnt.h"
#include "ve/action.h"
#include "ve/private.h"
#include "ve/state.h"

int vz_ve_mounted(const struct vz_ve *ve)
{
	const char *root = vz_ve_root(ve, NULL);
	int r = root ? vz_mnt_is_mounted(root) : -EINVAL;

	return r == -ENOENT ? 0 : r;
}

static int check_private(const struct vz_ve *ve, const char **ret, struct vz_err *err)
{
	const char *private = vz_ve_private(ve, err);
	struct stat st;

	if (!private)
		return -EINVAL;
	if (stat(private, &st))
		return vz_err_set(err, errno == ENOENT ? VZ_E_NOPRIVATE : VZ_E_SYSTEM,
				  errno, "the private area %s can't be used", private);
	if (!S_ISDIR(st.st_mode))
		return vz_err_set(err, VZ_E_NOPRIVATE, ENOTDIR,
				  "the private area %s can't be used", private);
	*ret = private;
	return vz_area_check_settled(ve->ctx, private, err);
}

/* How the private area is laid out; the default is simfs. */
static int check_layout(const struct vz_ve *ve, struct vz_err *err)
{
	const char *layout = vz_cfg_str(ve->cfg, VZ_P_VE_LAYOUT);

	if (!layout || !strncmp(layout, "simfs", 5))
		return 0;
	return vz_err_set(err, VZ_E_LAYOUT, 0,
			  "VE_LAYOUT=\"%s\" can't be mounted: only simfs is supported",
			  layout);
}

/* simfs: the private area itself, seen at VE_ROOT. */
static int bind_private(const char *private, const char *root, bool privileged,
			struct vz_err *err)
{
	vz_autofd int mnt = -1, at = -1;
	int r = vz_mkdir_p(root, 0700);

	if (r)
		return vz_err_set(err, VZ_E_MKDIR, -r, "can't make VE_ROOT %s", root);
	at = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return vz_err_set(err, VZ_E_MOUNTPOINT, errno,
				  "VE_ROOT %s can't be mounted on", root);
	r = mnt = vz_mnt_clone(AT_FDCWD, private, false);
	/* A user namespace VE has its devices bound into its /dev. */
	if (mnt >= 0)
		r = privileged ? 0 : vz_mnt_set_attr(mnt, MOUNT_ATTR_NODEV, false);
	if (!r)
		r = vz_mnt_attach(mnt, at);
	return r ? vz_err_set(err, VZ_E_MOUNT, -r, "can't mount %s on %s", private, root)
		 : 0;
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
	int r = umount_all(ve->ctx, root);

	return r ? vz_err_set(err, VZ_E_UMOUNT, -r,
			      "can't unmount %s (fuser -m %s shows who uses it)", root,
			      root)
		 : 0;
}

int vz_ve_mount(struct vz_ve *ve, struct vz_err *err)
{
	const char *root = vz_ve_root(ve, err), *private = NULL;
	int r = root ? check_private(ve, &private, err) : -EINVAL;

	if (r)
		return r;
	r = vz_ve_mounted(ve);
	if (r)
		return r > 0 ? 0
			     : vz_err_set(err, VZ_E_MOUNTPOINT, -r,
					  "VE_ROOT %s can't be looked at", root);
	r = check_layout(ve, err);
	if (!r)
		r = vz_action_run(ve, "premount", err);
	if (!r)
		r = bind_private(private, root, !vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID),
				 err);
	if (r)
		return r;
	r = vz_action_run(ve, "mount", err);
	if (r) {
		umount_all(ve->ctx, root);
		return r;
	}
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
	vz_info(ve->ctx, "Container is unmounted");
	return vz_action_run(ve, "postumount", err);
}
