/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_AWAIT_H
#define VZ_VE_AWAIT_H

#include "ve/neighbours.h"

/*
 * A VE's addresses between two nodes, so that nothing that is sent to it meanwhile is
 * lost, or refused: the node where it is going to be takes them over, and keeps what
 * comes until it is there (a tun device, whose routes are second to those that the VE
 * will have); the one where it stands still drops what comes to it, and says nothing.
 * Of addresses on bridged interfaces the bridge knows as soon as the VE says a word.
 */
struct vz_await {
	struct vz_rtnl *nl;
	struct vz_ips ips;
	struct vz_neighbours near;
	int tun; /* its device lives as long as this; -1: none */
};
#define VZ_AWAIT_NONE ((struct vz_await){ .tun = -1 })

/* Where it is going to be, by its configuration. VZ_E_SYSTEM, and nothing has changed. */
int vz_await_begin(const struct vz_ve *ve, struct vz_await *ret, struct vz_err *err);
/* It is there: give it what came. How many packets. */
unsigned int vz_await_deliver(struct vz_await *a, const struct vz_ve *ve);
/* Stop keeping; where the VE is, what answers for it is its own. */
void vz_await_end(struct vz_await *a);
/* It does not come: nobody is answered for it. Also after a crash. */
void vz_await_forget(const struct vz_ve *ve);

/* Where it stands still: answer nobody for it; and again, and tell them. */
int vz_await_leave(const struct vz_ve *ve, struct vz_err *err);
int vz_await_return(struct vz_ve *ve, struct vz_err *err);

#endif
