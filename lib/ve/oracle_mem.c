/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mapped memory: what of it has no file that CRIU could map again. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/criu.h"
#include "ve/oracle_priv.h"

#define LINE_ROOM 8192

static void tell(struct oracle *o, const struct oracle_task *t,
		 const struct vz_map_line *l, const char *why)
{
	oracle_tell(o, t,
		    ORACLE_WORD("memory", why, "end the process, or restart the program"),
		    "memory at %" PRIx64 ", %s", l->start, l->path);
}

/* Its file, which the kernel alone leads to. */
static bool stat_map(int dir, const struct vz_map_line *l, struct stat *ret)
{
	char name[64];
	struct statx x;

	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, l->start, l->end);
	if (statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &x))
		return false;
	*ret = (struct stat){ .st_mode = x.stx_mode,
			      .st_nlink = x.stx_nlink,
			      .st_blocks = (blkcnt_t)x.stx_blocks,
			      .st_rdev = makedev(x.stx_rdev_major, x.stx_rdev_minor) };
	return true;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void check_file(struct oracle *o, const struct oracle_task *t, int dir,
		       const struct vz_map_line *l)
{
	bool deleted = strstr(l->path, " (deleted)");
	struct stat st;

	/* Only these may be of a kind that matters: asking for each would take long. */
	if (!deleted && !begins(l->path, "/dev/"))
		return;
	if (!stat_map(dir, l, &st))
		return;
	if ((S_ISCHR(st.st_mode) && st.st_rdev != makedev(1, 5)) || S_ISBLK(st.st_mode))
		tell(o, t, l, "memory of a device is mapped");
	else if (S_ISREG(st.st_mode) && !st.st_nlink && deleted &&
		 !begins(l->path, "/dev/zero") &&
		 (uint64_t)st.st_blocks * 512 > VZ_CRIU_GHOST_MAX)
		tell(o, t, l, "a deleted file that is still mapped is too big");
}

static void check_map(struct oracle *o, const struct oracle_task *t, int dir,
		      const struct vz_map_line *l)
{
	if (begins(l->path, "anon_inode:"))
		tell(o, t, l, "CRIU can't keep memory of this kind");
	else if (begins(l->path, "/secretmem"))
		tell(o, t, l, "CRIU can't keep secret memory (memfd_secret)");
	else if (!strcmp(l->path, "[uprobes]"))
		tell(o, t, l, "the node's administrator probes it (uprobes)");
	else if (*l->path == '/' && !begins(l->path, "/memfd:") &&
		 !begins(l->path, "/SYSV") && !begins(l->path, "/[aio]") &&
		 !begins(l->path, "/anon_hugepage"))
		check_file(o, t, dir, l);
}

static void scan_task(struct oracle *o, const struct oracle_task *t)
{
	vz_autofd int dir = oracle_open_task(o, t);
	int fd = dir < 0 ? -1 : openat(dir, "maps", O_RDONLY | O_CLOEXEC);
	vz_autofile FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	static char line[LINE_ROOM];
	struct vz_map_line l;

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (vz_parse_map_line(line, &l) && *l.path)
			check_map(o, t, dir, &l);
	}
}

int oracle_scan_memory(struct oracle *o)
{
	for (size_t i = 0; i < o->n_tasks; i++)
		if (o->tasks[i].st.state != 'Z')
			scan_task(o, &o->tasks[i]);
	return 0;
}
