/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What counting costs: medians in microseconds, a name and a number a line.
 *
 *   acct GROUP VES     GROUP: a directory of cgroup2 that is this program's
 *
 * In turns without any program in the kernel and with them, for a process of the
 * node and for one of a VE: what else the machine does hits all alike. Then reading
 * the counters of that many VEs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/acct.h"

enum { TURNS = 9, ROUNDS_EACH = 5, ROUNDS = TURNS * ROUNDS_EACH, CALLS = 2000 };
enum { BARE, ON_NODE, IN_VE, PLACES };

static const char *const places[PLACES] = { "bare", "node", "ve" };

static struct vz_ctx ctx;
static struct vz_acct counting;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void say(const char *name, double *us)
{
	qsort(us, ROUNDS, sizeof(*us), ascending);
	printf("%s %.3f\n", name, us[ROUNDS / 2]);
	fflush(stdout);
}

static void sockets(void)
{
	for (int i = 0; i < CALLS; i++)
		close(socket(AF_INET, SOCK_STREAM, 0));
}

static void files(void)
{
	for (int i = 0; i < CALLS; i++)
		close(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static const struct work {
	const char *name;
	void (*fn)(void);
} works[] = { { "socket", sockets }, { "file", files } };
#define WORKS (sizeof(works) / sizeof(*works))

static double taken[WORKS][PLACES][ROUNDS];

/* Where this process is to be: in a group, or at home again. */
static void move_to(const char *group)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1) {
		perror(path);
		exit(1);
	}
	close(fd);
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "acct: %s: %s\n", what, why);
	exit(1);
}

static pid_t begin_ve(const char *dir, uint32_t veid)
{
	struct vz_acct_command limits = { .op = VZ_ACCT_LIMITS };
	struct vz_err err = { 0 };
	int fd;
	pid_t pid;

	if (mkdir(dir, 0755) && errno != EEXIST)
		die(dir, strerror(errno));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < VZ_UBC__COUNT; i++)
		limits.barrier[i] = limits.limit[i] = VZ_UNLIMITED;
	if (fd < 0 || vz_acct_begin(&counting, veid, fd, &limits, 3, &err) ||
	    vz_acct_attach(&ctx, &counting, veid, fd, &err))
		die(dir, err.text);
	close(fd);
	pid = fork();
	if (!pid) {
		move_to(dir);
		pause();
		_exit(0);
	}
	return pid;
}

/* What this process itself took: not what others took meanwhile. */
static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void measure(int round, int place, const char *group)
{
	move_to(group);
	for (size_t w = 0; w < WORKS; w++) {
		double begin;

		works[w].fn();
		begin = cpu_us();
		works[w].fn();
		taken[w][place][round] = (cpu_us() - begin) / CALLS;
	}
}

static void load_programs(void)
{
	struct vz_err err = { 0 };

	if (vz_acct_open(&ctx, 2, &counting, &err))
		die("open", err.text);
}

/* They go when nothing names them any more: a moment later. */
static void unload_programs(void)
{
	char path[4096];

	vz_acct_close(&counting);
	snprintf(path, sizeof(path), "%s/bpf", ctx.rundir);
	if (umount(path))
		die(path, strerror(errno));
	usleep(200000);
}

static void end_ve(const char *dir, uint32_t veid, pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	vz_acct_end(&ctx, veid, 0);
	rmdir(dir);
}

static void compare(const char *node)
{
	char ve[4096];
	pid_t pid;

	snprintf(ve, sizeof(ve), "%s/1", node);
	for (int turn = 0; turn < TURNS; turn++) {
		int first = turn * ROUNDS_EACH;

		for (int r = first; r < first + ROUNDS_EACH; r++)
			measure(r, BARE, node);
		load_programs();
		pid = begin_ve(ve, 1000);
		for (int r = first; r < first + ROUNDS_EACH; r++) {
			measure(r, ON_NODE, node);
			measure(r, IN_VE, ve);
		}
		move_to(node);
		end_ve(ve, 1000, pid);
		unload_programs();
	}
	for (size_t w = 0; w < WORKS; w++)
		for (int place = 0; place < PLACES; place++) {
			char text[64];

			snprintf(text, sizeof(text), "%s_%s", works[w].name,
				 places[place]);
			say(text, taken[w][place]);
		}
}

static void read_all(int ves)
{
	static double us[ROUNDS], text[ROUNDS];
	static char buf[1 << 20];
	char path[4096];

	snprintf(path, sizeof(path), "%s/proc/user_beancounters", ctx.rundir);
	for (int r = 0; r < ROUNDS; r++) {
		struct vz_acct_record *v;
		double begin = now_us();
		size_t n, total = 0;
		ssize_t got;
		int fd;

		if (vz_acct_read(&ctx, &v, &n) || n != (size_t)ves)
			die("read", "not all VEs");
		us[r] = now_us() - begin;
		free(v);
		begin = now_us();
		fd = open(path, O_RDONLY | O_CLOEXEC);
		while ((got = read(fd, buf, sizeof(buf))) > 0 ||
		       (got < 0 && errno == EAGAIN))
			total += got;
		close(fd);
		text[r] = now_us() - begin;
		if (total < (size_t)ves * 2000)
			die("read", path);
	}
	say("read_records", us);
	say("read_text", text);
	for (int r = 0; r < ROUNDS; r++) {
		double begin = now_us();

		if (vz_acct_sample(&ctx))
			die("sample", "failed");
		us[r] = now_us() - begin;
	}
	say("sample", us);
}

int main(int argc, char **argv)
{
	int ves = argc > 2 ? atoi(argv[2]) : 0;
	struct vz_err err = { 0 };
	char dir[4096];
	pid_t *pids;

	if (ves < 1)
		return 2;
	pids = calloc(ves, sizeof(*pids));
	vz_ctx_init(&ctx);
	mkdir(argv[1], 0755);
	compare(argv[1]);
	load_programs();
	for (int i = 0; i < ves; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", argv[1], i + 1);
		pids[i] = begin_ve(dir, 1000 + i);
	}
	for (int i = 0; i < ves; i++)
		if (vz_acct_learn(&counting, pids[i], &err))
			die("learn", err.text);
	read_all(ves);
	for (int i = 0; i < ves; i++) {
		snprintf(dir, sizeof(dir), "%s/%d", argv[1], i + 1);
		end_ve(dir, 1000 + i, pids[i]);
	}
	return 0;
}
