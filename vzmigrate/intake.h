/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_INTAKE_H
#define VZMIGRATE_INTAKE_H

#include "sys/criu.h"
#include "ve/await.h"
#include "vzmigrate/landing.h"

/*
 * A VE's processes on their way in, while it stands still on the source: their memory
 * through a channel to a page server of criu, the rest as files behind a message.
 */
struct intake {
	int listener; /* for the channel; -1: none is expected */
	int pages; /* the channel's end */
	int server; /* pidfd of criu */
	int early; /* the same, of the criu that takes memory while the VE runs */
	struct vz_criu criu; /* version 0: not asked for yet */
	struct vz_await await; /* what is sent to its addresses */
};
#define INTAKE_NONE                                                                      \
	((struct intake){ .listener = -1,                                                \
			  .pages = -1,                                                   \
			  .server = -1,                                                  \
			  .early = -1,                                                   \
			  .await = VZ_AWAIT_NONE })
void intake_done(struct intake *in);

/* Expect a channel for this migration: false when there can be none. */
bool intake_listen(struct intake *in, const char *id);
/*
 * The channel is there: let criu take what comes by it. MIG_E_CONNECT, MIG_E_VERSION.
 * after_early: what came early, all of it, is the parent of that (MIG_E_COPY); else
 * nothing is left of it.
 */
int intake_pages(struct intake *in, const struct landing *l, bool after_early,
		 struct vz_err *err);
/* How criu here has it (pages_head_size()); 0: nothing can come early. */
size_t intake_early_head(struct intake *in, const struct landing *l);
/* The same while the VE runs on the source; a second channel is expected then. */
int intake_early(struct intake *in, const struct landing *l, struct vz_err *err);
/* It stands still: what is sent to it comes here. Without that it is sent again. */
void intake_await(struct intake *in, const struct landing *l);
/* It runs here. */
void intake_deliver(struct intake *in, const struct landing *l);
/* The files of the dump, see images.h. */
int intake_images(struct wire *w, const json_t *ask, const struct landing *l,
		  struct vz_err *err);
/* All memory that was sent is here. MIG_E_COPY. */
int intake_finish(struct intake *in, struct vz_err *err);

#endif
