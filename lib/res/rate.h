/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_RATE_H
#define VZ_RES_RATE_H

#include <stdint.h>

#include "base/str.h"

/*
 * RATE: what a VE may send, and what it may receive, each. As OpenVZ has it,
 * DEVICE:CLASS:KBITS, of which the device is not looked at and the class is 1;
 * a fourth number is how much may pass at once, in KB; KBITS alone will do.
 */
struct vz_rate {
	uint64_t bytes; /* a second */
	uint32_t burst; /* bytes */
};

/* 0 or -EINVAL. */
int vz_rate_parse(const char *s, struct vz_rate *ret);
/* For the table: canonical form. */
int vz_word_rate(const char *s, struct vz_str *out);

#endif
