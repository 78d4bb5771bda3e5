/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time commands side by side.
 *
 *   timeit ROUNDS IDLE_MS        < list    NAME MEDIAN MINIMUM MAXIMUM in ms
 *   timeit -j JOBS               < list    TOTAL FAILED, all lines, JOBS at once
 *
 * A line of the list: NAME, what is timed, what is done after it (untimed),
 * with tabs between; several commands of one field have " ; " between them. A
 * fourth field names a mount namespace (/proc/PID/ns/mnt) to run them in.
 * Rounds are interleaved: one of each line, then the next round. Before each
 * timed command IDLE_MS of sleep. No shell, no output; a failure is an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LINES = 1024, MAX_WORDS = 64, MAX_ROUNDS = 1000 };

struct line {
	char *name, *timed, *after, *ns;
	int ns_fd;
	double ms[MAX_ROUNDS];
};

static struct line lines[MAX_LINES];
static int n_lines, null_fd;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static pid_t start(char **argv, int ns_fd)
{
	pid_t pid = vfork();

	if (pid)
		return pid;
	if (ns_fd >= 0 && setns(ns_fd, CLONE_NEWNS))
		_exit(126);
	dup2(null_fd, 0);
	dup2(null_fd, 1);
	execvp(argv[0], argv);
	_exit(127);
}

static bool finish(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Split the next command off *text; false: no more. */
static bool next_command(char **text, char **argv)
{
	char *word, *save = *text;
	int n = 0;

	while ((word = strtok_r(save ? save : NULL, " ", &save)) && strcmp(word, ";"))
		if (n < MAX_WORDS - 1)
			argv[n++] = word;
	argv[n] = NULL;
	*text = save;
	return n > 0;
}

static bool run_all(const char *commands, int ns_fd)
{
	char *text = strdup(commands), *at = text, *argv[MAX_WORDS];
	bool good = true;

	while (at && *at && good && next_command(&at, argv))
		good = finish(start(argv, ns_fd));
	free(text);
	return good;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void read_lines(void)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t len;

	while (n_lines < MAX_LINES && (len = getline(&text, &size, stdin)) > 0) {
		struct line *l = &lines[n_lines];
		char *at = text;

		if (text[len - 1] == '\n')
			text[len - 1] = '\0';
		l->name = strsep(&at, "\t");
		l->timed = strsep(&at, "\t");
		l->after = strsep(&at, "\t");
		l->ns = strsep(&at, "\t");
		l->ns_fd = l->ns && *l->ns ? open(l->ns, O_RDONLY | O_CLOEXEC) : -1;
		if (l->timed)
			n_lines++;
		text = NULL;
		size = 0;
	}
}

static int time_rounds(int rounds, long idle)
{
	for (int r = 0; r < rounds; r++)
		for (int i = 0; i < n_lines; i++) {
			double began;

			if (idle)
				sleep_ms(idle);
			began = now_ms();
			if (!run_all(lines[i].timed, lines[i].ns_fd))
				return fprintf(stderr, "timeit: failed: %s\n",
					       lines[i].timed),
				       1;
			lines[i].ms[r] = now_ms() - began;
			if (lines[i].after && *lines[i].after &&
			    !run_all(lines[i].after, lines[i].ns_fd))
				return fprintf(stderr, "timeit: failed: %s\n",
					       lines[i].after),
				       1;
		}
	for (int i = 0; i < n_lines; i++) {
		double *ms = lines[i].ms;

		qsort(ms, rounds, sizeof(*ms), by_value);
		printf("%s %.3f %.3f %.3f\n", lines[i].name, ms[rounds / 2], ms[0],
		       ms[rounds - 1]);
	}
	return 0;
}

static int time_parallel(int jobs)
{
	char *argv[MAX_WORDS];
	int running = 0, failed = 0, status;
	double began = now_ms();

	for (int i = 0; i < n_lines || running;) {
		if (i < n_lines && running < jobs) {
			char *at = lines[i].timed;

			if (next_command(&at, argv) && start(argv, lines[i].ns_fd) > 0)
				running++;
			i++;
			continue;
		}
		if (wait(&status) > 0) {
			running--;
			failed += !WIFEXITED(status) || WEXITSTATUS(status);
		}
	}
	printf("%.1f %d\n", now_ms() - began, failed);
	return 0;
}

int main(int argc, char **argv)
{
	bool parallel = argc == 3 && !strcmp(argv[1], "-j");
	int rounds = argc == 3 ? atoi(argv[1]) : 0;

	if (argc != 3 || (!parallel && (rounds < 1 || rounds > MAX_ROUNDS)))
		return fprintf(stderr, "usage: timeit ROUNDS IDLE_MS | -j JOBS\n"), 2;
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return perror("timeit: /dev/null"), 1;
	read_lines();
	return parallel ? time_parallel(atoi(argv[2]))
			: time_rounds(rounds, atol(argv[2]));
}
