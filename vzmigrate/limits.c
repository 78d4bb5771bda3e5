/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "ve/ugidquota.h"
#include "vzmigrate/facts.h"

/* Twice that, in hexadecimal, is still well below a line's length. */
enum { PIECE = 1 << 20, TEXT_MAX = 16 << 20 };

/* NULL: there are none, or they are in the VE's own file system. */
static int read_limits(const struct vz_ve *ve, char **ret, struct vz_err *err)
{
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	const struct vz_layout *layout;
	vz_autofree char *text = NULL;
	int r = vz_layout_open(ve, NULL, &layout, &area, err);

	*ret = NULL;
	if (!r && layout->quota_dir)
		r = vz_ugid_carry(ve, -1, &text, err);
	if (r)
		return mig_recast(err, MIG_E_QUOTA, r);
	if (text && !vz_ugid_is_empty(text))
		*ret = vz_take(text);
	return 0;
}

int limits_count(const struct vz_ve *ve, uint64_t *ret, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	int r = read_limits(ve, &text, err);

	*ret = 0;
	for (const char *s = text; s && (s = strchr(s, '\n')); s++)
		*ret += s[1] != 0;
	return r;
}

int limits_send(const struct vz_ve *ve, struct peer *peer, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	int r = read_limits(ve, &text, err);
	size_t len = text ? strlen(text) : 0;

	for (size_t at = 0; !r && at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE;

		r = peer_call(peer,
			      json_pack("{s:s, s:b, s:o}", "op", "limits", "first", !at,
					"text", wire_hex(text + at, n)),
			      PEER_SHORT_MS, NULL, err);
	}
	return r;
}

/* --- the destination --- */

/* The nearest directory above that is there already. */
static int open_above(const char *path)
{
	vz_autofree char *dir = strdup(path);
	char *slash;
	int fd = -1;

	while (dir && (fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
		slash = strrchr(dir, '/');
		if (!slash || slash == dir)
			return -ENOENT;
		*slash = 0;
	}
	return dir ? fd : -ENOMEM;
}

void limits_check(const struct vz_ctx *ctx, const char *dir, const struct vz_cfg *cfg,
		  const struct vz_layout *layout, uint64_t limits, json_t *problems)
{
	bool insists =
		vz_cfg_own(cfg, VZ_P_DISK_QUOTA) && vz_cfg_bool(cfg, VZ_P_DISK_QUOTA);
	vz_autoquota struct vz_quota_fs fs = VZ_QUOTA_FS_NONE;
	vz_autofd int fd = -1;

	if (!layout->quota_dir)
		return;
	fd = open_above(dir);
	if (fd < 0 || vz_quota_open_fd(ctx, fd, &fs))
		return;
	if (insists && !vz_quota_enforces(&fs, VZ_QUOTA_PROJECT))
		problem_add(problems, "", MIG_E_QUOTA,
			    "the VE has DISK_QUOTA=yes, and the file system of %s keeps "
			    "no project quotas",
			    dir);
	if (limits && !(vz_quota_enforces(&fs, VZ_QUOTA_USER) &&
			vz_quota_enforces(&fs, VZ_QUOTA_GROUP)))
		problem_add(problems, "quota", MIG_E_QUOTA,
			    "%llu users and groups of the VE have limits, and the file "
			    "system of %s keeps none (usrquota,grpquota)",
			    (unsigned long long)limits, dir);
}

static char *path_of(const struct landing *l)
{
	return vz_strf("%s/conf/limits", l->staging);
}

int limits_take(const struct landing *l, const json_t *ask, struct vz_err *err)
{
	vz_autofree char *path = path_of(l), *text = NULL;
	vz_autofd int fd = -1;
	bool first;
	size_t len;
	int r = wire_flag(ask, "first", &first, err);

	if (!r)
		r = wire_bytes(ask, "text", PIECE, &text, &len, err);
	if (r)
		return r;
	if (l->j.state != VZ_MIG_RECEIVING)
		return mig_fail(err, MIG_E_SYSTEM, 0, "VE %u is %s, not receiving",
				l->veid, vz_mig_state_name(l->j.state));
	fd = path ? open(path,
			 O_WRONLY | O_CREAT | O_CLOEXEC | (first ? O_TRUNC : O_APPEND),
			 0600)
		  : -1;
	r = fd < 0 ? -errno : vz_write_all(fd, text, len);
	return r ? mig_fail(err, MIG_E_QUOTA, -r, "can't write %s", path) : 0;
}

int limits_set(const struct landing *l, struct vz_err *err)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	vz_autofree char *path = path_of(l), *text = NULL;
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err why = { 0 };
	int r = path ? vz_read_file(path, TEXT_MAX, &text, NULL) : -ENOMEM;

	if (r == -ENOENT)
		return 0;
	if (r)
		return mig_fail(err, MIG_E_QUOTA, -r, "can't read %s", path);
	r = vz_ve_open(l->ctx, l->veid, &ve, err);
	if (r)
		return mig_recast(err, MIG_E_CONFIG, r);
	/* The check has said so; who went on by --nodeps=quota knows. */
	if (vz_ugid_open(&ve, &u, &why)) {
		vz_warn(l->ctx, "the limits of VE %u's users are not kept: %s", l->veid,
			why.text);
		return 0;
	}
	r = vz_ugid_import(&u, text, err);
	return r ? mig_recast(err, MIG_E_QUOTA, r) : 0;
}
