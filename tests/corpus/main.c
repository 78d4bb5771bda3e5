/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * corpus NAME DIR: a workload that has one kind of thing, in the directory DIR. It
 * writes DIR/ready, "ok" or "skip: WHY"; from then on it answers each DIR/ask by
 * DIR/said: "ok" or "lost: WHY", and how often it has been round its loop.
 * corpus --list: the names.
 */
#include "corpus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct thing *const groups[] = {
	file_things,	socket_things, watch_things,
	process_things, space_things,  memory_things
};
static int home; /* DIR */

static void tell(const char *name, const char *text, const char *more)
{
	int fd = openat(home, "new", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		_exit(1);
	dprintf(fd, "%s%s\n", text, more);
	close(fd);
	renameat(home, "new", home, name);
}

void must(bool good, const char *what)
{
	char why[200];

	if (good)
		return;
	snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	tell("ready", "failed: ", why);
	_exit(1);
}

void skip_unless(bool there, const char *what)
{
	char why[200];

	if (there)
		return;
	snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	tell("ready", "skip: ", why);
	_exit(0);
}

bool reads(int fd, const char *want)
{
	char buf[64] = "";
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	return n == (ssize_t)strlen(want) && !memcmp(buf, want, n);
}

bool writes(int fd, const char *text)
{
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

bool passes(int in, int out)
{
	return reads(out, WORD) && writes(in, WORD);
}

pid_t helper(void (*fn)(void))
{
	int ends[2];
	pid_t pid;
	char c;

	must(!pipe(ends), "pipe");
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		close(ends[0]);
		fn();
		must(write(ends[1], "1", 1) == 1, "helper");
		close(ends[1]);
		for (;;)
			pause();
	}
	close(ends[1]);
	/* What it has said of itself, as that it is to be skipped, is said. */
	if (read(ends[0], &c, 1) != 1)
		_exit(0);
	close(ends[0]);
	return pid;
}

bool lives(pid_t pid)
{
	siginfo_t si = { 0 };

	return !kill(pid, 0) && !waitid(P_PID, pid, &si, WEXITED | WNOHANG | WNOWAIT) &&
	       !si.si_pid;
}

static void answer(const struct thing *t, unsigned long beat)
{
	char more[100];

	errno = 0;
	if (t->has()) {
		snprintf(more, sizeof(more), " %lu", beat);
		tell("said", "ok", more);
	} else {
		tell("said", "lost: ", strerror(errno));
	}
}

static const struct thing *find(const char *name)
{
	for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
		for (const struct thing *t = groups[g]; t->name; t++) {
			if (!name)
				puts(t->name);
			else if (!strcmp(t->name, name))
				return t;
		}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct thing *t = argc == 3 ? find(argv[1]) : NULL;

	if (argc == 2 && !strcmp(argv[1], "--list"))
		return find(NULL) != NULL;
	if (!t || chdir(argv[2])) {
		fprintf(stderr, "corpus NAME DIR\n");
		return 2;
	}
	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	setsid();
	t->make();
	tell("ready", "ok", "");
	for (unsigned long beat = 0;; beat++) {
		if (!unlinkat(home, "ask", 0))
			answer(t, beat);
		usleep(10000);
	}
}
