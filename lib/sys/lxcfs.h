/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_LXCFS_H
#define VZ_SYS_LXCFS_H

/*
 * lxcfs: a daemon of the node whose files show to each process that reads them
 * what its VE's groups have. It may be hung or dead: see vz_lxcfs_probe().
 */

/* What a VE may be given of it. */
enum vz_lxcfs_file {
	VZ_LXCFS_CPUINFO,
	VZ_LXCFS_CPUS,
	VZ_LXCFS_LOADAVG,
	VZ_LXCFS_MEMINFO,
	VZ_LXCFS_STAT,
	VZ_LXCFS_SWAPS,
	VZ_LXCFS__COUNT,
};

struct vz_lxcfs_row {
	const char *name; /* as LXCFS_FILES has it */
	const char *path; /* below lxcfs, and in the VE */
};
extern const struct vz_lxcfs_row vz_lxcfs_files[VZ_LXCFS__COUNT];

/* The enum of a name, or -1. */
int vz_lxcfs_find(const char *name);

/*
 * Whether an lxcfs answers at dir. 0; -ENOENT: nothing is mounted there;
 * -ENOTCONN: it is dead; -ETIMEDOUT: it hangs; -EMEDIUMTYPE: something else is
 * mounted; or -errno. Returns in a second or two, whatever it does.
 */
int vz_lxcfs_probe(const char *dir);

#endif
