/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_UNPACKED_PRIV_H
#define VZ_VE_UNPACKED_PRIV_H

/* Names in TEMPLATE/base, which making and removing versions share. */
#define VZ_UNPACKED_ABOUT "about.ini"
#define VZ_UNPACKED_CREATING ".creating"
#define VZ_UNPACKED_REMOVED ".removed"
#define VZ_UNPACKED_BY_FILE "by-file"

/* TEMPLATE/base and its lock, not taken: a descriptor each, or -errno. */
int vz_unpacked_open_store(const char *dir, int *ret_lock);

#endif
