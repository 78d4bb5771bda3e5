/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_QTIME_H
#define VZ_TOOL_QTIME_H

#include <stddef.h>
#include <stdint.h>

/*
 * Times as vzquota(8) of OpenVZ takes and shows them. `[[DD:]HH:]MM:SS`, seconds
 * alone, or a number and one of h, d, w, m (30 days), y (365 days) in either case.
 * 0 or -EINVAL.
 */
int vz_qtime_parse(const char *s, uint64_t *ret_seconds);

/*
 * What is left until `until` (0: nothing runs) at `now`, both seconds of the clock:
 * "", "none" when it is over, "HH:MM" or "Ndays". Returns buf.
 */
const char *vz_qtime_left(uint64_t until, uint64_t now, char *buf, size_t size);

#endif
