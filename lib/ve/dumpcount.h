/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DUMPCOUNT_H
#define VZ_VE_DUMPCOUNT_H

#include "ve/ve.h"

/*
 * What of a VE's beancounters outlives its processes: maxheld and failcnt. (What is
 * held is counted anew as CRIU makes it again.) The file `counters` of a dump: "NUMBER
 * MAXHELD FAILCNT" by enum vz_ubc_id, unknown ones left out.
 */
int vz_dumpcount_save(const struct vz_ve *ve, int dir, struct vz_err *err);
/* `group_dir`: the restored VE's in cgroup2. A VE without counters is no error. */
int vz_dumpcount_load(const struct vz_ve *ve, int dir, int group_dir, struct vz_err *err);

#endif
