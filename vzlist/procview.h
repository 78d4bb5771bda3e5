/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VZLIST_PROCVIEW_H
#define VZ_VZLIST_PROCVIEW_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A /proc that has more names than the kernel's: a tmpfs with a link for each
 * name in the real one, which is mounted on `.real` in it.
 */
#define PROCVIEW_REAL ".real"

struct procview {
	int dir, real; /* both: directories */
};

/* Make the links be what the real one has now. 0 or -errno. */
int procview_sync(const struct procview *v);

/* A process has come. */
void procview_add(const struct procview *v, pid_t pid);
/* It may be gone: false while it is still there. */
bool procview_drop(const struct procview *v, pid_t pid);

#endif
