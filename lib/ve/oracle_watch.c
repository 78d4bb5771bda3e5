/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that watch others: epoll and inotify. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/root.h"
#include "ve/oracle_priv.h"

#define COUNTED_MAX 65536 /* bytes of fdinfo */
#define FDS_MAX 4096 /* of a process, that are searched for what an epoll watches */

/* It is what the epoll watches by that number: the very open file, not the number. */
static bool is_watched(const struct oracle_fd *fd, const struct kcmp_epoll_slot *slot,
		       int number)
{
	return !syscall(SYS_kcmp, fd->task->pid, fd->task->pid, KCMP_EPOLL_TFD, number,
			slot);
}

/* By its number of then, or by any other that the process has it by now. */
static bool is_open(const struct oracle_fd *fd, const struct kcmp_epoll_slot *slot)
{
	vz_autodir DIR *d = NULL;
	struct dirent *e;
	int n = 0, fds;

	if (is_watched(fd, slot, (int)slot->tfd))
		return true;
	/* No such call here, or the epoll itself has gone: not known. */
	if (errno != EBADF && errno != ENOENT && errno != 0)
		return true;
	fds = openat(fd->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fds < 0 ? NULL : fdopendir(fds);
	if (!d)
		return fds < 0 || close(fds) || true;
	while ((e = readdir(d)) && n++ < FDS_MAX)
		if (*e->d_name != '.' && is_watched(fd, slot, atoi(e->d_name)))
			return true;
	return n >= FDS_MAX;
}

/*
 * One number can be watched more than once: as it was, and as it is. Where thousands are
 * watched that is not looked for: each look is at all of them.
 */
static uint32_t count_before(const char *from, const char *to, int number)
{
	struct vz_epoll_line l;
	uint32_t n = 0;

	if (to - from > COUNTED_MAX)
		return 0;
	while (vz_next_epoll_line(&from, &l) && from < to)
		n += l.fd == number;
	return n;
}

void oracle_check_epoll(struct oracle *o, const struct oracle_fd *fd)
{
	const char *at = fd->info_text;
	struct vz_epoll_line l;

	while (vz_next_epoll_line(&at, &l)) {
		struct kcmp_epoll_slot slot = {
			.efd = (uint32_t)fd->number,
			.tfd = (uint32_t)l.fd,
			.toff = count_before(fd->info_text, at, l.fd),
		};

		errno = 0;
		if (is_open(fd, &slot))
			continue;
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor",
					"it watches one that the process has closed",
					"restart the program"),
			    "descriptor %d, epoll of descriptor %d", fd->number, l.fd);
		return;
	}
}

/* --- inotify --- */

enum found { FOUND, NO_LINK, NOT_FOUND };

/* The file by its handle, through a mount of its file system. */
static enum found by_handle(const struct oracle *o, const struct oracle_mount *m,
			    const struct vz_watch_line *w)
{
	struct {
		struct file_handle h;
		unsigned char bytes[sizeof(w->handle)];
	} handle = { .h = { w->handle_bytes, w->handle_type } };
	vz_autofd int at = vz_root_openat(o->root, m->point, O_RDONLY | O_DIRECTORY, 0);
	vz_autofd int file = -1;
	struct stat st;

	memcpy(handle.h.f_handle, w->handle, w->handle_bytes);
	file = at < 0 ? -1 : open_by_handle_at(at, &handle.h, O_PATH | O_CLOEXEC);
	if (file < 0 || fstatat(file, "", &st, AT_EMPTY_PATH))
		return NOT_FOUND;
	return st.st_nlink ? FOUND : NO_LINK;
}

/*
 * On a tmpfs a watched file needs a name: its number will be another one. Elsewhere
 * CRIU finds it by its handle, and on overlay by a search that is not done here.
 */
static bool is_lost(const struct oracle *o, const struct vz_watch_line *w)
{
	enum found found = NOT_FOUND;

	if (!w->handle_bytes)
		return false;
	for (size_t i = 0; i < o->n_mounts && found == NOT_FOUND; i++) {
		struct oracle_mount *m = &o->mounts[i];

		if (!m->space && (m->major << 20 | m->minor) == w->dev &&
		    (!strcmp(m->type, "tmpfs") || !strcmp(m->type, "devtmpfs")) &&
		    !oracle_overmounted(o, m))
			found = by_handle(o, m, w);
	}
	return found == NO_LINK;
}

void oracle_check_inotify(struct oracle *o, const struct oracle_fd *fd)
{
	const char *at = fd->info_text;
	struct vz_watch_line w;

	while (vz_next_watch_line(&at, &w)) {
		if (!is_lost(o, &w))
			continue;
		oracle_tell(o, fd->task,
			    ORACLE_WORD("descriptor",
					"it watches a deleted file on a tmpfs",
					"restart the program"),
			    "descriptor %d, inotify", fd->number);
		return;
	}
}
