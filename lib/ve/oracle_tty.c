/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminals: whose session they are of, and who has their other ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "ve/oracle_priv.h"

#define PTS_MAJOR 136 /* … 143 */

static unsigned int pts_of(dev_t dev)
{
	return (major(dev) - PTS_MAJOR) * 256 + minor(dev);
}

/* As stat's tty_nr has it: the minor is in two parts. */
static bool parse_tty_nr(unsigned int nr, unsigned int *ret_pts)
{
	unsigned int maj = nr >> 8 & 0xfff, min = (nr & 0xff) | (nr >> 12 & 0xfff00);

	if (maj < PTS_MAJOR || maj > PTS_MAJOR + 7)
		return false;
	*ret_pts = (maj - PTS_MAJOR) * 256 + min;
	return true;
}

int oracle_check_tty(struct oracle *o, const struct oracle_fd *fd)
{
	struct oracle_tty t = { .task = (uint32_t)(fd->task - o->tasks),
				.fd = fd->number };
	unsigned int maj = major(fd->st.st_rdev), min = minor(fd->st.st_rdev);
	struct oracle_tty *v;

	if (maj >= PTS_MAJOR && maj <= PTS_MAJOR + 7) {
		t.kind = ORACLE_PTS;
		t.pts = pts_of(fd->st.st_rdev);
	} else if (maj == 5 && min == 2 && fd->info.tty_index >= 0) {
		t.kind = ORACLE_PTMX;
		t.pts = (unsigned int)fd->info.tty_index;
	} else if (maj == 5 && !min && parse_tty_nr(fd->task->tty, &t.pts)) {
		t.kind = ORACLE_DEV_TTY;
	} else {
		return 0;
	}
	if (o->n_ttys == ORACLE_TTYS)
		return -E2BIG;
	v = realloc(o->ttys, (o->n_ttys + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	o->ttys = v;
	v[o->n_ttys++] = t;
	return 0;
}

static bool has_master(const struct oracle *o, unsigned int pts)
{
	for (size_t i = 0; i < o->n_ttys; i++)
		if (o->ttys[i].kind == ORACLE_PTMX && o->ttys[i].pts == pts)
			return true;
	return false;
}

/* The first descriptor of a terminal, in the order of CRIU's walk: it stands for all. */
static const struct oracle_tty *first_of(const struct oracle *o, unsigned int pts)
{
	for (size_t i = 0; i < o->n_ttys; i++)
		if (o->ttys[i].kind != ORACLE_DEV_TTY && o->ttys[i].pts == pts)
			return &o->ttys[i];
	return NULL;
}

/* CRIU finds a /dev/tty only where it belongs to the session's leader alone. */
static void check_dev_tty(struct oracle *o, const struct oracle_tty *t)
{
	const struct oracle_task *task = &o->tasks[t->task];
	const struct oracle_tty *first = first_of(o, t->pts);

	if (first && first->task == t->task && task->foreground == task->session)
		return;
	oracle_tell(o, task,
		    ORACLE_WORD("descriptor",
				"CRIU can't keep /dev/tty of a terminal that another "
				"process has, too",
				"log out of the session"),
		    "descriptor %d, /dev/tty of pts/%u", t->fd, t->pts);
}

static void check_session(struct oracle *o, const struct oracle_tty *t)
{
	const struct oracle_task *task = &o->tasks[t->task];
	unsigned int pts;

	if (!parse_tty_nr(task->tty, &pts) || pts != t->pts ||
	    oracle_task_of(o, task->session))
		return;
	oracle_tell(o, task,
		    ORACLE_WORD("descriptor",
				"its session's leader was begun outside of the VE, as by "
				"`vzctl enter`",
				"log out of that, or end the process"),
		    "descriptor %d, terminal pts/%u", t->fd, t->pts);
}

/* The console is one; its other end is the supervisor's. */
static void check_pairs(struct oracle *o)
{
	bool seen = false;
	unsigned int only = 0;

	for (size_t i = 0; i < o->n_ttys; i++) {
		const struct oracle_tty *t = &o->ttys[i];

		if (t->kind != ORACLE_PTS || has_master(o, t->pts))
			continue;
		if (!seen) {
			seen = true;
			only = t->pts;
		} else if (t->pts != only) {
			oracle_tell(o, &o->tasks[t->task],
				    ORACLE_WORD("descriptor",
						"the terminal's other end is outside of "
						"the VE, as of `vzctl enter`",
						"log out of that, or end the process"),
				    "descriptor %d, terminal pts/%u", t->fd, t->pts);
		}
	}
}

void oracle_judge_ttys(struct oracle *o)
{
	for (size_t i = 0; i < o->n_ttys; i++) {
		if (o->ttys[i].kind == ORACLE_DEV_TTY)
			check_dev_tty(o, &o->ttys[i]);
		else if (o->ttys[i].kind == ORACLE_PTS)
			check_session(o, &o->ttys[i]);
	}
	check_pairs(o);
}
