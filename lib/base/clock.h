/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_CLOCK_H
#define VZ_BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, in milliseconds. */
int64_t vz_clock_ms(void);

/*
 * Wait until fd is readable or end, of vz_clock_ms(), has come: for a pidfd, until all
 * of the process has ended. 0, -ETIMEDOUT or -errno.
 */
int vz_clock_wait(int fd, int64_t end);

#endif
