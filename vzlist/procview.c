/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzlist/procview.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

static int add(const struct procview *v, const char *name)
{
	char target[300];

	snprintf(target, sizeof(target), PROCVIEW_REAL "/%s", name);
	return symlinkat(target, v->dir, name) && errno != EEXIST ? -errno : 0;
}

static bool is_there(const struct procview *v, const char *name)
{
	struct stat st;

	return !fstatat(v->real, name, &st, AT_SYMLINK_NOFOLLOW);
}

static DIR *open_list(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

/* A tmpfs lists the newest first: so the last name is made first. */
static int add_all(const struct procview *v)
{
	vz_autodir DIR *d = open_list(v->real);
	vz_autostrv struct vz_strv names = { 0 };
	struct dirent *e;
	int r = d ? 0 : -errno;

	while (!r && (e = readdir(d)))
		if (e->d_name[0] != '.')
			r = vz_strv_add(&names, e->d_name);
	for (size_t i = names.n; i > 0 && !r; i--)
		r = add(v, names.v[i - 1]);
	return r;
}

/* Only processes end. */
static int drop_ended(const struct procview *v)
{
	vz_autodir DIR *d = open_list(v->dir);
	struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]) && !is_there(v, e->d_name))
			unlinkat(v->dir, e->d_name, 0);
	return 0;
}

int procview_sync(const struct procview *v)
{
	int r = drop_ended(v);

	return r ? r : add_all(v);
}

void procview_add(const struct procview *v, pid_t pid)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	add(v, name);
}

bool procview_drop(const struct procview *v, pid_t pid)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	if (is_there(v, name))
		return false;
	unlinkat(v->dir, name, 0);
	return true;
}
