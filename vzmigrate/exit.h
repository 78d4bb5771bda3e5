/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_EXIT_H
#define VZMIGRATE_EXIT_H

#include "base/err.h"

/* Exit statuses of vzmigrate. The numbers are OpenVZ's, as scripts know them. */
enum mig_exit {
	MIG_OK = 0,
	MIG_E_USAGE = 1,
	MIG_E_STOPPED = 2, /* --live, and the VE does not run */
	MIG_E_SYSTEM = 3, /* a system call failed, or it was given up; ours */
	MIG_E_CONNECT = 4,
	MIG_E_COPY = 6,
	MIG_E_START = 7, /* can't start or restore there */
	MIG_E_STOP = 8, /* can't stop or checkpoint here */
	MIG_E_EXISTS = 9,
	MIG_E_NOVE = 10,
	MIG_E_IPUSED = 12,
	MIG_E_QUOTA = 13, /* quota or space there */
	MIG_E_NOSUITE = 14, /* vz does not run there */
	MIG_E_CONFIG = 15, /* its configuration or name can't be applied there */
	MIG_E_LAYOUT = 16,
	MIG_E_VERSION = 17, /* of checkpoints, or of vz */
	MIG_E_CPU = 18,
	MIG_E_REMOTECONF = 19,
	MIG_E_LOCKED = 20,
	MIG_E__END,
};

/*
 * struct vz_err carries statuses of vzctl, which the library sets; in vzmigrate
 * the last word is always one of these.
 */
#define mig_fail(err, status, errnum, ...)                                               \
	vz_err_set(err, (enum vz_exit)(status), errnum, __VA_ARGS__)

/* What the library said, under our status. Returns r. */
static inline int mig_recast(struct vz_err *err, enum mig_exit status, int r)
{
	err->status = (enum vz_exit)status;
	return r;
}

#endif
