/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_HUMAN_H
#define VZ_TOOL_HUMAN_H

/*
 * Numbers for eyes, in at most five characters up to 2^63 - 1, each into buf,
 * which is returned: VZ_UBC_UNKNOWN is `-`, VZ_UNLIMITED is `unlim`.
 */
#include <stdint.h>

#define VZ_HUMAN_MAX 8

/* What is counted, in thousands: 99999, 123k, 4.56M. Never negative. */
const char *vz_human_count(int64_t n, char buf[VZ_HUMAN_MAX]);
/* n times `unit` bytes, in powers of 1024: 1023, 1.2K, 17.3M, 512G. */
const char *vz_human_bytes(int64_t n, unsigned int unit, char buf[VZ_HUMAN_MAX]);
/* A beancounter's value: unit 0 is counted. */
const char *vz_human_value(int64_t n, unsigned int unit, char buf[VZ_HUMAN_MAX]);
/*
 * How much of `whole` that is, never rounded up: 0%, 2.5%, 99%, >999%; `-` where
 * there is no whole, or where either is not known.
 */
const char *vz_human_share(int64_t n, int64_t whole, char buf[VZ_HUMAN_MAX]);

#endif
