/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CRIULOCK_H
#define VZ_SYS_CRIULOCK_H

/*
 * CRIU before 4.2 locks a VE's network by itself, with a table of nftables in it that
 * drops all. That is among the tables that it dumps and so makes again, under a name that
 * it does not know any more as it unlocks; and one that is killed leaves it. Remove such
 * tables from a network namespace (`netns`: of it, or a pidfd). Loads no module. 0 or
 * -errno.
 */
int vz_criulock_clear(int netns);

#endif
