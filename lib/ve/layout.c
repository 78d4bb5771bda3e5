/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "ve/private.h"

static const struct vz_layout *const layouts[] = {
	&vz_layout_simfs,
	&vz_layout_overlay,
	&vz_layout_ploop,
};

/* VE_LAYOUT may say more of it: "ploop:raw". */
static bool is_named(const char *name, const char *layout)
{
	size_t n = strcspn(name, ":");

	return strlen(layout) == n && !strncmp(name, layout, n);
}

static const struct vz_layout *find(const char *name)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(layouts); i++)
		if (is_named(name, layouts[i]->name))
			return layouts[i];
	return NULL;
}

static void add_names(struct vz_str *b)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(layouts); i++)
		vz_str_addf(b, "%s%s", i ? ", " : "", layouts[i]->name);
}

int vz_layout_find(const char *name, const struct vz_layout **ret, struct vz_err *err)
{
	vz_autostr struct vz_str names = { 0 };
	const struct vz_layout *l = find(name);

	if (l) {
		*ret = l;
		return 0;
	}
	add_names(&names);
	return vz_err_set(err, VZ_E_LAYOUT, 0,
			  "layout '%s' is not supported: expected %s", name,
			  names.s ? names.s : "another");
}

int vz_layout_wanted(const struct vz_ve *ve, const struct vz_layout **ret,
		     struct vz_err *err)
{
	const char *name = vz_cfg_str(ve->cfg, VZ_P_VE_LAYOUT);

	return vz_layout_find(name && *name ? name : "simfs", ret, err);
}

/* OpenVZ's ploop keeps its image below root.hdd, which no VE's root has. */
static int refuse_openvz_image(const struct vz_area *a, struct vz_err *err)
{
	struct stat st;

	if (fstatat(a->fd, "root.hdd/DiskDescriptor.xml", &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	return vz_err_set(err, VZ_E_LAYOUT, 0,
			  "the private area %s is an image of OpenVZ's ploop, which no "
			  "mainline kernel mounts: copy its files into a VE made here",
			  a->path);
}

static int check_version(const struct vz_layout *l, const struct vz_area *a,
			 struct vz_err *err)
{
	if (!a->ini || a->version <= l->version)
		return 0;
	return vz_err_set(err, VZ_E_LAYOUT, 0,
			  "the private area %s is of layout %s version %u: this vz knows "
			  "up to version %u",
			  a->path, a->layout, a->version, l->version);
}

/* A conversion was killed between the area's change and the configuration's. */
static bool is_converting(const char *path)
{
	vz_autofree char *dir = vz_strf("%s" VZ_AREA_CONVERTING, path);

	return dir && !access(dir, F_OK);
}

static int check_marker(const struct vz_ve *ve, const struct vz_area *a,
			struct vz_err *err)
{
	const char *says = vz_cfg_str(ve->cfg, VZ_P_VE_LAYOUT);

	if (!a->ini)
		return 0;
	if (a->veid != ve->id)
		return vz_err_set(
			err, VZ_E_NOPRIVATE, 0,
			"the private area %s is VE %u's, not VE %u's: if it was "
			"moved on purpose, write the number into its " VZ_AREA_MARKER,
			a->path, a->veid, ve->id);
	if (!vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID) &&
	    !is_named(says ? says : "", a->layout) && !is_converting(a->path))
		return vz_err_set(err, VZ_E_LAYOUT, 0,
				  "the private area %s says that it is of layout %s, and "
				  "VE_LAYOUT of the privileged VE %u says %s",
				  a->path, a->layout, ve->id, says ? says : "nothing");
	return 0;
}

int vz_layout_open(const struct vz_ve *ve, const char *path, const struct vz_layout **ret,
		   struct vz_area *ret_area, struct vz_err *err)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	const struct vz_layout *l;
	int r = 0;

	if (!path)
		path = vz_ve_private(ve, err);
	r = path ? vz_area_open(path, &a, err) : -EINVAL;
	if (!r && !a.ini)
		r = refuse_openvz_image(&a, err);
	if (!r)
		r = vz_layout_find(a.layout, &l, err);
	if (!r)
		r = check_version(l, &a, err);
	if (!r)
		r = check_marker(ve, &a, err);
	if (!r)
		r = l->check(ve, &a, err);
	if (r)
		return r;
	*ret = l;
	*ret_area = a;
	a = VZ_AREA_NONE;
	return 0;
}

int vz_layout_check_owner(const struct vz_ve *ve, const struct vz_area *a, int fd,
			  struct vz_err *err)
{
	uint64_t first = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID);
	struct stat st;

	if (fstat(fd, &st))
		return vz_err_set(err, VZ_E_NOPRIVATE, errno,
				  "the private area %s can't be used", a->path);
	if (st.st_uid >= first && st.st_uid - first < VZ_ID_RANGE)
		return 0;
	return vz_err_set(
		err, VZ_E_NOPRIVATE, 0,
		"the private area %s is not this VE's: it belongs to uid %u, the "
		"VE has those from %llu on (LOCAL_UID)",
		a->path, st.st_uid, (unsigned long long)first);
}
