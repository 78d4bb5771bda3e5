/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UUIDs, and the tree of snapshots in a marker. */
#include "ve/snaptree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "tests/unit/tap.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"
#define C "cccccccc-0000-4000-8000-000000000003"
#define D "dddddddd-0000-4000-8000-000000000004"

static void test_uuids(void)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} rows[] = {
		{ A, A },
		{ "{" A "}", A },
		{ "{AAAAAAAA-0000-4000-8000-000000000001}", A },
		{ "{" A, NULL },
		{ A "}", NULL },
		{ "", NULL },
		{ "{}", NULL },
		{ "aaaaaaaa-0000-4000-8000-00000000000", NULL },
		{ "aaaaaaaa-0000-4000-8000-0000000000011", NULL },
		{ "aaaaaaaa00000-4000-8000-000000000001", NULL },
		{ "gaaaaaaa-0000-4000-8000-000000000001", NULL },
		{ "../../../../../../../../../etc/passw", NULL },
	};
	char uuid[VZ_UUID_SIZE], other[VZ_UUID_SIZE];

	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		int r = vz_uuid_parse(rows[i].text, uuid);

		tap_is_str(r ? NULL : uuid, rows[i].want, rows[i].text);
	}
	tap_ok(!vz_uuid_make(uuid) && !vz_uuid_make(other) && strcmp(uuid, other) &&
		       !vz_uuid_parse(uuid, other) && uuid[14] == '4',
	       "made ones are UUIDs, and not the same");
}

static const char *parent(const struct vz_area *a, const char *uuid)
{
	static struct vz_snap s;

	return vz_snaptree_get(a, uuid, &s) ? "none such" : s.parent;
}

static void test_tree(const char *dir)
{
	vz_autofd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	vz_autoarea struct vz_area a = VZ_AREA_NONE, again = VZ_AREA_NONE;
	vz_autofree struct vz_snap *list = NULL;
	struct vz_err err = { 0 };
	struct vz_snap s;
	size_t n = 0;

	tap_ok(!vz_area_new(dir, fd, "ploop", 1, 101, &a, &err), "a marker");
	tap_ok(!vz_snaptree_add(&a, A, 1) && !vz_snaptree_add(&a, B, 2) &&
		       !vz_snaptree_add(&a, C, 3),
	       "three on one another");
	tap_is_str(parent(&a, A), "", "the first has no parent");
	tap_is_str(parent(&a, C), B, "the others have");
	tap_ok(!vz_snaptree_set_current(&a, A) && !vz_snaptree_add(&a, D, 4), "a branch");
	tap_is_str(parent(&a, D), A, "from where the VE went back to");
	tap_ok(!vz_snaptree_set_num(&a, B, "layer", 7), "what a layout keeps");
	if (geteuid()) {
		tap_skip("saved", "a marker counts in a directory of root only");
		return;
	}
	tap_ok(!vz_area_save(&a, false, &err) && !vz_area_open(dir, &again, &err),
	       "saved");
	tap_ok(!vz_snaptree_list(&again, &list, &n) && n == 4 &&
		       !strcmp(list[0].uuid, A) && !strcmp(list[3].uuid, D) &&
		       list[3].current && !list[0].current && list[2].date == 3,
	       "all of it is there, in order");
	tap_is_int(vz_snaptree_num(&again, B, "layer"), 7, "and what a layout keeps");
	tap_ok(!vz_snaptree_remove(&again, A), "the root of the tree goes");
	tap_is_str(parent(&again, B), "", "its children are roots");
	tap_is_str(parent(&again, D), "", "each of them");
	tap_ok(!vz_snaptree_remove(&again, D), "the current one goes");
	tap_is_int(vz_snaptree_get(&again, D, &s), -ENOENT, "it is gone");
	tap_ok(!vz_snaptree_get(&again, B, &s) && !s.current, "no other is current");
	tap_is_int(vz_snaptree_remove(&again, D), -ENOENT, "it can't go twice");
	tap_ok(!vz_snaptree_set_current(&again, C) && !vz_snaptree_remove(&again, C) &&
		       !vz_snaptree_get(&again, B, &s) && s.current,
	       "its parent is current then");
}

int main(void)
{
	char dir[] = "/tmp/vz-snaptree.XXXXXX";

	if (!mkdtemp(dir))
		return 2;
	test_uuids();
	test_tree(dir);
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
