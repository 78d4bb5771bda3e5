/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The question, and the process that finds the answer. */
#include "ve/oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/run.h"
#include "sys/criu.h"
#include "ve/oracle_priv.h"

/* A VE of ten thousand processes takes seconds. */
#define TIMEOUT_MS 60000
#define MEMORY_MAX (1ul << 30)
#define KEPT 200 /* obstacles */
#define TRIES 6
#define PAUSE_MS 200

void vz_obstacles_done(struct vz_obstacles *l)
{
	free(l->v);
	*l = (struct vz_obstacles){ 0 };
}

void vz_obstacle_line(const struct vz_obstacle *o, char ret[VZ_OBSTACLE_LINE])
{
	char who[48] = "";

	if (o->pid)
		snprintf(who, sizeof(who), "process %d (%s): ", o->pid, o->comm);
	snprintf(ret, VZ_OBSTACLE_LINE, "%s%s%s%s: %s", who, o->what,
		 *o->what ? ": " : "", o->why, o->remedy);
}

/* --- in the process that looks --- */

void oracle_tell(struct oracle *o, const struct oracle_task *t,
		 const struct oracle_word *word, const char *fmt, ...)
{
	struct vz_obstacle w = { .passing = word->passing };
	char text[600];
	va_list ap;

	if (o->told++ >= ORACLE_TOLD)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vz_printable(text, w.what, sizeof(w.what));
	snprintf(w.kind, sizeof(w.kind), "%s", word->kind);
	snprintf(w.why, sizeof(w.why), "%s", word->why);
	snprintf(w.remedy, sizeof(w.remedy), "%s", word->remedy);
	if (t) {
		w.pid = t->st.vpid;
		vz_printable(t->comm, w.comm, sizeof(w.comm));
	}
	/* The reader ends when it has enough. */
	if (write(o->out, &w, sizeof(w)) != sizeof(w))
		_exit(0);
}

static int open_root(const struct vz_ve *ve, pid_t init)
{
	vz_autofree char *path = vz_strf("%s/%d/root", ve->ctx->procdir, init);
	int fd = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 ? -errno : fd;
}

/*
 * Nothing of the caller's stays open in it, least of all the VE's lock, and it ends with
 * the caller, also when it waits for a file system that does not answer.
 */
static void stand_alone(int out, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (out > 3)
		close_range(3, (unsigned int)out - 1, 0);
	close_range((unsigned int)out + 1, ~0U, 0);
	vz_reset_signals();
}

/* Ended by a record without a kind: 0 or -errno of the scan in `pid`. */
static _Noreturn void scan(const struct vz_ve *ve, const struct vz_state *st,
			   uint32_t criu, int out)
{
	static int (*const parts[])(struct oracle *) = {
		oracle_scan_tasks,   oracle_scan_mounts, oracle_scan_fds,
		oracle_scan_sockets, oracle_scan_memory, oracle_scan_devices,
	};
	static struct oracle o;
	struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
	struct vz_obstacle last = { 0 };
	int r = 0;

	/* Address space, not memory: where the sanitizers map all of it, there is no limit. */
#ifndef __SANITIZE_ADDRESS__
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;
#endif
	o = (struct oracle){ .ve = ve, .criu = criu, .out = out, .init = st->init };
	o.root = open_root(ve, st->init);
	if (o.root < 0)
		r = o.root;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(parts) && !r; i++)
		r = parts[i](&o);
	last.pid = r;
	if (write(out, &last, sizeof(last)) != sizeof(last))
		_exit(1);
	_exit(0);
}

/* --- in the one that asks --- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* One record; -EPIPE: it ended without a last one. */
static int hear(int fd, int64_t end, struct vz_obstacle *ret)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t got = 0;

	while (got < sizeof(*ret)) {
		int64_t left = end - now_ms();
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, (char *)ret + got, sizeof(*ret) - got);
		if (n <= 0)
			return -EPIPE;
		got += n;
	}
	return 0;
}

static int add(struct vz_obstacles *l, const struct vz_obstacle *o)
{
	struct vz_obstacle *v;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].pid == o->pid && !strcmp(l->v[i].what, o->what) &&
		    !strcmp(l->v[i].why, o->why))
			return 0;
	if (l->n == KEPT) {
		l->more = true;
		return 0;
	}
	v = realloc(l->v, (l->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->v = v;
	v[l->n++] = *o;
	return 0;
}

static int collect(int fd, struct vz_obstacles *ret)
{
	int64_t end = now_ms() + TIMEOUT_MS;
	struct vz_obstacle o;
	int r;

	for (;;) {
		r = hear(fd, end, &o);
		if (r || !*o.kind)
			return r ? r : o.pid;
		r = add(ret, &o);
		if (r)
			return r;
	}
}

static int ask_once(const struct vz_ve *ve, const struct vz_state *st, uint32_t criu,
		    struct vz_obstacles *ret)
{
	vz_autofd int pidfd = -1;
	int ends[2], r;
	pid_t self = getpid(), pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		stand_alone(ends[1], self);
		scan(ve, st, criu, ends[1]);
	}
	r = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (!r) {
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		r = collect(ends[0], ret);
	}
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		/* What waits in the kernel for a file system of the VE's is not waited for. */
		vz_run_wait(pidfd, 1000);
	}
	return r;
}

static bool only_passing(const struct vz_obstacles *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].passing)
			return false;
	return l->n;
}

int vz_oracle_ask(const struct vz_ve *ve, struct vz_obstacles *ret, struct vz_err *err)
{
	vz_autoobstacles struct vz_obstacles l = { 0 };
	struct vz_criu criu;
	struct vz_state st;
	int r = vz_state_open_init(ve->ctx, ve->id, &st, NULL, err);

	if (r == -ESRCH || (!r && st.tool))
		return vz_err_set(err, VZ_E_NOTRUNNING, ESRCH, "VE %u does not run",
				  ve->id);
	if (!r)
		r = vz_criu_find(ve->ctx, vz_cfg_str(ve->cfg, VZ_P_CRIU), &criu, err);
	if (r)
		return r;
	for (int i = 0; i < TRIES; i++) {
		vz_obstacles_done(&l);
		r = ask_once(ve, &st, criu.version, &l);
		if (r || !only_passing(&l))
			break;
		usleep(PAUSE_MS * 1000);
	}
	if (r == -ETIMEDOUT)
		return vz_err_set(
			err, VZ_E_CHECKPOINT, 0,
			"the VE's processes could not be looked at in %d s: one "
			"of its file systems does not answer",
			TIMEOUT_MS / 1000);
	if (r)
		return vz_err_set(err, VZ_E_CHECKPOINT, -r,
				  "can't look at the VE's processes");
	*ret = l;
	l = (struct vz_obstacles){ 0 };
	return 0;
}
