/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_RELAY_H
#define VZ_SYS_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/*
 * One direction of data between two descriptors, in a caller's poll loop.
 * `to` is nonblocking when its reader is a VE, so that one which doesn't read
 * holds up nothing else; a terminal of the host, whose flags are shared with
 * others, stays as it is.
 */
struct vz_flow {
	int from, to; /* owned; from is -1 when it is at its end */
	bool from_borrowed, to_borrowed; /* the caller's: not closed here */
	size_t at, n; /* what waits for `to`: buf[at .. n-1] */
	char buf[16384];
};

/* Pump what poll() said; p is what vz_flow_poll() filled before. */
void vz_flow_poll(const struct vz_flow *f, struct pollfd *p);
void vz_flow_pump(struct vz_flow *f, const struct pollfd *p);
/* Pass on what can be read without waiting: the writer has ended. */
void vz_flow_drain(struct vz_flow *f);
void vz_flow_close(struct vz_flow *f);

/* Set a terminal raw. *ret_old is for vz_tty_restore(). 0 or -errno. */
int vz_tty_raw(int fd, struct termios *ret_old);
void vz_tty_restore(int fd, const struct termios *old);
/* Copy the window's size from one terminal to the other. */
void vz_tty_copy_size(int from, int to);

#endif
