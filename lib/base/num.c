/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Read digits at *s into *ret and step past them. */
static int digits(const char **s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!isdigit((unsigned char)**s))
		return -EINVAL;
	for (; isdigit((unsigned char)**s); (*s)++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, **s - '0', &v))
			return -ERANGE;
	*ret = v;
	return 0;
}

int vz_parse_u64(const char *s, uint64_t max, uint64_t *ret_value)
{
	uint64_t v;
	int r = digits(&s, &v);

	if (r == -ERANGE)
		while (isdigit((unsigned char)*s))
			s++;
	if (r == -EINVAL || *s)
		return -EINVAL;
	if (r || v > max)
		return -ERANGE;
	*ret_value = v;
	return 0;
}

/* Bytes in one unit of the suffix; 0 when it is none. */
static uint64_t suffix_bytes(char c)
{
	switch (toupper((unsigned char)c)) {
	case 'T':
		return 1ULL << 40;
	case 'G':
		return 1ULL << 30;
	case 'M':
		return 1ULL << 20;
	case 'K':
		return 1ULL << 10;
	case 'P':
		return 4096;
	case 'B':
		return 1;
	}
	return 0;
}

/* The fraction after the point, as parts of 10^6. */
static int fraction(const char **s, uint64_t *ret_millionths)
{
	uint64_t v = 0, scale = 100000;

	if (!isdigit((unsigned char)**s))
		return -EINVAL;
	for (; isdigit((unsigned char)**s); (*s)++, scale /= 10)
		v += (uint64_t)(**s - '0') * scale;
	*ret_millionths = v;
	return 0;
}

int vz_parse_size(const char *s, uint64_t unit, uint64_t bare, uint64_t *ret_value)
{
	uint64_t whole, millionths = 0, mult = bare;
	__uint128_t bytes, v;
	int r;

	if (!strcasecmp(s, "unlimited")) {
		*ret_value = VZ_UNLIMITED;
		return 0;
	}
	r = digits(&s, &whole);
	if (r)
		return r;
	if (*s == '.') {
		s++;
		if (fraction(&s, &millionths) || !*s)
			return -EINVAL;
	}
	if (*s) {
		mult = suffix_bytes(*s);
		if (!mult || s[1])
			return -EINVAL;
	} else if (whole == VZ_UNLIMITED) { /* as the file writes it */
		*ret_value = VZ_UNLIMITED;
		return 0;
	}
	bytes = (__uint128_t)whole * mult + (__uint128_t)millionths * mult / 1000000;
	v = (bytes + unit - 1) / unit;
	if (v > VZ_UNLIMITED)
		return -ERANGE;
	*ret_value = v;
	return 0;
}

int vz_parse_veid(const char *s, uint32_t *ret_veid)
{
	uint64_t v;
	int r = vz_parse_u64(s, VZ_VEID_MAX, &v);

	if (!r)
		*ret_veid = v;
	return r;
}
