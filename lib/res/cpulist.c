/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/cpulist.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS (VZ_CPULIST_MAX / 64)

bool vz_cpulist_has(const struct vz_cpulist *l, unsigned int n)
{
	return n < VZ_CPULIST_MAX && l->bits[n / 64] >> n % 64 & 1;
}

static void add(struct vz_cpulist *l, unsigned int n)
{
	l->bits[n / 64] |= UINT64_C(1) << n % 64;
}

/* A number at *s, which then stands behind it. */
static int number(const char **s, unsigned int *ret)
{
	unsigned int n = 0;

	if (**s < '0' || **s > '9')
		return -EINVAL;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		n = n * 10 + **s - '0';
		if (n >= VZ_CPULIST_MAX)
			return -ERANGE;
	}
	*ret = n;
	return 0;
}

int vz_cpulist_parse(const char *s, struct vz_cpulist *ret)
{
	struct vz_cpulist l = { 0 };
	unsigned int first, last;
	int r = 0;

	while (*s && !r) {
		r = number(&s, &first);
		last = first;
		if (!r && *s == '-') {
			s++;
			r = number(&s, &last);
		}
		if (!r && (last < first || (*s && *s != ',') || (*s == ',' && !s[1])))
			r = -EINVAL;
		for (unsigned int n = first; !r && n <= last; n++)
			add(&l, n);
		if (!r && *s)
			s++;
	}
	if (!r)
		*ret = l;
	return r;
}

bool vz_cpulist_format(const struct vz_cpulist *l, char *buf, size_t size)
{
	size_t len = 0;

	if (size)
		*buf = 0;
	for (unsigned int n = 0; n < VZ_CPULIST_MAX && len < size; n++) {
		unsigned int last = n;

		if (!vz_cpulist_has(l, n))
			continue;
		while (vz_cpulist_has(l, last + 1))
			last++;
		len += snprintf(buf + len, size - len, "%s%u", len ? "," : "", n);
		if (last > n && len < size)
			len += snprintf(buf + len, size - len, "-%u", last);
		n = last;
	}
	return len < size;
}

size_t vz_cpulist_count(const struct vz_cpulist *l)
{
	size_t n = 0;

	for (size_t i = 0; i < WORDS; i++)
		n += __builtin_popcountll(l->bits[i]);
	return n;
}

bool vz_cpulist_equal(const struct vz_cpulist *a, const struct vz_cpulist *b)
{
	return !memcmp(a, b, sizeof(*a));
}

void vz_cpulist_and(struct vz_cpulist *l, const struct vz_cpulist *with)
{
	for (size_t i = 0; i < WORDS; i++)
		l->bits[i] &= with->bits[i];
}

void vz_cpulist_or(struct vz_cpulist *l, const struct vz_cpulist *with)
{
	for (size_t i = 0; i < WORDS; i++)
		l->bits[i] |= with->bits[i];
}

void vz_cpulist_pick(struct vz_cpulist *l, size_t n, uint64_t seed)
{
	struct vz_cpulist picked = { 0 };
	size_t count = vz_cpulist_count(l), start, at = 0;

	if (!count || n >= count)
		return;
	start = seed % count * n % count;
	for (unsigned int cpu = 0; cpu < VZ_CPULIST_MAX; cpu++)
		if (vz_cpulist_has(l, cpu) && (at++ + count - start) % count < n)
			add(&picked, cpu);
	*l = picked;
}
