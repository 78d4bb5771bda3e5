/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/snaptree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"

#define SECTION "snapshot "
enum { SECTION_SIZE = sizeof(SECTION) + VZ_UUID_LEN };

int vz_uuid_parse(const char *s, char ret[VZ_UUID_SIZE])
{
	bool braces = *s == '{';
	char out[VZ_UUID_SIZE];

	s += braces;
	if (strlen(s) != (size_t)VZ_UUID_LEN + braces ||
	    (braces && s[VZ_UUID_LEN] != '}'))
		return -EINVAL;
	for (int i = 0; i < VZ_UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = s[i] >= 'A' && s[i] <= 'F' ? s[i] + 32 : s[i];

		if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return -EINVAL;
		out[i] = c;
	}
	out[VZ_UUID_LEN] = 0;
	memcpy(ret, out, sizeof(out));
	return 0;
}

int vz_uuid_make(char ret[VZ_UUID_SIZE])
{
	unsigned char b[16];
	int n = 0;

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++)
		n += snprintf(ret + n, VZ_UUID_SIZE - n, "%s%02x",
			      i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	return 0;
}

static void section_of(const char *uuid, char buf[SECTION_SIZE])
{
	snprintf(buf, SECTION_SIZE, SECTION "%.36s", uuid);
}

const char *vz_snaptree_key(const struct vz_area *a, const char *uuid, const char *key)
{
	char section[SECTION_SIZE];

	section_of(uuid, section);
	return vz_area_get(a, section, key);
}

uint64_t vz_snaptree_num(const struct vz_area *a, const char *uuid, const char *key)
{
	char section[SECTION_SIZE];

	section_of(uuid, section);
	return vz_area_get_u64(a, section, key, 0);
}

int vz_snaptree_set_num(struct vz_area *a, const char *uuid, const char *key, uint64_t v)
{
	char section[SECTION_SIZE];

	section_of(uuid, section);
	return vz_area_set_u64(a, section, key, v);
}

static int set_key(struct vz_area *a, const char *uuid, const char *key,
		   const char *value)
{
	char section[SECTION_SIZE];

	section_of(uuid, section);
	return vz_area_set(a, section, key, value);
}

static const char *current(const struct vz_area *a)
{
	const char *s = vz_area_get(a, "snapshots", "current");

	return s ? s : "";
}

int vz_snaptree_get(const struct vz_area *a, const char *uuid, struct vz_snap *ret)
{
	const char *parent = vz_snaptree_key(a, uuid, "parent");

	if (!vz_snaptree_key(a, uuid, "date"))
		return -ENOENT;
	*ret = (struct vz_snap){ .date = vz_snaptree_num(a, uuid, "date") };
	snprintf(ret->uuid, sizeof(ret->uuid), "%s", uuid);
	if (parent)
		snprintf(ret->parent, sizeof(ret->parent), "%s", parent);
	ret->current = !strcmp(current(a), uuid);
	return 0;
}

int vz_snaptree_list(const struct vz_area *a, struct vz_snap **ret, size_t *ret_n)
{
	vz_autostrv struct vz_strv sections = { 0 };
	vz_autofree struct vz_snap *v = NULL;
	size_t n = 0;
	int r = vz_area_sections(a, SECTION, &sections);

	if (r)
		return r;
	v = calloc(sections.n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < sections.n; i++)
		if (!vz_snaptree_get(a, sections.v[i] + strlen(SECTION), &v[n]))
			n++;
	*ret = vz_take(v);
	*ret_n = n;
	return 0;
}

int vz_snaptree_set_current(struct vz_area *a, const char *uuid)
{
	if (!uuid || !*uuid)
		return vz_area_set(a, "snapshots", "current", NULL);
	return vz_area_set(a, "snapshots", "current", uuid);
}

int vz_snaptree_add(struct vz_area *a, const char *uuid, uint64_t date)
{
	int r = vz_snaptree_set_num(a, uuid, "date", date);

	if (!r && *current(a))
		r = set_key(a, uuid, "parent", current(a));
	return r ? r : vz_snaptree_set_current(a, uuid);
}

int vz_snaptree_remove(struct vz_area *a, const char *uuid)
{
	vz_autofree struct vz_snap *v = NULL;
	char section[SECTION_SIZE];
	struct vz_snap s;
	size_t n;
	int r = vz_snaptree_get(a, uuid, &s);

	if (!r)
		r = vz_snaptree_list(a, &v, &n);
	for (size_t i = 0; !r && i < n; i++)
		if (!strcmp(v[i].parent, uuid))
			r = set_key(a, v[i].uuid, "parent", *s.parent ? s.parent : NULL);
	if (!r && s.current)
		r = vz_snaptree_set_current(a, s.parent);
	if (r)
		return r;
	section_of(uuid, section);
	vz_area_drop_section(a, section);
	return 0;
}
