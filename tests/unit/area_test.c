/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/area.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/vz-test-area.XXXXXX";

static void put(const char *text)
{
	vz_autofree char *path = vz_strf("%s/" VZ_AREA_MARKER, dir);

	vz_replace_volatile(path, text, strlen(text));
}

static void test_round_trip(void)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE, b = VZ_AREA_NONE;
	vz_autostrv struct vz_strv layers = { 0 };
	vz_autofd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	tap_is_int(vz_area_new(dir, fd, "overlay", 3, 101, &a, NULL), 0, "new");
	tap_is_int(vz_area_set(&a, "overlay", "base", "00ff"), 0, "a word");
	tap_is_int(vz_area_set_u64(&a, "layer 1", "parent", 0), 0, "a number");
	tap_is_int(vz_area_set_u64(&a, "layer 2", "parent", 1), 0, "another section");
	tap_is_int(vz_area_set_u64(&a, "layer 3", "parent", 2), 0, "and another");
	vz_area_drop_section(&a, "layer 2");
	tap_is_int(vz_area_set(&a, "layer 3", "gone", "x"), 0, "a key");
	tap_is_int(vz_area_set(&a, "layer 3", "gone", NULL), 0, "that goes again");
	tap_is_int(vz_area_save(&a, false, NULL), 0, "save");
	tap_is_int(vz_area_open(dir, &b, NULL), 0, "open");
	tap_is_str(b.layout, "overlay", "layout");
	tap_is_int(b.version, 3, "version");
	tap_is_int(b.veid, 101, "VEID");
	tap_is_str(vz_area_get(&b, "overlay", "base"), "00ff", "the word");
	tap_is_int(vz_area_get_u64(&b, "layer 3", "parent", 9), 2, "the number");
	tap_is_int(vz_area_get_u64(&b, "layer 2", "parent", 9), 9, "a dropped section");
	tap_ok(!vz_area_get(&b, "layer 3", "gone"), "a removed key");
	vz_area_sections(&b, "layer ", &layers);
	tap_is_int(layers.n, 2, "sections by their begin");
}

static void test_words(void)
{
	static const char *const bad[] = { "",	    "a b", "a\nb", "A", "x;y",
					   "\"x\"", "a=b", "[x]",  "#" };
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	vz_autofd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	vz_area_new(dir, fd, "overlay", 1, 1, &a, NULL);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(bad); i++)
		tap_ok(vz_area_set(&a, "s", "k", bad[i]) == -EINVAL, "refused: word %zu",
		       i);
}

static void test_damaged(void)
{
	static const char *const texts[] = {
		"",
		"[area]\n",
		"[area]\nlayout = overlay\n",
		"[area]\nversion = 1\n",
		"[area]\nlayout = x\nversion = y\n",
		"[area]\nlayout = overlay\nversion = 0\n",
		("[area]\nversion = 1\nlayout = "
		 "0123456789012345678901234567890123456789\n"),
		"no ini at all\n",
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(texts); i++) {
		vz_autoarea struct vz_area a = VZ_AREA_NONE;
		struct vz_err err = { 0 };

		put(texts[i]);
		vz_area_open(dir, &a, &err);
		tap_ok(err.status == VZ_E_NOPRIVATE, "damaged: text %zu", i);
	}
}

/* Only a marker that the host's root alone can have made counts. */
static void test_owner(void)
{
	static const struct {
		mode_t dir, file;
		uid_t dir_uid, file_uid;
		const char *layout;
	} rows[] = {
		{ 0700, 0600, 0, 0, "overlay" },    { 0755, 0644, 0, 0, "overlay" },
		{ 0755, 0644, 100000, 0, "simfs" }, { 0755, 0644, 0, 100000, "simfs" },
		{ 0777, 0644, 0, 0, "simfs" },	    { 0755, 0666, 0, 0, "simfs" },
	};
	vz_autofree char *path = vz_strf("%s/" VZ_AREA_MARKER, dir);

	put("[area]\nlayout = overlay\nversion = 1\nveid = 5\n");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		vz_autoarea struct vz_area a = VZ_AREA_NONE;

		if (chown(dir, rows[i].dir_uid, 0) || chown(path, rows[i].file_uid, 0) ||
		    chmod(dir, rows[i].dir) || chmod(path, rows[i].file))
			exit(1);
		vz_area_open(dir, &a, NULL);
		tap_ok(!strcmp(a.layout, rows[i].layout), "owners and modes %zu", i);
	}
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	test_round_trip();
	test_words();
	test_damaged();
	if (geteuid())
		tap_skip("owners and modes", "not root");
	else
		test_owner();
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
