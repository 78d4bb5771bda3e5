/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_GROW_H
#define VZ_BASE_GROW_H

#include <stddef.h>

/*
 * Room for one more element in a list that grows by doubling: v is the address of its
 * pointer, n how many elements of that size it has, *room how many it has room for.
 * 0, or -ENOMEM and nothing has changed.
 */
int vz_grow(void *v, size_t n, size_t *room, size_t size);

#endif
