/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_TRAFFIC_H
#define VZ_VE_TRAFFIC_H

#include "sys/netguard.h"

/*
 * What VEs sent and received, in packets and bytes of IP, by the classes of
 * /etc/vz/networks_classes (of the other end's address; 0: of no class named
 * there). The kernel counts (sys/netguard.h) from the VE's first start after
 * the node's, on top of what STATEDIR/traffic says; that file is written each
 * minute and as the node goes down. So a count goes on over restarts of the
 * VE and of the node, and a power cut takes the last minute at most.
 */

/* For whoever reads the counts of many VEs: the kernel's, and the file's. */
struct vz_traffic {
	struct vz_netguard guard;
	bool live; /* the kernel has some */
	char *text; /* NULL: there is no file */
};
int vz_traffic_open(const struct vz_ctx *ctx, struct vz_traffic *ret, struct vz_err *err);
void vz_traffic_close(struct vz_traffic *t);
#define vz_autotraffic VZ_CLEANUP(vz_traffic_close)
/* A VE's counts: the kernel's, else the file's. -ENOENT: there are none. */
int vz_traffic_read(const struct vz_traffic *t, uint32_t veid,
		    struct vz_guard_traffic *ret);
/*
 * Note how many packets of a VE were dropped before its start: its first link
 * is there. Done again it notes nothing.
 */
void vz_traffic_started(const struct vz_ctx *ctx, uint32_t veid,
			const struct vz_netguard *guard);
/* How many of its packets were dropped since. -ENOENT: that is not known. */
int vz_traffic_dropped(const struct vz_ctx *ctx, uint32_t veid, uint64_t *ret);
/* The sum over all classes. */
struct vz_guard_count vz_traffic_sum(const struct vz_guard_count c[VZ_TRAFFIC_CLASSES]);
/* What the file says; zeros when it says nothing. */
int vz_traffic_saved(const struct vz_ctx *ctx, uint32_t veid,
		     struct vz_guard_traffic *ret, struct vz_err *err);
/* Write the file, of all VEs that there are. */
int vz_traffic_save(const struct vz_ctx *ctx, struct vz_err *err);
/* The VE is no more: another one of its number begins at 0. */
void vz_traffic_forget(const struct vz_ctx *ctx, uint32_t veid);

/* One line of the file: "VEID in|out CLASS PACKETS BYTES". For the unit tests. */
int vz_traffic_parse(char *line, uint32_t *ret_veid, struct vz_guard_traffic *t);

#endif
