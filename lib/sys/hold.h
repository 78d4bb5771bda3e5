/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_HOLD_H
#define VZ_SYS_HOLD_H

#include <signal.h>
#include <stdbool.h>

/*
 * Work that must clean up after itself when the administrator presses
 * Ctrl-C: SIGINT, SIGTERM and SIGHUP wait until vz_hold_end(), and then
 * strike as if nothing had been in between. No handler, no global.
 */
struct vz_hold {
	sigset_t was;
};

void vz_hold_begin(struct vz_hold *h);
/* Whether one waits: give up and clean up. */
bool vz_hold_struck(void);
void vz_hold_end(struct vz_hold *h);
#define vz_autohold VZ_CLEANUP(vz_hold_end)

#endif
