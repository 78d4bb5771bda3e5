/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_NUM_H
#define VZ_BASE_NUM_H

#include <stdint.h>

/* OpenVZ's "unlimited": LONG_MAX of a 64-bit kernel. */
#define VZ_UNLIMITED INT64_MAX

/*
 * The one number parser. Takes decimal digits only (no sign, space, hex or
 * octal), the whole string, up to max. Returns 0, -EINVAL (not a number) or
 * -ERANGE (greater than max).
 */
int vz_parse_u64(const char *s, uint64_t max, uint64_t *ret_value);

/*
 * A size: digits, optionally a fraction after a point when a suffix follows,
 * and one suffix T G M K (powers of 1024 bytes), P (pages of 4 KiB) or B
 * (bytes), in either case. The result is in units of `unit` bytes, rounded
 * up; a bare number is in units of `bare` bytes. "unlimited" is VZ_UNLIMITED.
 * Returns 0, -EINVAL or -ERANGE. Source: the contract's "Files" section.
 */
int vz_parse_size(const char *s, uint64_t unit, uint64_t bare, uint64_t *ret_value);

/* A VEID: 0..2147483644. Returns 0, -EINVAL or -ERANGE. */
int vz_parse_veid(const char *s, uint32_t *ret_veid);

#define VZ_VEID_MAX 2147483644u

#endif
