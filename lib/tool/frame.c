/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/frame.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

static bool make_room(struct vz_frame *f)
{
	size_t room = f->room ? f->room * 2 : 32;
	struct vz_line *lines;

	if (f->n < f->room)
		return true;
	lines = reallocarray(f->lines, room, sizeof(*lines));
	if (!lines)
		return false;
	f->lines = lines;
	f->room = room;
	return true;
}

void vz_frame_add(struct vz_frame *f, enum vz_look look, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || !make_room(f)) {
		free(text);
		f->failed = true;
		return;
	}
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	f->lines[f->n++] = (struct vz_line){ text, look };
}

void vz_frame_done(struct vz_frame *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->lines[i].text);
	free(f->lines);
	*f = (struct vz_frame){ 0 };
}

const char *vz_look_escape(enum vz_look look)
{
	static const char *const escapes[VZ_LOOK__COUNT] = {
		[VZ_LOOK_PLAIN] = "\033[0m",  [VZ_LOOK_HEAD] = "\033[1m",
		[VZ_LOOK_NEAR] = "\033[33m",  [VZ_LOOK_BAD] = "\033[1;31m",
		[VZ_LOOK_CHOSEN] = "\033[7m",
	};

	return escapes[look];
}

int vz_frame_print(const struct vz_frame *f, bool colour, FILE *out)
{
	if (f->failed)
		return -ENOMEM;
	for (size_t i = 0; i < f->n; i++) {
		const struct vz_line *l = &f->lines[i];
		bool coloured = colour && l->look != VZ_LOOK_PLAIN;

		fprintf(out, "%s%s%s\n", coloured ? vz_look_escape(l->look) : "", l->text,
			coloured ? vz_look_escape(VZ_LOOK_PLAIN) : "");
	}
	return fflush(out) || ferror(out) ? -EIO : 0;
}
