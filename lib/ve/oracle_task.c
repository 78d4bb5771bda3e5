/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes: their tree, states and namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "ve/oracle_priv.h"

#define STATUS_MAX 16384
#define CHILDREN_MAX (1 << 20)

const char *const oracle_ns_files[ORACLE_NS__COUNT] = {
	[ORACLE_PID] = "ns/pid",       [ORACLE_USER] = "ns/user",
	[ORACLE_UTS] = "ns/uts",       [ORACLE_IPC] = "ns/ipc",
	[ORACLE_CGROUP] = "ns/cgroup", [ORACLE_TIME] = "ns/time",
	[ORACLE_NET] = "ns/net",       [ORACLE_TIME_CHILDREN] = "ns/time_for_children",
	[ORACLE_MNT] = "ns/mnt",
};

int oracle_read(int dir, const char *name, size_t max, char **ret)
{
	vz_autofd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : vz_read_fd(fd, max, ret, NULL);
}

static int open_pid(const struct oracle *o, pid_t pid)
{
	vz_autofree char *path = vz_strf("%s/%d", o->ve->ctx->procdir, pid);
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 ? -errno : fd;
}

static int read_stat(int dir, struct vz_proc_stat *ret)
{
	vz_autofree char *text = NULL;
	int r = oracle_read(dir, "stat", STATUS_MAX, &text);

	return r ? r : vz_parse_proc_stat(text, ret) ? 0 : -EBADMSG;
}

int oracle_open_task(const struct oracle *o, const struct oracle_task *t)
{
	vz_autofd int dir = open_pid(o, t->pid);
	struct vz_proc_stat stat;

	if (dir < 0 || read_stat(dir, &stat) || stat.start != t->start)
		return -ESRCH;
	return vz_take_fd(&dir);
}

static int read_status(int dir, struct vz_proc_status *ret)
{
	vz_autofree char *text = NULL;
	int r = oracle_read(dir, "status", STATUS_MAX, &text);

	return r ? r : vz_parse_proc_status(text, ret) ? 0 : -EBADMSG;
}

uint64_t oracle_ns_of(int dir, enum oracle_ns ns)
{
	char link[64] = "", name[32];
	uint64_t ino = 0;

	if (readlinkat(dir, oracle_ns_files[ns], link, sizeof(link) - 1) > 0)
		vz_parse_fd_link(link, name, &ino);
	return ino;
}

bool oracle_has_space(const struct oracle *o, enum oracle_ns ns, uint64_t ino)
{
	for (size_t i = 0; i < o->n_spaces[ns]; i++)
		if (o->spaces[ns][i] == ino)
			return true;
	return false;
}

static int add_space(struct oracle *o, enum oracle_ns ns, uint64_t ino)
{
	uint64_t *v;

	if (!ino || oracle_has_space(o, ns, ino))
		return 0;
	if (o->n_spaces[ns] == ORACLE_SPACES)
		return -E2BIG;
	v = realloc(o->spaces[ns], (o->n_spaces[ns] + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	o->spaces[ns] = v;
	v[o->n_spaces[ns]++] = ino;
	return 0;
}

const struct oracle_task *oracle_task_of(const struct oracle *o, pid_t pid)
{
	for (size_t i = 0; i < o->n_tasks; i++)
		if (o->tasks[i].pid == pid)
			return &o->tasks[i];
	return NULL;
}

/* --- states --- */

#define PATIENCE 100 /* looks at processes that wait, all in all, 10 ms apart */

/* A moment is given to what waits for a disk; what waits for a child waits longer. */
static bool still_waits(struct oracle *o, int dir, struct vz_proc_status *st)
{
	for (int i = 0; i < 20 && o->waited < PATIENCE; i++) {
		o->waited++;
		usleep(10000);
		if (read_status(dir, st) || st->state != 'D')
			return false;
	}
	return true;
}

static void check_state(struct oracle *o, struct oracle_task *t, int dir)
{
	if (t->st.state == 'Z' && t->st.threads > 1)
		oracle_tell(
			o, t,
			ORACLE_WORD("process",
				    "CRIU can't keep threads whose first one has ended",
				    "end the process"),
			"%u threads", t->st.threads - 1);
	if (t->st.state != 'Z' && t->st.pending & 1ull << (SIGTRAP - 1))
		oracle_tell(
			o, t,
			ORACLE_WORD("process",
				    "CRIU can't keep a SIGTRAP that was not delivered",
				    "end the process"),
			"signal %d pending", SIGTRAP);
	if (t->st.vsid == 0 && t->st.state != 'Z')
		oracle_tell(o, t,
			    ORACLE_WORD("process",
					"its session was begun outside of the VE",
					"end the process"),
			    "session");
	if (t->st.state == 'D' && still_waits(o, dir, &t->st))
		oracle_tell(
			o, t,
			ORACLE_WORD("process",
				    "it can't be stopped while it waits in the kernel, "
				    "as for a disk, or a child after vfork()",
				    "wait, or end the process", true),
			"state D");
}

/* Namespaces of the VE's own are kept for all of it; some also for parts of it. */
static int check_spaces(struct oracle *o, const struct oracle_task *t, int dir)
{
	static const char *const names[] = {
		[ORACLE_PID] = "pid", [ORACLE_USER] = "user",	  [ORACLE_UTS] = "uts",
		[ORACLE_IPC] = "ipc", [ORACLE_CGROUP] = "cgroup", [ORACLE_TIME] = "time",
	};
	uint64_t ino[ORACLE_NS__COUNT];
	int r = 0;

	for (int ns = 0; ns < ORACLE_NS__COUNT; ns++)
		ino[ns] = oracle_ns_of(dir, ns);
	for (int ns = ORACLE_PID; ns <= ORACLE_TIME; ns++)
		if (ino[ns] && o->n_spaces[ns] && ino[ns] != o->spaces[ns][0])
			oracle_tell(o, t,
				    ORACLE_WORD("namespace",
						"CRIU can't keep such a namespace within "
						"the VE",
						"end the container or sandboxed service"),
				    "%s namespace of its own", names[ns]);
	if (ino[ORACLE_TIME] && ino[ORACLE_TIME_CHILDREN] &&
	    ino[ORACLE_TIME] != ino[ORACLE_TIME_CHILDREN])
		oracle_tell(o, t,
			    ORACLE_WORD("namespace",
					"CRIU can't keep a time namespace that its "
					"children will be in",
					"end the process"),
			    "time namespace");
	for (int ns = 0; ns < ORACLE_NS__COUNT && !r; ns++)
		r = add_space(o, ns, ino[ns]);
	return r;
}

/* --- what two of them have together --- */

static void check_tracers(struct oracle *o)
{
	static const struct oracle_word word = { "process", "another process traces it",
						 "end the debugger, or strace" };

	for (size_t i = 0; i < o->n_tasks; i++) {
		const struct oracle_task *t = &o->tasks[i], *by;

		if (!t->st.tracer || t->st.state == 'Z')
			continue;
		by = oracle_task_of(o, t->st.tracer);
		if (by)
			oracle_tell(o, t, &word, "traced by process %d (%s)", by->st.vpid,
				    by->comm);
		else
			oracle_tell(o, t, &word, "traced by process %d of the node",
				    t->st.tracer);
	}
}

struct ref {
	const struct oracle_task *t;
};

/* The kernel's own order of such things; 0: it is one. */
static int kcmp(const void *a, const void *b, int what)
{
	const struct ref *x = a, *y = b;
	long r = syscall(SYS_kcmp, x->t->pid, y->t->pid, what, 0, 0);

	return r == 1 ? -1 : r ? 1 : 0;
}

static int by_memory(const void *a, const void *b)
{
	return kcmp(a, b, KCMP_VM);
}

static int by_fs(const void *a, const void *b)
{
	return kcmp(a, b, KCMP_FS);
}

static void tell_shared(struct oracle *o, const struct oracle_task *a,
			const struct oracle_task *b, const char *what)
{
	/* The one that was made for the other. */
	oracle_tell(o, a->st.ppid == b->pid ? a : b,
		    ORACLE_WORD("process", "CRIU can't keep what two processes share",
				"wait, or end one of them", true),
		    "%s shared with process %d", what,
		    a->st.ppid == b->pid ? b->st.vpid : a->st.vpid);
}

/* Memory (after vfork(), too), or working directory and root. */
static int check_shared(struct oracle *o)
{
	vz_autofree struct ref *v = calloc(o->n_tasks + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_tasks; i++)
		if (o->tasks[i].st.state != 'Z')
			v[n++].t = &o->tasks[i];
	qsort(v, n, sizeof(*v), by_memory);
	for (size_t i = 1; i < n; i++)
		if (!by_memory(&v[i - 1], &v[i]))
			tell_shared(o, v[i - 1].t, v[i].t, "memory");
	qsort(v, n, sizeof(*v), by_fs);
	for (size_t i = 1; i < n; i++)
		if (!by_fs(&v[i - 1], &v[i]))
			tell_shared(o, v[i - 1].t, v[i].t, "working directory");
	return 0;
}

static bool is_unreaped(const struct oracle *o, const struct oracle_task *t)
{
	return t->st.state == 'Z' && t->st.ppid == o->tasks[0].pid;
}

/* See ve/unreaped.h. */
static void check_unreaped(struct oracle *o)
{
	for (size_t i = 0; i < o->n_tasks; i++) {
		const struct oracle_task *t = &o->tasks[i];

		if (!is_unreaped(o, t) || t->st.vsid == t->st.vpid)
			continue;
		for (size_t k = 0; k < o->n_tasks; k++)
			if (o->tasks[k].st.vpid == t->st.vsid &&
			    is_unreaped(o, &o->tasks[k])) {
				oracle_tell(o, t,
					    ORACLE_WORD("process",
							"CRIU may restore for ever what "
							"init has not reaped",
							"wait, or see why init hangs",
							true),
					    "ended, as did its session's leader %d",
					    t->st.vsid);
				return;
			}
	}
}

/* --- the tree --- */

static int add_task(struct oracle *o, pid_t pid, pid_t parent)
{
	vz_autofd int dir = open_pid(o, pid);
	vz_autofree char *comm = NULL;
	struct oracle_task t = { .pid = pid };
	struct vz_proc_stat stat;

	/* A child that has ended since, and whose number is another's by now. */
	if (dir < 0 || read_stat(dir, &stat) || read_status(dir, &t.st) ||
	    (parent && t.st.ppid != parent))
		return 0;
	if (o->n_tasks == ORACLE_TASKS)
		return -E2BIG;
	t.start = stat.start;
	t.tty = stat.tty;
	t.session = stat.session;
	t.foreground = stat.foreground;
	if (!oracle_read(dir, "comm", 64, &comm) && comm) {
		size_t n = strlen(comm);

		if (n && comm[n - 1] == '\n')
			comm[n - 1] = 0;
		vz_printable(comm, t.comm, sizeof(t.comm));
	}
	check_state(o, &t, dir);
	o->tasks[o->n_tasks++] = t;
	return t.st.state == 'Z' ? 0 : check_spaces(o, &t, dir);
}

/* The children of one of its threads. */
static int add_children(struct oracle *o, int dir, const char *tid, pid_t parent)
{
	vz_autofree char *name = vz_strf("task/%s/children", tid), *list = NULL;
	char *at, *word;
	int r = 0;

	if (!name || oracle_read(dir, name, CHILDREN_MAX, &list))
		return 0;
	for (word = strtok_r(list, " ", &at); word && !r; word = strtok_r(NULL, " ", &at))
		if (atoi(word) > 0)
			r = add_task(o, atoi(word), parent);
	return r;
}

static int walk_children(struct oracle *o, const struct oracle_task *t)
{
	vz_autofd int dir = oracle_open_task(o, t);
	vz_autodir DIR *threads = NULL;
	int fd = dir < 0 ? -1 : openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *d;
	int r = 0;

	if (fd < 0)
		return 0;
	threads = fdopendir(fd);
	if (!threads)
		return close(fd), -ENOMEM;
	while (!r && (d = readdir(threads)))
		if (*d->d_name != '.')
			r = add_children(o, dir, d->d_name, t->pid);
	return r;
}

int oracle_scan_tasks(struct oracle *o)
{
	int r;

	o->tasks = calloc(ORACLE_TASKS, sizeof(*o->tasks));
	r = o->tasks ? add_task(o, o->init, 0) : -ENOMEM;
	if (!r && !o->n_tasks)
		r = -ESRCH;
	for (size_t i = 0; i < o->n_tasks && !r; i++)
		r = walk_children(o, &o->tasks[i]);
	if (!r)
		check_tracers(o);
	if (!r)
		check_unreaped(o);
	return r ? r : check_shared(o);
}
