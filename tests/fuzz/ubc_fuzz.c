/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts as user_beancounters is: what is read is written so that it reads the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "tool/ubcview.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct vz_ubc *a, const struct vz_ubc *b)
{
	if (a->veid != b->veid || memcmp(a->v, b->v, sizeof(a->v)))
		abort();
}

/* No line of a table is wider than a terminal. */
static void show(const struct vz_ubc *u, const struct vz_ubc *other)
{
	vz_autoframe struct vz_frame f = { 0 };
	struct vz_ubcview view = { .near_held = VZ_UBCVIEW_NEAR_HELD,
				   .near_max = VZ_UBCVIEW_NEAR_MAX,
				   .unbounded = true,
				   .relative = true,
				   .changes = true,
				   .failures = other,
				   .helds = other };

	if (vz_ubcview_add(&view, u, "name", &f) != VZ_UBC__COUNT)
		abort();
	for (size_t i = 0; i < f.n; i++)
		if (strlen(f.lines[i].text) > 80)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vz_autofree char *text = strndup((const char *)data, size);
	vz_autofree struct vz_ubc *v = NULL, *again = NULL;
	vz_autostr struct vz_str out = { 0 };
	char buf[VZ_UBC_BLOCK_MAX];
	size_t n = 0, m = 0;

	if (!text || vz_ubc_parse(text, &v, &n))
		return 0;
	vz_str_addn(&out, buf, vz_ubc_format_head(0, buf));
	for (size_t i = 0; i < n; i++) {
		show(&v[i], &v[n - 1 - i]);
		vz_str_addn(&out, buf, vz_ubc_format(&v[i], 0, buf));
	}
	if (vz_ubc_parse(out.s, &again, &m) || n != m)
		abort();
	for (size_t i = 0; i < n; i++)
		same(&v[i], &again[i]);
	return 0;
}
