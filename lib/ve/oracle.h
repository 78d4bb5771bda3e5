/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_ORACLE_H
#define VZ_VE_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "ve/ve.h"

/*
 * Whether CRIU can write a running VE down and make it again: its processes, their
 * descriptors, memory, mounts, namespaces, sockets and devices are looked at, from the
 * host, and nothing of the VE is stopped or changed. What CRIU would refuse is an
 * obstacle. Who looks is a process of its own with a time limit, since what belongs to
 * a VE may make whoever looks at it wait.
 */
struct vz_obstacle {
	char kind[12]; /* process, descriptor, socket, memory, mount, namespace, device */
	int pid; /* of whom, as the VE has it; 0: of no process */
	char comm[20]; /* its name; like all of these fit to be printed */
	char what[160]; /* "descriptor 5, io_uring" */
	char why[120];
	char remedy[120];
	bool passing; /* it may be gone in a moment, by itself */
};

struct vz_obstacles {
	struct vz_obstacle *v;
	size_t n;
	bool more; /* there are more than these */
};
void vz_obstacles_done(struct vz_obstacles *l);
#define vz_autoobstacles VZ_CLEANUP(vz_obstacles_done)

/*
 * Those of a running VE; none: it can go. What is only passing is looked for again for
 * a second. VZ_E_NOTRUNNING, VZ_E_KERNEL (no CRIU), VZ_E_CHECKPOINT: could not look.
 */
int vz_oracle_ask(const struct vz_ve *ve, struct vz_obstacles *ret, struct vz_err *err);

/* One as a line: "process 12 (x): descriptor 5, io_uring: CRIU …: end the process". */
#define VZ_OBSTACLE_LINE 480
void vz_obstacle_line(const struct vz_obstacle *o, char ret[VZ_OBSTACLE_LINE]);

#endif
