/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_STDIO_H
#define VZ_TOOL_STDIO_H

#include <stdbool.h>

/*
 * First thing in a main(): a descriptor 0, 1 or 2 that is closed becomes
 * /dev/null, so that no file that is opened later is taken for it.
 */
void vz_stdio_begin(void);

/*
 * Last thing: whether all that was printed got out. If not, one line on
 * stderr says why (a full disk, an I/O error); a reader that went away is no
 * error.
 */
bool vz_stdio_end(const char *tool);

#endif
