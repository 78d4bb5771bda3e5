/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_BPFPART_H
#define VZ_SYS_BPFPART_H

struct bpf_program;

/* What becomes of a program that the kernel has taken. */
enum vz_bpfpart {
	VZ_BPFPART_PIN, /* for who runs it, or puts it on a VE's group */
	VZ_BPFPART_ATTACH, /* it is called from now on */
	VZ_BPFPART_ITERATE, /* a file: who reads it runs it */
	VZ_BPFPART_ITERATE_ROWS, /* the same, for each element of a map */
};

/*
 * Pin it in a directory of the bpffs by its name, in place of what was there: from
 * then on it stays, whatever ends. One that was not to be loaded is only not there.
 * `rows`: the map that VZ_BPFPART_ITERATE_ROWS goes through. 0 or -errno.
 */
int vz_bpfpart_pin(const struct bpf_program *prog, enum vz_bpfpart how, int rows,
		   const char *dir);

#endif
