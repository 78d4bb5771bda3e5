/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/unreaped.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"

enum { PAUSE_US = 5000, CHILDREN_MAX = 1 << 20, STAT_MAX = 4096 };

/* /proc/PID/stat: the state is behind the name, which may hold any character. */
static bool has_ended(const struct vz_ctx *ctx, const char *pid)
{
	vz_autofree char *text = NULL;
	char path[PATH_MAX];
	const char *at;

	snprintf(path, sizeof(path), "%s/%s/stat", ctx->procdir, pid);
	if (vz_read_file(path, STAT_MAX, &text, NULL) || !text)
		return false;
	at = strrchr(text, ')');
	return at && !strncmp(at, ") Z", 3);
}

/* 1: one is there; or -errno. */
static int find(const struct vz_ctx *ctx, pid_t parent)
{
	vz_autofree char *list = NULL;
	char path[PATH_MAX], *at;
	int r;

	snprintf(path, sizeof(path), "%s/%d/task/%d/children", ctx->procdir, parent,
		 parent);
	r = vz_read_file(path, CHILDREN_MAX, &list, NULL);
	if (r || !list)
		return r;
	for (const char *pid = strtok_r(list, " \n", &at); pid;
	     pid = strtok_r(NULL, " \n", &at))
		if (has_ended(ctx, pid))
			return 1;
	return 0;
}

bool vz_unreaped_wait(const struct vz_ctx *ctx, pid_t parent, int64_t ms)
{
	int64_t end = vz_clock_ms() + ms;
	int r;

	while ((r = find(ctx, parent)) > 0 && vz_clock_ms() < end)
		usleep(PAUSE_US);
	return !r;
}
