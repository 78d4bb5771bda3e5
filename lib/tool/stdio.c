/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void vz_stdio_begin(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

bool vz_stdio_end(const char *tool)
{
	bool failed = ferror(stdout);

	if (!fflush(stdout) && !failed)
		return true;
	if (!failed && errno == EPIPE)
		return true;
	/* Of what failed before, stdio remembers only that it did. */
	fprintf(stderr, "%s: can't write to standard output%s%s\n", tool,
		failed ? "" : ": ", failed ? "" : strerror(errno));
	return false;
}
