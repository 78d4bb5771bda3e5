/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of a backup that somebody else made: what is taken comes out as it went in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sys/findex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vz_autofindex struct vz_findex x = { 0 }, y = { 0 };
	vz_autofree char *again = NULL;
	size_t len;

	if (vz_findex_unpack((const char *)data, size, &x))
		return 0;
	for (size_t i = 0; i < x.n; i++)
		if (!vz_findex_find(&x, x.v[i].path))
			abort();
	if (vz_findex_pack(&x, &again, &len) || len != size ||
	    vz_findex_unpack(again, len, &y) || y.n != x.n)
		abort();
	return 0;
}
