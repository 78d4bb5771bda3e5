/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Templates: whatever an archive says, nothing appears beside its directory. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/untar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char top[64];

static void remove_top(void)
{
	vz_remove_tree(AT_FDCWD, top);
}

/* A directory that holds "root", the target, and nothing else, ever. */
static int open_top(void)
{
	static pid_t owner;

	if (!owner) {
		snprintf(top, sizeof(top), "%s/vz-fuzz.XXXXXX",
			 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
		if (!mkdtemp(top))
			abort();
		owner = getpid();
		atexit(remove_top);
	}
	return open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void only_root(int topfd)
{
	int fd = openat(topfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		abort();
	for (struct dirent *e; (e = readdir(d));)
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		     strcmp(e->d_name, "root");
	closedir(d);
	if (n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int archive = memfd_create("archive", MFD_CLOEXEC), topfd = open_top(), root;
	struct vz_untar how = { .archive_fd = archive,
				.uid = 1000000,
				.gid = 1000000,
				.max_bytes = 1 << 20,
				.max_inodes = 200 };
	struct vz_err err = { 0 };

	if (topfd < 0 || archive < 0 || vz_write_all(archive, data, size) ||
	    lseek(archive, 0, SEEK_SET) || mkdirat(topfd, "root", 0755))
		abort();
	root = openat(topfd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	how.rootfd = root;
	if (vz_untar(&how, &err) && (!err.status || !err.text[0]))
		abort();
	only_root(topfd);
	if (vz_remove_tree(topfd, "root"))
		abort();
	close(root);
	close(topfd);
	close(archive);
	return 0;
}
