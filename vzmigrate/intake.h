/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_INTAKE_H
#define VZMIGRATE_INTAKE_H

#include "vzmigrate/landing.h"

/*
 * A VE's processes on their way in, while it stands still on the source: their memory
 * through a channel to a page server of criu, the rest as files behind a message.
 */
struct intake {
	int listener; /* for the channel; -1: none is expected */
	int pages; /* the channel's end */
	int server; /* pidfd of criu */
};
#define INTAKE_NONE ((struct intake){ .listener = -1, .pages = -1, .server = -1 })
void intake_done(struct intake *in);

/* Expect a channel for this migration: false when there can be none. */
bool intake_listen(struct intake *in, const char *id);
/* The channel is there: let criu take what comes by it. MIG_E_CONNECT, MIG_E_VERSION. */
int intake_pages(struct intake *in, const struct landing *l, struct vz_err *err);
/* The files of the dump, see images.h. */
int intake_images(struct wire *w, const json_t *ask, const struct landing *l,
		  struct vz_err *err);
/* All memory that was sent is here. MIG_E_COPY. */
int intake_finish(struct intake *in, struct vz_err *err);

#endif
