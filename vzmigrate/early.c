/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/early.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/grow.h"
#include "base/str.h"
#include "ve/oracle_parse.h"
#include "vzmigrate/pages.h"

#define TICK_MS 3000
#define TEXT_MAX (1 << 20)
#define PROCS_MAX 32768
#define LOOK 512 /* pages at once */

/* Of an entry of /proc/PID/pagemap. */
#define PM_FILE (1ull << 61)
#define PM_PRESENT (1ull << 63)

struct job {
	const struct vz_ctx *ctx;
	const struct early_how *how;
	struct early *e;
	size_t page;
	int64_t ticked; /* ms */
};

void early_done(struct early *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->procs[i].v);
	free(e->procs);
	if (e->pages)
		munmap(e->pages, e->size);
	*e = EARLY_NONE;
}

/* --- the processes --- */

struct procs {
	struct one {
		pid_t pid, parent;
	} * v;
	size_t n, room;
};

static void procs_done(struct procs *l)
{
	free(l->v);
}

static int add(struct procs *l, pid_t pid, pid_t parent)
{
	if (vz_grow(&l->v, l->n, &l->room, sizeof(*l->v)))
		return -ENOMEM;
	l->v[l->n++] = (struct one){ pid, parent };
	return 0;
}

static int read_at(int dir, const char *name, char **ret)
{
	vz_autofd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : vz_read_fd(fd, TEXT_MAX, ret, NULL);
}

static int add_children(struct procs *l, int dir, pid_t pid)
{
	int fd = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	vz_autodir DIR *threads = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *t;

	while (threads && !r && l->n < PROCS_MAX && (t = readdir(threads))) {
		vz_autofree char *name = vz_strf("%s/children", t->d_name), *list = NULL;
		char *at, *word;

		if (*t->d_name == '.' || !name || read_at(fd, name, &list) || !list)
			continue;
		for (word = strtok_r(list, " ", &at); word && !r;
		     word = strtok_r(NULL, " ", &at))
			if (atoi(word) > 0)
				r = add(l, atoi(word), pid);
	}
	return r;
}

/* --- their pages --- */

static void tick(struct job *j)
{
	if (vz_clock_ms() - j->ticked < TICK_MS)
		return;
	j->ticked = vz_clock_ms();
	if (j->how->waiting)
		j->how->waiting(j->how->data);
}

static int note(struct early_proc *p, uint64_t at, size_t n, size_t offset)
{
	struct early_run *last = p->n ? &p->v[p->n - 1] : NULL;

	if (last && last->at + last->n == at && last->offset + last->n == offset) {
		last->n += n;
		return 0;
	}
	if (vz_grow(&p->v, p->n, &p->room, sizeof(*p->v)))
		return -ENOMEM;
	p->v[p->n++] = (struct early_run){ at, n, offset };
	return 0;
}

/* 0 also when it is not there any more; -ENOBUFS: there is no more room. */
static int send_run(struct job *j, struct early_proc *p, int mem, uint64_t at, size_t n)
{
	struct early *e = j->e;
	struct pages_head head = { .command = pages_command(PAGES_ADD, PAGES_PRESENT),
				   .at = at,
				   .whose = pages_of(p->vpid) };
	ssize_t got;
	int r;

	if (n > e->size - e->used)
		return -ENOBUFS;
	got = pread(mem, e->pages + e->used, n, (off_t)at);
	n = got > 0 ? got - got % j->page : 0;
	if (!n)
		return 0;
	head.n = n / j->page;
	r = pages_say(j->how->to, j->how->head, &head, e->pages + e->used, n);
	if (!r)
		r = note(p, at, n, e->used);
	e->used += n;
	return r;
}

/* The pages of a mapping that are the process's own and in memory. */
static int send_map(struct job *j, struct early_proc *p, const struct vz_map_line *m,
		    int pagemap, int mem)
{
	uint64_t flags[LOOK];
	int r = 0;

	for (uint64_t at = m->start; at < m->end && !r; at += LOOK * j->page) {
		size_t n = (m->end - at) / j->page, from = 0;
		ssize_t got;

		n = n < LOOK ? n : LOOK;
		got = pread(pagemap, flags, n * sizeof(*flags),
			    (off_t)(at / j->page * sizeof(*flags)));
		if (got <= 0)
			return 0;
		n = got / sizeof(*flags);
		for (size_t i = 0; i <= n && !r; i++) {
			if (i < n && (flags[i] & PM_PRESENT) && !(flags[i] & PM_FILE))
				continue;
			if (i > from)
				r = send_run(j, p, mem, at + from * j->page,
					     (i - from) * j->page);
			from = i + 1;
		}
		tick(j);
	}
	return r;
}

static bool is_own(const struct vz_map_line *m)
{
	return !m->shared && !m->ino && strcmp(m->path, "[vdso]") &&
	       strncmp(m->path, "[vvar", 5) && strcmp(m->path, "[vsyscall]");
}

static int open_process(struct job *j, struct early_proc *p)
{
	struct pages_head head = { .command = PAGES_OPEN2, .whose = pages_of(p->vpid) };
	char parent;
	int r = pages_say(j->how->to, j->how->head, &head, NULL, 0);

	return r ? r : pages_read(j->how->to, &parent, 1);
}

static int send_maps(struct job *j, struct early_proc *p, int dir)
{
	vz_autofd int pagemap = openat(dir, "pagemap", O_RDONLY | O_CLOEXEC);
	vz_autofd int mem = openat(dir, "mem", O_RDONLY | O_CLOEXEC);
	vz_autofree char *text = NULL;
	char *line, *at;
	int r = 0;

	/* It may be ending, and need not be there. */
	if (pagemap < 0 || mem < 0 || read_at(dir, "maps", &text) || !text)
		return 0;
	r = open_process(j, p);
	for (line = strtok_r(text, "\n", &at); line && !r;
	     line = strtok_r(NULL, "\n", &at)) {
		struct vz_map_line m;

		if (vz_parse_map_line(line, &m) && is_own(&m))
			r = send_map(j, p, &m, pagemap, mem);
	}
	return r;
}

static int send_process(struct job *j, struct procs *l, const struct one who)
{
	vz_autofree char *path = vz_strf("%s/%d", j->ctx->procdir, who.pid);
	vz_autofd int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	vz_autofree char *text = NULL;
	struct vz_proc_status st;
	struct early *e = j->e;
	struct early_proc *p;

	/* Its number may have become somebody else's, of the node. */
	if (dir < 0 || read_at(dir, "status", &text) || !text ||
	    !vz_parse_proc_status(text, &st) || (who.parent && st.ppid != who.parent) ||
	    st.state == 'Z')
		return 0;
	if (vz_grow(&e->procs, e->n, &e->room, sizeof(*e->procs)))
		return -ENOMEM;
	/* One that ended meanwhile had the number, and its images have the name. */
	for (size_t i = 0; i < e->n; i++)
		if (e->procs[i].vpid == st.vpid)
			return 0;
	p = &e->procs[e->n++];
	*p = (struct early_proc){ .vpid = st.vpid };
	return add_children(l, dir, who.pid) ?: send_maps(j, p, dir);
}

static int finish(struct job *j)
{
	struct pages_head head = { .command = PAGES_FORCE_CLOSE };
	int32_t status;
	int r = pages_say(j->how->to, j->how->head, &head, NULL, 0);

	if (!r)
		r = pages_read(j->how->to, &status, sizeof(status));
	return r ? r : status ? -EIO : 0;
}

static int send_all(struct job *j)
{
	VZ_CLEANUP(procs_done) struct procs l = { 0 };
	int r = add(&l, j->how->init, 0);

	for (size_t i = 0; i < l.n && !r; i++)
		r = send_process(j, &l, l.v[i]);
	/* What finds no room here goes over later, like all that was written to. */
	return r && r != -ENOBUFS ? r : finish(j);
}

int early_send(const struct vz_ctx *ctx, const struct early_how *how, struct early *e)
{
	struct job j = { .ctx = ctx, .how = how, .e = e, .page = sysconf(_SC_PAGESIZE) };
	int r;

	*e = (struct early){ .head = how->head };
	j.ticked = vz_clock_ms();
	e->size = how->max - how->max % j.page;
	e->pages = mmap(NULL, e->size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (e->pages == MAP_FAILED) {
		e->pages = NULL;
		return -errno;
	}
	madvise(e->pages, e->size, MADV_HUGEPAGE);
	r = send_all(&j);
	if (r)
		early_done(e);
	return r;
}

/* --- as it was sent --- */

static int by_address(const void *key, const void *element)
{
	const struct early_run *run = element;
	uint64_t at = *(const uint64_t *)key;

	return at < run->at ? -1 : at >= run->at + run->n;
}

const char *early_find(const struct early *e, pid_t vpid, uint64_t at)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct early_proc *p = &e->procs[i];
		const struct early_run *run;

		if (p->vpid != vpid)
			continue;
		run = bsearch(&at, p->v, p->n, sizeof(*run), by_address);
		return run ? e->pages + run->offset + (at - run->at) : NULL;
	}
	return NULL;
}
