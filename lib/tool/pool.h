/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_POOL_H
#define VZ_TOOL_POOL_H

/*
 * Run many commands, so many at once, in their order: for what is done to all
 * VEs of a node. Waits on pidfds; nothing is polled for.
 */
#include <stddef.h>
#include <stdint.h>

struct vz_job {
	const char *const *argv;
	uint32_t veid;
	int status; /* as vz_run() has it, when it is done */
	int64_t ms; /* how long it took */
	char said[512]; /* the beginning of what it wrote to standard error */
};

struct vz_pool {
	struct vz_job *jobs;
	size_t n;
	unsigned int parallel; /* at least 1 */
	const char *const *env;
	void (*done)(void *data, const struct vz_job *job); /* each, as it ends */
	void *data;
};

/* 0 when all were started and waited for, whatever their status; or -errno. */
int vz_pool_run(const struct vz_pool *pool);

#endif
