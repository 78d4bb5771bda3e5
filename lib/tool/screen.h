/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_SCREEN_H
#define VZ_TOOL_SCREEN_H

/*
 * A terminal's screen that is drawn again and again, with keys, by the escape
 * sequences that all terminals of today share. Signals that end a program, or
 * stop it, are held back while it is open, so that the terminal is always left
 * as it was found.
 */
#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "base/err.h"
#include "tool/frame.h"

struct vz_screen {
	int rows, cols;
	int sigfd;
	bool keys; /* standard input is a terminal */
	struct termios found;
	sigset_t found_signals;
	char in[64]; /* typed and not yet asked for */
	size_t n_in;
};

/* Whether there could be one: else a tool prints. */
bool vz_screen_possible(void);

/* Take the terminal over. 0 or -errno. */
int vz_screen_open(struct vz_screen *s, struct vz_err *err);
void vz_screen_close(struct vz_screen *s);

/*
 * Show a frame: its first `fixed` lines, then what fits of the others from the
 * first-th of them on. before: mark what differs from that frame; may be NULL.
 * 0 or -errno.
 */
int vz_screen_draw(struct vz_screen *s, const struct vz_frame *f, size_t fixed,
		   size_t first, const struct vz_frame *before);

/*
 * Wait up to timeout_ms for a key. Characters are themselves; a resized screen,
 * or a return from being stopped, is VZ_KEY_DRAW: rows and cols are then new.
 * VZ_KEY_QUIT: a signal, or the terminal is gone.
 */
enum vz_key {
	VZ_KEY_NONE = 256, /* the time is over */
	VZ_KEY_QUIT,
	VZ_KEY_DRAW,
	VZ_KEY_UP,
	VZ_KEY_DOWN,
	VZ_KEY_LEFT,
	VZ_KEY_RIGHT,
	VZ_KEY_PAGE_UP,
	VZ_KEY_PAGE_DOWN,
	VZ_KEY_HOME,
	VZ_KEY_END,
	VZ_KEY_ESCAPE,
	VZ_KEY_OTHER,
};
int vz_screen_key(struct vz_screen *s, int timeout_ms);

/*
 * Where scrolling by a key leads: from line `at` of n, `page` of which are shown.
 * Any other key: stays, but not beyond the end.
 */
size_t vz_screen_scroll(int key, size_t at, size_t n, size_t page);

#endif
