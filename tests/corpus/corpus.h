/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_CORPUS_H
#define TESTS_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * One kind of thing that the kernel keeps for a process: how to have it, and whether it
 * is still there and works. `make` runs in the workload's own empty directory.
 */
struct thing {
	const char *name;
	void (*make)(void);
	bool (*has)(void);
};
extern const struct thing file_things[], socket_things[], watch_things[],
	process_things[], space_things[], memory_things[];

/* End with a word about what failed. */
void must(bool good, const char *what);
/* The kernel, or this VE, has no such thing: the workload is left out. */
void skip_unless(bool there, const char *what);

#define WORD "kept"
/* One read that is exactly this; one write of all of it. */
bool reads(int fd, const char *want);
bool writes(int fd, const char *text);
/* What was in it is read, and put there again for the next question. */
bool passes(int in, int out);

/* A process that waits for its end, after it has done fn(). It tells when it has. */
pid_t helper(void (*fn)(void));
/* It is there and has not ended. */
bool lives(pid_t pid);

#endif
