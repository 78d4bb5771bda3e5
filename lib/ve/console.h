/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_CONSOLE_H
#define VZ_VE_CONSOLE_H

/*
 * The talk between `vzctl console` and the supervisor, over RUNDIR/VEID/control
 * (SOCK_SEQPACKET). First one byte from the supervisor:
 */
enum vz_console_answer {
	VZ_CONSOLE_YOURS = 'y',
	VZ_CONSOLE_BUSY = 'b', /* another has it */
	VZ_CONSOLE_GONE = 'g', /* the supervisor that had it was killed */
};
/* Then packets: the console's output as it is, and to the console: */
enum vz_console_packet {
	VZ_CONSOLE_INPUT = 'i', /* and what was typed, up to 1024 bytes */
	VZ_CONSOLE_SIZE = 's', /* and a struct winsize */
};

#ifndef VZ_SUPER_ITSELF
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"

/*
 * Join this process's terminal with the console of a running VE, until Esc
 * and then a point are typed, or the VE ends. VZ_E_NOTRUNNING; VZ_E_SYSTEM.
 */
int vz_console(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err);
#endif

#endif
