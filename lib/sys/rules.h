/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_RULES_H
#define VZ_SYS_RULES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many rules of netfilter a network namespace has (`netns`: of it, or a
 * pidfd): those of nftables in all families, which iptables-nft makes too, and
 * those of the older iptables. Loads no module: without them there is none.
 * 0 or -errno.
 */
int vz_rules_count(int netns, uint64_t *ret);

/* Whether the kernel has nftables already: asking it for some loads no module then. */
bool vz_rules_has_nftables(void);

#endif
