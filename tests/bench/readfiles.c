/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readfiles DIR SUFFIX: what reading each small file of a directory costs at least. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && !strcmp(name + n - m, suffix);
}

int main(int argc, char **argv)
{
	unsigned long files = 0, bytes = 0;
	DIR *d = argc == 3 ? opendir(argv[1]) : NULL;
	static char buf[65536];

	if (!d)
		return fprintf(stderr, "usage: readfiles DIR SUFFIX\n"), 2;
	for (struct dirent *e; (e = readdir(d));) {
		ssize_t n;
		int fd;

		if (!has_suffix(e->d_name, argv[2]))
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return perror(e->d_name), 1;
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			bytes += n;
		close(fd);
		files++;
	}
	closedir(d);
	return printf("%lu files, %lu bytes\n", files, bytes) < 0;
}
