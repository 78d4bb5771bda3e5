/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_GROUND_H
#define VZ_VE_GROUND_H

#include "ve/count.h"
#include "ve/fence.h"
#include "ve/state.h"
#include "ve/super.h"

/*
 * What a VE stands on before it has a process, the same for a launch and for a
 * restore: its directory in RUNDIR with the supervisor's lock, its ids, what was
 * promised to it, its groups with their limits, its beancounters, what it may set
 * of netfilter.
 */
struct vz_ground {
	struct vz_ve *ve;
	struct vz_fence fence;
	struct vz_count count;
	struct vz_super super;
	struct vz_state state; /* filled as far as it is known */
	struct vz_cg_entry groups; /* those of home, see sys/cgroup.h */
	int counters; /* the file of its beancounters, see vz_count_begin(); -1 */
};
#define VZ_GROUND_TOOL 1u /* VZ_LAUNCH_TOOL: no supervisor, no promises of its own */
#define VZ_GROUND_FORCE 2u /* even if what it reserves is not there */

/* Not to be copied. A failure leaves nothing. */
int vz_ground_raise(struct vz_ve *ve, uint32_t flags, struct vz_ground *ret,
		    struct vz_err *err);
/* Remove all of it: the processes are gone, or are killed. */
void vz_ground_drop(struct vz_ground *g);
/* The VE runs: only what this process holds. The supervisor's things stay open. */
void vz_ground_leave(struct vz_ground *g);

/* What else the first VE of a node would wait for, beforehand. What fails is seen then. */
void vz_ground_warm(const struct vz_ve *ve);

#endif
