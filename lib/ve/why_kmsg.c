/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom the OOM killer took, by the kernel's log:
 *
 *   6,SEQ,µS,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=vz,
 *   mems_allowed=0,oom_memcg=/vz/101,task_memcg=/vz/101,task=httpd,pid=7,uid=0
 *
 * Names of groups and of the process are of the VE's choice, and can look like
 * any part of the line; the two numbers at its end, and its beginning, can't.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "base/str.h"
#include "ve/why_priv.h"

#define KILL "oom-kill:constraint="
#define NAME_LEN 15 /* of a process */
#define KILLS_MAX 1024

/* "PRIORITY,SEQUENCE,µS,…;TEXT". Only what the kernel itself says has facility 0. */
static const char *split_head(const char *record, int64_t *ret_us)
{
	unsigned long long seq, us;
	unsigned int priority;

	if (sscanf(record, "%u,%llu,%llu,", &priority, &seq, &us) != 3 || priority > 7)
		return NULL;
	*ret_us = us;
	record = strchr(record, ';');
	return record ? record + 1 : NULL;
}

/* Cut `,KEY=NUMBER` off the end. */
static bool cut_number(char *text, const char *key, uint64_t *ret)
{
	char *at = strrchr(text, ',');
	size_t n = strlen(key);

	if (!at || strncmp(at + 1, key, n) || at[1 + n] != '=' ||
	    vz_parse_u64(at + 2 + n, UINT32_MAX, ret))
		return false;
	*at = 0;
	return true;
}

/* How many characters the log's text is: \xNN is one. */
static size_t length_of(const char *s)
{
	size_t n = 0;

	for (; *s; n++)
		s += !strncmp(s, "\\x", 2) && s[2] && s[3] ? 4 : 1;
	return n;
}

/*
 * The name after ",task=": names may hold that, too. Of several that could be
 * it, the longest that a name can be.
 */
static char *cut_name(char *text)
{
	for (char *s = text; (s = strstr(s, ",task=")); s++)
		if (length_of(s + 6) <= NAME_LEN) {
			*s = 0;
			return s + 6;
		}
	return NULL;
}

/* Whether KEY=/GROUP, or a group below it, is somewhere in the text. */
static bool names_group(const char *text, const char *key, const char *cgroup)
{
	size_t n = strlen(key), len = strlen(cgroup);

	for (const char *s = text; (s = strstr(s, key)); s++)
		if (s[n] == '/' && !strncmp(s + n + 1, cgroup, len) &&
		    (!s[n + 1 + len] || strchr(",/", s[n + 1 + len])))
			return true;
	return false;
}

static enum vz_why_oom whose_memory(const char *text, const char *cgroup)
{
	if (names_group(text, ",oom_memcg=", cgroup))
		return VZ_WHY_OOM_VE;
	return strstr(text, ",oom_memcg=/") ? VZ_WHY_OOM_POOL : VZ_WHY_OOM_NODE;
}

/* The log escapes what is not printable, but this need not come from it. */
static void put_name(char *to, size_t size, const char *name)
{
	snprintf(to, size, "%s", name);
	for (; *to; to++)
		if (*to < ' ' || *to > '~')
			*to = '?';
}

int vz_why_parse_kill(const char *record, const struct vz_why_whose *whose,
		      struct vz_why_kill *ret, int64_t *ret_us)
{
	const char *start = split_head(record, ret_us);
	vz_autofree char *text = NULL;
	struct vz_why_kill kill = { 0 };
	uint64_t uid;
	char *name;

	if (!start || strncmp(start, KILL, strlen(KILL)))
		return 0;
	text = strdup(start);
	if (!text || !cut_number(text, "uid", &uid) ||
	    !cut_number(text, "pid", &kill.pid) || uid - whose->uid >= VZ_ID_RANGE)
		return 0;
	name = cut_name(text);
	if (!name || !names_group(text, ",task_memcg=", whose->cgroup))
		return 0;
	kill.by = whose_memory(text, whose->cgroup);
	put_name(kill.name, sizeof(kill.name), name);
	*ret = kill;
	return 1;
}

static int add_kill(struct vz_why_kills *l, const struct vz_why_kill *kill)
{
	struct vz_why_kill *v;

	if (l->n == KILLS_MAX) {
		memmove(l->v, l->v + 1, --l->n * sizeof(*l->v));
	} else {
		v = realloc(l->v, (l->n + 1) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		l->v = v;
	}
	l->v[l->n++] = *kill;
	return 0;
}

struct log {
	const struct vz_why_whose *whose;
	struct vz_why_kills *kills;
	int64_t zero_us; /* the kernel's clock's beginning, since 1970 */
};

static int take_line(struct log *log, const char *line)
{
	struct vz_why_kill kill;
	int64_t us;

	if (vz_why_parse_kill(line, log->whose, &kill, &us) != 1)
		return 0;
	kill.time = (log->zero_us + us) / 1000000;
	return add_kill(log->kills, &kill);
}

/* Whole lines; returns how much of the buffer is left. */
static int take_lines(struct log *log, char *buf, size_t len, size_t *ret_left)
{
	char *s = buf, *nl;
	int r = 0;

	buf[len] = 0;
	while (!r && (nl = memchr(s, '\n', buf + len - s))) {
		*nl = 0;
		r = take_line(log, s);
		s = nl + 1;
	}
	*ret_left = buf + len - s;
	memmove(buf, s, *ret_left);
	return r;
}

static int64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000ll + ts.tv_nsec / 1000;
}

int vz_why_read_kmsg(const char *path, const struct vz_why_whose *whose,
		     struct vz_why_kills *ret)
{
	vz_autofd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct log log = { .whose = whose, .kills = ret };
	size_t left = 0;
	char buf[16384];
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return -errno;
	log.zero_us = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
	while (!r) {
		/* A line longer than any of the kernel's is none. */
		if (left > sizeof(buf) / 2)
			left = 0;
		n = read(fd, buf + left, sizeof(buf) - 1 - left);
		if (!n || (n < 0 && errno == EAGAIN))
			break;
		/* EPIPE: records were overwritten before we came to them. */
		if (n < 0 && errno != EPIPE && errno != EINTR)
			return -errno;
		if (n > 0)
			r = take_lines(&log, buf, left + n, &left);
	}
	return r;
}
