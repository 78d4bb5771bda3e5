/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_RESTORE_H
#define VZ_VE_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "ve/ve.h"

/*
 * A VE made again from a dump (ve/dump.h). Its root is mounted; its ids are those that
 * it had; limits, devices and the node's side of its network are as its configuration
 * says now. Until `restored` a failure leaves nothing but the dump.
 */
struct vz_restore {
	int dir; /* of the dump */
	const char *path; /* its own, which goes with it; NULL: it is kept */
	int lock_fd; /* the VE's lock, given up when it is there; -1: none */
	bool force; /* even if what it reserves is not there */
	bool lazy_pages; /* memory comes from a lazy-pages daemon that works in dir */
	bool leave_frozen; /* it is there and stands still, see ve/freeze.h */
	int timeout_ms; /* 0: vz_dump_timeout() */
	/*
	 * These are called in another process, the supervisor-to-be, whose memory is a
	 * copy. restored(): all processes are there, and none has moved; as it returns 0
	 * the VE goes on. network(): connections are there, so that its addresses may
	 * lead here; NULL: vz_net_up(). An error undoes the restore.
	 */
	int (*restored)(void *data, struct vz_err *err);
	int (*network)(void *data, const struct vz_ve *ve, pid_t init,
		       struct vz_err *err);
	void *data;
};

/* VZ_E_RESTORE with the process, the object and the way out; or as vz_launch(). */
int vz_restore(struct vz_ve *ve, const struct vz_restore *how, struct vz_err *err);

/* What `vzctl resume` does. dumpfile: NULL, or another place than DUMPDIR: it is kept. */
struct vz_resume {
	const char *dumpfile;
	int lock_fd;
	bool force, leave_frozen;
};
int vz_ve_resume(struct vz_ve *ve, const struct vz_resume *how, struct vz_err *err);

#endif
