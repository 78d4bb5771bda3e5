/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_CPULIST_H
#define VZ_RES_CPULIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of CPU or NUMA node numbers, as the kernel's "0-3,7" texts name them. */
#define VZ_CPULIST_MAX 8192
struct vz_cpulist {
	uint64_t bits[VZ_CPULIST_MAX / 64];
};

/* 0, or -EINVAL / -ERANGE; "" is the empty set. */
int vz_cpulist_parse(const char *s, struct vz_cpulist *ret);
/* The shortest text. false: it does not fit. */
bool vz_cpulist_format(const struct vz_cpulist *l, char *buf, size_t size);

bool vz_cpulist_has(const struct vz_cpulist *l, unsigned int n);
size_t vz_cpulist_count(const struct vz_cpulist *l);
bool vz_cpulist_equal(const struct vz_cpulist *a, const struct vz_cpulist *b);
/* Keep in l what is also in with; add what is in with. */
void vz_cpulist_and(struct vz_cpulist *l, const struct vz_cpulist *with);
void vz_cpulist_or(struct vz_cpulist *l, const struct vz_cpulist *with);

/*
 * Keep n of them, the ones from the start-th on, round and round: with the
 * VEID as seed, VEs with few CPUs each spread over the node.
 */
void vz_cpulist_pick(struct vz_cpulist *l, size_t n, uint64_t seed);

#endif
