/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_FRAME_H
#define VZ_TOOL_FRAME_H

/* Lines that are shown together, on a screen (tool/screen.h) or one after the other. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"

enum vz_look {
	VZ_LOOK_PLAIN,
	VZ_LOOK_HEAD, /* of a table */
	VZ_LOOK_NEAR, /* near a limit */
	VZ_LOOK_BAD, /* over one, or something was refused */
	VZ_LOOK_CHOSEN, /* where the keys act */
	VZ_LOOK__COUNT,
};

struct vz_line {
	char *text; /* without control characters */
	enum vz_look look;
};

/* Running out of memory is remembered in `failed`. */
struct vz_frame {
	struct vz_line *lines;
	size_t n, room;
	bool failed;
};

/* Add a line. Control characters in it are shown as question marks. */
void vz_frame_add(struct vz_frame *f, enum vz_look look, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void vz_frame_done(struct vz_frame *f);
#define vz_autoframe VZ_CLEANUP(vz_frame_done)

/* What makes a terminal show a look; VZ_LOOK_PLAIN ends all others. */
const char *vz_look_escape(enum vz_look look);

/* All lines, in colours or without. 0, -ENOMEM when the frame failed, or -EIO. */
int vz_frame_print(const struct vz_frame *f, bool colour, FILE *out);

#endif
