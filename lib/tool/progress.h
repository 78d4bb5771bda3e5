/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_PROGRESS_H
#define VZ_TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A bar on standard error, when that is a terminal: nothing else ever sees
 * it. It takes one line and is gone when done.
 */
struct vz_progress {
	bool shown; /* there is a terminal */
	int columns;
	int64_t last_ms; /* when it was drawn */
	int percent; /* what it shows; -1: nothing yet */
	char words[40]; /* behind the bar: how fast, how long still */
};

void vz_progress_start(struct vz_progress *p, bool quiet);
/* done of total, called as often as one likes; `data` is the vz_progress. */
void vz_progress_update(void *data, uint64_t done, uint64_t total);
/* What stands behind it from the next drawing on. */
void vz_progress_words(struct vz_progress *p, const char *words);
void vz_progress_end(struct vz_progress *p);

#endif
