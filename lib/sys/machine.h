/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_MACHINE_H
#define VZ_SYS_MACHINE_H

#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"

/* What a node has to share out, as the kernel says it. */
struct vz_machine {
	uint64_t ram, swap; /* bytes */
	uint64_t lowmem; /* bytes; 0: this kernel has no low memory apart from RAM */
	uint64_t threads_max;
	unsigned int cpus;
	uint64_t cpu_power; /* in CPU units, 25 a BogoMIPS; 0: the kernel is silent */
};

/* From procdir: meminfo, cpuinfo, sys/kernel/threads-max. VZ_E_SYSTEM. */
int vz_machine_read(const struct vz_ctx *ctx, struct vz_machine *ret, struct vz_err *err);

#endif
