/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's texts about processes, in which names and paths are a VE's choice: what
 * is taken from them stays within its bounds, and each walk of lines comes to its end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ve/oracle_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_lines(const char *text, size_t size)
{
	struct vz_epoll_line epoll;
	struct vz_watch_line watch;
	const char *at = text;
	size_t n = 0;

	while (vz_next_epoll_line(&at, &epoll))
		if (++n > size)
			abort();
	at = text;
	n = 0;
	while (vz_next_watch_line(&at, &watch))
		if (++n > size || watch.handle_bytes > sizeof(watch.handle))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vz_mount_line mount;
	vz_autofree char *text = strndup((const char *)data, size);
	struct vz_proc_status status;
	struct vz_proc_stat stat;
	struct vz_fdinfo info;
	struct vz_map_line map;
	char name[32], shown[20];
	uint64_t ino;

	if (!text)
		return 0;
	vz_parse_proc_status(text, &status);
	vz_parse_proc_stat(text, &stat);
	vz_parse_fdinfo(text, &info);
	vz_parse_fd_link(text, name, &ino);
	if (!memchr(name, 0, sizeof(name)))
		abort();
	if (vz_parse_map_line(text, &map) && strlen(map.path) > size)
		abort();
	if (vz_parse_mount_line(text, &mount) &&
	    (strlen(mount.root) > size || strlen(mount.point) > size))
		abort();
	walk_lines(text, size);
	vz_printable(text, shown, sizeof(shown));
	if (strlen(shown) >= sizeof(shown))
		abort();
	return 0;
}
