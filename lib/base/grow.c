/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 64

int vz_grow(void *v, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : FIRST;
	void *list, *longer;

	if (n < *room)
		return 0;
	/* A pointer to a pointer of any kind: its bytes are what all have in common. */
	memcpy(&list, v, sizeof(list));
	longer = reallocarray(list, more, size);
	if (!longer)
		return -ENOMEM;
	memcpy(v, &longer, sizeof(longer));
	*room = more;
	/* cppcheck-suppress memleak ; it is where v points to */
	return 0;
}
