/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_PROCFILES_H
#define VZ_BPF_PROCFILES_H

#include <linux/types.h>

/*
 * What the programs of the /proc-like files (lib/bpf/procfiles.bpf.c) and who loads
 * and feeds them have in common. A change of any of these is a new version.
 */
#define VZ_PROCFILES_VERSION "procfiles-1"

/* A VE's addresses, by their place: 0, 1… up to the first that is not there. */
struct vz_procfiles_addr_key {
	__u32 veid, index;
};
#define VZ_PROCFILES_ADDR_LEN 48
struct vz_procfiles_addr {
	__u32 len;
	char text[VZ_PROCFILES_ADDR_LEN]; /* as veinfo has it: a blank, right-aligned */
};

/* By the number of a VE's group: what its tasks read and wrote. */
enum vz_procfiles_io_id {
	VZ_IO_READ,
	VZ_IO_DIRTY,
	VZ_IO_CANCEL,
	VZ_IO_READS,
	VZ_IO_READ_CHARS,
	VZ_IO_WRITES,
	VZ_IO_WRITE_CHARS,
	VZ_IO_WRITTEN, /* what went to disks in the group's name */
	VZ_IO__COUNT,
};
enum vz_procfiles_sync_id {
	VZ_SYNC,
	VZ_SYNC_FILE,
	VZ_SYNC_DATA,
	VZ_SYNC_RANGE,
	VZ_SYNC__COUNT,
};
struct vz_procfiles_io {
	__u64 past[VZ_IO__COUNT]; /* of tasks that have ended */
	__u64 shown[VZ_IO__COUNT]; /* at the last reading: it was no less */
	__u64 begun[VZ_SYNC__COUNT], done[VZ_SYNC__COUNT];
};

#endif
