/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SAYS_H
#define VZ_VE_SAYS_H

#include <stdbool.h>

#include "sys/resolv.h"

/*
 * What a VE's files say already. A distribution script costs a shell in the
 * VE, which is as much as the rest of a start; but from the second start on
 * there is mostly nothing for it to do. These look from the host, beneath the
 * VE's root, and answer false whenever that is not certain: then the script
 * runs, looks for itself, and finds perhaps that nothing is to be done.
 */

/* /etc/hostname is the name, and /etc/hosts has an address for it. */
bool vz_says_hostname(int rootfd, const char *name);

/*
 * The VE's resolver is told these servers and domains, in the place where
 * this VE keeps them (a resolv.conf, or the settings of systemd-resolved or
 * resolvconf). Empty lists are not compared: they are not set either.
 */
bool vz_says_dns(int rootfd, const struct vz_resolv *want);

/*
 * The VE's files were made for these addresses, words parted by single spaces;
 * "": for none.
 */
bool vz_says_addresses(int rootfd, const char *addresses);

/* An inittab, where there is one, has a login on the console and no other. */
bool vz_says_console(int rootfd);

#endif
