/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "res/ubc.h"
#include "tap.h"
#include "tool/human.h"
#include "tool/screen.h"
#include "tool/ubcview.h"

static void values(void)
{
	static const struct {
		int64_t n;
		unsigned int unit;
		const char *text;
	} cases[] = {
		{ 0, 0, "0" },
		{ 99999, 0, "99999" },
		{ 100000, 0, "100k" },
		{ 999999, 0, "999k" },
		{ 1000000, 0, "1.00M" },
		{ INT64_MAX - 1, 0, "9.22E" },
		{ 0, 1, "0" },
		{ 1023, 1, "1023" },
		{ 1024, 1, "1.00K" },
		{ 1048575, 1, "1023K" },
		{ 1048576, 1, "1.00M" },
		{ 1, 4096, "4.00K" },
		{ 5120, 4096, "20.0M" },
		{ INT64_MAX - 1, 4096, "32.0Z" },
		{ VZ_UNLIMITED, 4096, "unlim" },
		{ VZ_UBC_UNKNOWN, 0, "-" },
	};
	char buf[VZ_HUMAN_MAX];

	for (size_t i = 0; i < VZ_ARRAY_SIZE(cases); i++) {
		vz_human_value(cases[i].n, cases[i].unit, buf);
		tap_ok(!strcmp(buf, cases[i].text) && strlen(buf) <= 5, "%s: %s",
		       cases[i].text, buf);
	}
}

static void shares(void)
{
	static const struct {
		int64_t n, whole;
		const char *text;
	} cases[] = {
		{ 0, 10, "0%" },
		{ 1, 10000, "<0.1%" },
		{ 1, 1000, "0.1%" },
		{ 99, 1000, "9.9%" },
		{ 999, 1000, "99%" },
		{ 1000, 1000, "100%" },
		{ 9, 1, "900%" },
		{ 10, 1, ">999%" },
		{ 1, 0, "-" },
		{ 1, VZ_UNLIMITED, "-" },
		{ VZ_UBC_UNKNOWN, 10, "-" },
		{ 1, VZ_UBC_UNKNOWN, "-" },
	};
	char buf[VZ_HUMAN_MAX];

	for (size_t i = 0; i < VZ_ARRAY_SIZE(cases); i++) {
		vz_human_share(cases[i].n, cases[i].whole, buf);
		tap_ok(!strcmp(buf, cases[i].text), "share %s: %s", cases[i].text, buf);
	}
}

static void bounds(void)
{
	const int64_t u = VZ_UNLIMITED, no = VZ_UBC_UNKNOWN;
	const struct {
		int64_t barrier, limit, bound;
	} cases[] = {
		{ 5, 9, 5 }, { 0, 9, 9 }, { u, 9, 9 }, { 5, u, 5 },    { u, u, u },
		{ 0, 0, 0 }, { u, 0, u }, { 0, u, u }, { no, no, no }, { no, 9, 9 }
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(cases); i++) {
		struct vz_ubc_value v = { 0, 0, cases[i].barrier, cases[i].limit, 0 };

		tap_ok(vz_ubc_bound(&v) == cases[i].bound, "bound %zu", i);
	}
	tap_ok(vz_ubc_failed_since(5, 3) == 2, "refused since");
	tap_ok(vz_ubc_failed_since(2, 3) == 2, "refused since it began anew");
	tap_ok(vz_ubc_failed_since(2, no) == 2, "refused since it was not known");
	tap_ok(vz_ubc_change(2, 3) == -1 && vz_ubc_change(no, 3) == no, "change");
}

static void scrolling(void)
{
	tap_ok(vz_screen_scroll(VZ_KEY_DOWN, 0, 30, 10) == 1, "down");
	tap_ok(vz_screen_scroll(VZ_KEY_UP, 0, 30, 10) == 0, "not up at the top");
	tap_ok(vz_screen_scroll(VZ_KEY_PAGE_DOWN, 15, 30, 10) == 20,
	       "not beyond the end");
	tap_ok(vz_screen_scroll(VZ_KEY_NONE, 20, 12, 10) == 2, "what became shorter");
	tap_ok(vz_screen_scroll(VZ_KEY_END, 0, 5, 10) == 0, "all of it fits");
}

int main(void)
{
	values();
	shares();
	bounds();
	scrolling();
	return tap_done();
}
