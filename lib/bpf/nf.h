/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_NF_H
#define VZ_BPF_NF_H

/*
 * What the programs that look at VEs' rules of netfilter and who sets them have
 * in common. A change of any of these is a new version of the pins.
 */
#define VZ_NFGUARD_VERSION "nf-1"

/* What a VE is not to have; by its group in cgroup2. */
enum vz_nf_refuse {
	VZ_NF_TRACKING = 1, /* connection tracking, and what is made of it */
	VZ_NF_NAT = 2, /* translation of addresses, which tracks, too */
};

#endif
