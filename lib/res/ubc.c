/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/ubc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "res/param.h"

#define PAGE 4096u

/* clang-format off */
const struct vz_ubc_desc vz_ubc_descs[VZ_UBC__COUNT] = {
	[VZ_UBC_KMEMSIZE] = { "kmemsize", 1, VZ_P_KMEMSIZE },
	[VZ_UBC_LOCKEDPAGES] = { "lockedpages", PAGE, VZ_P_LOCKEDPAGES },
	[VZ_UBC_PRIVVMPAGES] = { "privvmpages", PAGE, VZ_P_PRIVVMPAGES },
	[VZ_UBC_SHMPAGES] = { "shmpages", PAGE, VZ_P_SHMPAGES },
	[VZ_UBC_NUMPROC] = { "numproc", 0, VZ_P_NUMPROC },
	[VZ_UBC_PHYSPAGES] = { "physpages", PAGE, VZ_P_PHYSPAGES },
	[VZ_UBC_VMGUARPAGES] = { "vmguarpages", PAGE, VZ_P_VMGUARPAGES },
	[VZ_UBC_OOMGUARPAGES] = { "oomguarpages", PAGE, VZ_P_OOMGUARPAGES },
	[VZ_UBC_NUMTCPSOCK] = { "numtcpsock", 0, VZ_P_NUMTCPSOCK },
	[VZ_UBC_NUMFLOCK] = { "numflock", 0, VZ_P_NUMFLOCK },
	[VZ_UBC_NUMPTY] = { "numpty", 0, VZ_P_NUMPTY },
	[VZ_UBC_NUMSIGINFO] = { "numsiginfo", 0, VZ_P_NUMSIGINFO },
	[VZ_UBC_TCPSNDBUF] = { "tcpsndbuf", 1, VZ_P_TCPSNDBUF },
	[VZ_UBC_TCPRCVBUF] = { "tcprcvbuf", 1, VZ_P_TCPRCVBUF },
	[VZ_UBC_OTHERSOCKBUF] = { "othersockbuf", 1, VZ_P_OTHERSOCKBUF },
	[VZ_UBC_DGRAMRCVBUF] = { "dgramrcvbuf", 1, VZ_P_DGRAMRCVBUF },
	[VZ_UBC_NUMOTHERSOCK] = { "numothersock", 0, VZ_P_NUMOTHERSOCK },
	[VZ_UBC_DCACHESIZE] = { "dcachesize", 1, VZ_P_DCACHESIZE },
	[VZ_UBC_NUMFILE] = { "numfile", 0, VZ_P_NUMFILE },
	[VZ_UBC_NUMIPTENT] = { "numiptent", 0, VZ_P_NUMIPTENT },
	[VZ_UBC_SWAPPAGES] = { "swappages", PAGE, VZ_P_SWAPPAGES },
};

/* clang-format on */

#define ROW(id, name) VZ_UBC_##id,
#define DUMMY -1,
const signed char vz_ubc_rows[VZ_UBC_ROWS] = { VZ_UBC_EACH(ROW, DUMMY) };

int vz_ubc_by_name(const char *name)
{
	for (int i = 0; i < VZ_UBC__COUNT; i++)
		if (!strcmp(name, vz_ubc_descs[i].name))
			return i;
	return -1;
}

/* -- reading -- */

struct parsed {
	struct vz_ubc *v;
	size_t n;
};

static int add_block(struct parsed *p, uint32_t veid)
{
	struct vz_ubc *v = reallocarray(p->v, p->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	p->v = v;
	v[p->n] = (struct vz_ubc){ .veid = veid };
	for (int i = 0; i < VZ_UBC__COUNT; i++)
		v[p->n].v[i] = (struct vz_ubc_value){ VZ_UBC_UNKNOWN, VZ_UBC_UNKNOWN,
						      VZ_UBC_UNKNOWN, VZ_UBC_UNKNOWN,
						      VZ_UBC_UNKNOWN };
	p->n++;
	return 0;
}

static int parse_value(const char *word, int64_t *ret)
{
	uint64_t v;

	if (!strcmp(word, "-")) {
		*ret = VZ_UBC_UNKNOWN;
		return 0;
	}
	/* OpenVZ's counters are unsigned: above LONG_MAX they are no limit. */
	if (vz_parse_u64(word, UINT64_MAX, &v))
		return -EINVAL;
	*ret = v > VZ_UNLIMITED ? VZ_UNLIMITED : (int64_t)v;
	return 0;
}

#define WORDS_MAX 7

/* The words of a line, up to WORDS_MAX + 1, so that too many show. */
static size_t split(char *line, char **words)
{
	char *save, *word = strtok_r(line, " \t", &save);
	size_t n = 0;

	for (; word && n <= WORDS_MAX; word = strtok_r(NULL, " \t", &save))
		words[n++] = word;
	return n;
}

/* `101: kmemsize 1 2 3 4 5`, or without the number. */
static int parse_row(struct parsed *p, char **words, size_t n)
{
	int64_t v[5];
	uint32_t veid;
	size_t len = strlen(words[0]);
	int id, r;

	if (n == 7 && len && words[0][len - 1] == ':') {
		words[0][len - 1] = '\0';
		r = vz_parse_veid(words[0], &veid) ? -EINVAL : add_block(p, veid);
		if (r)
			return r;
		words++;
		n--;
	}
	if (n != 6 || !p->n)
		return -EINVAL;
	for (int i = 0; i < 5; i++)
		if (parse_value(words[i + 1], &v[i]))
			return -EINVAL;
	id = vz_ubc_by_name(words[0]);
	if (id >= 0)
		p->v[p->n - 1].v[id] =
			(struct vz_ubc_value){ v[0], v[1], v[2], v[3], v[4] };
	return 0;
}

static int parse_line(struct parsed *p, char *line, unsigned int number)
{
	char *words[WORDS_MAX + 1];
	size_t n = split(line, words);

	if (!number)
		return n == 2 && !strcmp(words[0], "Version:") ? 0 : -EINVAL;
	/* Heads in the middle: files that were put together. */
	if (!n || !strcmp(words[0], "uid") || !strcmp(words[0], "resource") ||
	    !strcmp(words[0], "Version:"))
		return 0;
	return parse_row(p, words, n);
}

int vz_ubc_parse(const char *text, struct vz_ubc **ret, size_t *ret_n)
{
	vz_autofree char *copy = strdup(text);
	struct parsed p = { 0 };
	char *save, *line;
	unsigned int number = 0;
	int r = copy ? 0 : -ENOMEM;

	line = copy ? strtok_r(copy, "\n", &save) : NULL;
	for (; line && !r; line = strtok_r(NULL, "\n", &save))
		r = parse_line(&p, line, number++);
	if (!r && !number)
		r = -EINVAL;
	if (r) {
		free(p.v);
		return r;
	}
	*ret = p.v;
	*ret_n = p.n;
	return 0;
}

/* -- writing -- */

static size_t put_number(char *buf, int64_t v)
{
	return v == VZ_UBC_UNKNOWN ? sprintf(buf, " %20s", "-")
				   : sprintf(buf, " %20" PRId64, v);
}

static size_t put_row(char *buf, int id, const struct vz_ubc_value *v)
{
	char *p = buf;

	p += sprintf(p, "%-12s", id < 0 ? "dummy" : vz_ubc_descs[id].name);
	p += put_number(p, v->held);
	p += put_number(p, v->maxheld);
	p += put_number(p, v->barrier);
	p += put_number(p, v->limit);
	p += put_number(p, v->failcnt);
	*p++ = '\n';
	return p - buf;
}

size_t vz_ubc_format_head(int without_uid, char *buf)
{
	return sprintf(buf, "Version: 2.5\n%s  %-12s %20s %20s %20s %20s %20s\n",
		       without_uid ? "          " : "       uid", "resource", "held",
		       "maxheld", "barrier", "limit", "failcnt");
}

size_t vz_ubc_format(const struct vz_ubc *u, int without_uid, char *buf)
{
	static const struct vz_ubc_value zero;
	char *p = buf;

	for (int i = 0; i < VZ_UBC_ROWS; i++) {
		int id = vz_ubc_rows[i];

		if (i || without_uid)
			p += sprintf(p, "%12s", "");
		else
			p += sprintf(p, "%10u: ", u->veid);
		p += put_row(p, id, id < 0 ? &zero : &u->v[id]);
	}
	return p - buf;
}
