/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/feature.h"

#include <errno.h>

#include "tap.h"

static uint32_t parse(const char *text, int *ret)
{
	vz_autostrv struct vz_strv l = { 0 };
	struct vz_err err = { 0 };
	uint32_t mask = 0xdead0000;

	vz_strv_split(&l, text, " ");
	*ret = vz_feature_parse(&l, &mask, &err);
	return mask;
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		int r;
		uint32_t mask;
	} t[] = {
		{ "", 0, VZ_F_BIT(VZ_F_SYSFS) },
		{ "sysfs:off", 0, 0 },
		{ "nfs:on", 0, VZ_F_BIT(VZ_F_SYSFS) | VZ_F_BIT(VZ_F_NFS) },
		{ "NFS:on nfs:off fuse:on", 0,
		  VZ_F_BIT(VZ_F_SYSFS) | VZ_F_BIT(VZ_F_FUSE) },
		{ "nfsd:on", 0, VZ_F_BIT(VZ_F_SYSFS) | VZ_F_BIT(VZ_F_NFSD) },
		{ "nf:on", -EINVAL, 0xdead0000 },
		{ "nfs", -EINVAL, 0xdead0000 },
		{ "nfs:yes", -EINVAL, 0xdead0000 },
		{ "nfs:onn", -EINVAL, 0xdead0000 },
		{ ":on", -EINVAL, 0xdead0000 },
	};
	int r;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		tap_is_int(parse(t[i].text, &r), t[i].mask, t[i].text);
		tap_is_int(r, t[i].r, t[i].text);
	}
}

int main(void)
{
	struct vz_err err = { 0 };
	uint32_t mask;

	test_parse();
	tap_is_int(vz_feature_parse(NULL, &mask, NULL), 0, "no list is the defaults");
	tap_is_int(mask, VZ_F_BIT(VZ_F_SYSFS), "only sysfs by default");
	tap_is_int(vz_feature_check("warp:on", &err), -EINVAL, "unknown name refused");
	tap_is_str(err.text, "unknown feature 'warp'", "and named");
	tap_is_int(err.status, VZ_E_VALUE, "as a bad value");
	tap_is_int(vz_feature_check("warp:on", NULL), -EINVAL, "also without words");
	for (int f = 0; f < VZ_F__COUNT; f++) {
		tap_is_int(vz_feature_find(vz_features[f].name), f, vz_features[f].name);
		tap_ok(vz_features[f].help, "%s has help", vz_features[f].name);
	}
	return tap_done();
}
