/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_LAUNCH_H
#define VZ_VE_LAUNCH_H

#include "ve/ve.h"

/*
 * Make a mounted VE's namespaces, groups, devices and limits, and its process
 * 1. The only place that does: start, runscript on a stopped VE and
 * POST_CREATE of create all come here.
 *
 * For makers of templates: how a VE says that it is up (start --wait). systemd
 * does by itself. Any other init gets a fifo, /run/host/ready, and the
 * template has an executable /sbin/vz-ready that the last thing which the
 * init does at boot runs (in an inittab `::once:/sbin/vz-ready` after the
 * `::wait:` lines, in rc.local, …):
 *
 *	#!/bin/sh
 *	[ ! -p /run/host/ready ] || echo ready 1<>/run/host/ready
 *
 * Opened for both, as above, the fifo blocks nobody when no one listens. A
 * VE without that file can't say it, and start --wait says so (133).
 */
enum vz_launch_mode {
	/* Run the VE's own init, with a supervisor. */
	VZ_LAUNCH_INIT,
	/*
	 * Process 1 is a reaper of ours that runs until vz_launch_end(): a place
	 * in which vz_exec runs scripts while the VE is "stopped".
	 */
	VZ_LAUNCH_TOOL,
};

struct vz_launch {
	enum vz_launch_mode mode;
	int lock_fd; /* the VE's lock; the supervisor keeps it until init runs */
	bool wait; /* return when the default run level is reached */
	bool force; /* even if what it reserves is not there */
	uint32_t reboots; /* quick ones in a row that led to this */
	/*
	 * Called when the VE is all there, but its init has not begun: state is
	 * saved, vz_exec works. An error undoes the launch.
	 */
	int (*configure)(struct vz_ve *ve, struct vz_err *err);
	int tool_fd; /* VZ_LAUNCH_TOOL: keeps it alive; set by vz_launch() */
	int tool_pidfd;
};

int vz_launch(struct vz_ve *ve, struct vz_launch *launch, struct vz_err *err);
/* End a VZ_LAUNCH_TOOL environment and remove what it had. */
void vz_launch_end(struct vz_ve *ve, struct vz_launch *launch);

/*
 * Remove what a VE that is not running left over: groups, devices, ids, state.
 * Called by each command that finds such a VE, and when a VE has ended.
 */
int vz_launch_cleanup(struct vz_ve *ve, struct vz_err *err);

#endif
