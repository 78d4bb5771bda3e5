/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_PAGES_H
#define VZMIGRATE_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What is said to criu's page server (criu/page-xfer.c): a head for each command, which
 * the pages follow when they are PRESENT. Numbers are the machine's own, and both nodes
 * have the same kind of machine. What differs between versions is how long a head is.
 */
struct pages_head {
	uint32_t command; /* and flags << 16 */
	uint64_t n; /* pages */
	uint64_t at;
	uint64_t whose; /* number << 8 | kind */
};
/* Bytes of a head as a criu of that version has it; 0: it is not known. */
size_t pages_head_size(uint32_t version);
enum {
	PAGES_HOLE = 2,
	PAGES_OPEN2 = 4, /* answered by a byte: whether there is a parent */
	PAGES_PARENT = 5, /* answered by an int32_t: the same */
	PAGES_ADD = 6, /* with flags */
	PAGES_CLOSE = 0x1023, /* answered by an int32_t, 0 when all is written */
	PAGES_FORCE_CLOSE = 0x1024, /* the same */
};
enum {
	PAGES_OF_PARENT = 1,
	PAGES_PRESENT = 4,
};
enum { PAGES_KIND_PROCESS = 1 };

static inline uint32_t pages_command(uint32_t command, uint32_t flags)
{
	return flags << 16 | command;
}

static inline uint64_t pages_of(pid_t vpid)
{
	return (uint64_t)vpid << 8 | PAGES_KIND_PROCESS;
}

/* All of it: 0 or -errno; -EPIPE at an end. */
int pages_read(int fd, void *buf, size_t n);
int pages_write(int fd, const void *head, size_t head_n, const void *data, size_t n);
int pages_read_head(int fd, size_t size, struct pages_head *ret);
/* With the pages of it, n bytes. */
int pages_say(int fd, size_t size, const struct pages_head *h, const void *data,
	      size_t n);

#endif
