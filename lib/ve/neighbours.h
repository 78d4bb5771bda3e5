/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_NEIGHBOURS_H
#define VZ_VE_NEIGHBOURS_H

#include <net/if.h>

#include "sys/rtnl.h"
#include "ve/venet.h"

/*
 * The networks beside the node on which it stands for a VE's addresses
 * (NEIGHBOUR_DEVS): by proxy ARP and proxy neighbour discovery, after having
 * asked whether somebody has the address (SKIP_ARPDETECT, ERROR_ON_ARPFAIL),
 * and with an announcement that it is here now.
 *
 * RUNDIR/VEID/proxies says which entries are ours, written before they are
 * made: the kernel's table has no room for that.
 */
struct vz_neighbour {
	struct vz_ip ip;
	int dev;
	char name[IFNAMSIZ];
	unsigned char mac[6];
};
struct vz_neighbours {
	struct vz_neighbour *v;
	size_t n;
};
void vz_neighbours_done(struct vz_neighbours *l);
#define vz_autoneighbours VZ_CLEANUP(vz_neighbours_done)

/* On which devices each address is to be answered for. */
int vz_neighbours_find(const struct vz_ve *ve, struct vz_rtnl *nl,
		       const struct vz_ips *ips, struct vz_neighbours *ret,
		       struct vz_err *err);

/*
 * Words with the machines there: asked first, then heard, so that the time for an
 * answer is not lost, and announced by a process of its own, which also has the
 * wait that closing such sockets takes (sys/neigh.h).
 */
struct vz_neighbours_talk {
	struct vz_neighbours_socket *v;
	size_t n;
};
/* For these, which must stay: nothing is asked. */
int vz_neighbours_open(const struct vz_neighbours *l, struct vz_neighbours_talk *ret,
		       struct vz_err *err);
/* The same, and they are asked, but with SKIP_ARPDETECT. */
int vz_neighbours_ask(const struct vz_ve *ve, const struct vz_neighbours *l,
		      struct vz_neighbours_talk *ret, struct vz_err *err);
/*
 * What they answered, or do in that time (milliseconds). VZ_E_IPUSED with
 * ERROR_ON_ARPFAIL, else a warning.
 */
int vz_neighbours_hear(const struct vz_ve *ve, const struct vz_neighbours_talk *talk,
		       int wait_ms, struct vz_err *err);
/* Say where they are, by a process that nobody waits for; the end of the talk. */
void vz_neighbours_announce(struct vz_neighbours_talk *talk);
void vz_neighbours_talk_done(struct vz_neighbours_talk *talk);
#define vz_autotalk VZ_CLEANUP(vz_neighbours_talk_done)

/* Make the entries be these and no others of ours. */
int vz_neighbours_set(const struct vz_ve *ve, struct vz_rtnl *nl,
		      const struct vz_neighbours *want, struct vz_err *err);

#endif
