/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of CRIU in which a timer fires once. */
#include "sys/criutimer.h"

#include <errno.h>
#include <stdint.h>

#include "sys/criurpc.h"
#include "tests/unit/tap.h"

struct times {
	int64_t isec, iusec, vsec, vusec;
};

static void add_itimer(struct vz_str *b, unsigned int field, const struct times *t)
{
	struct vz_str s = { 0 };

	vz_pb_num(&s, 1, t->isec);
	vz_pb_num(&s, 2, t->iusec);
	vz_pb_num(&s, 3, t->vsec);
	vz_pb_num(&s, 4, t->vusec);
	vz_pb_bytes(b, field, s.s, s.len);
	vz_str_done(&s);
}

/* As CRIU writes it, with things before and behind the timers. */
static void add_image(struct vz_str *b, const struct times t[3])
{
	struct vz_str timers = { 0 }, task = { 0 }, core = { 0 };
	uint32_t head[3] = { 0x54564319, 0x55053847 };

	for (unsigned int i = 0; i < 3; i++)
		add_itimer(&timers, i + 1, &t[i]);
	vz_pb_text(&timers, 4, "posix");
	vz_pb_num(&task, 1, 1);
	vz_pb_text(&task, 6, "name");
	vz_pb_bytes(&task, 7, timers.s, timers.len);
	vz_pb_num(&task, 9, -1);
	vz_pb_num(&core, 1, 1);
	vz_pb_bytes(&core, 3, task.s, task.len);
	vz_pb_text(&core, 5, "thread");
	head[2] = core.len;
	vz_str_addn(b, (const char *)head, sizeof(head));
	vz_str_addn(b, core.s, core.len);
	vz_str_done(&timers);
	vz_str_done(&task);
	vz_str_done(&core);
}

#define YEARS (10LL * 365 * 86400)
static const struct {
	const char *name;
	struct times was[3], is[3];
} rows[] = {
	{ "none", { { 0 } }, { { 0 } } },
	{ "once", { { 0, 0, 60, 5 } }, { { YEARS, 0, 60, 5 } } },
	{ "once, in less than a second", { { 0, 0, 0, 7 } }, { { YEARS, 0, 0, 7 } } },
	{ "again and again", { { 1, 0, 60, 5 } }, { { 1, 0, 60, 5 } } },
	{ "often", { { 0, 500, 0, 5 } }, { { 0, 500, 0, 5 } } },
	{ "of all kinds",
	  { { 0, 0, 1, 0 }, { 0, 0, 2, 0 }, { 3, 0, 1, 0 } },
	  { { YEARS, 0, 1, 0 }, { YEARS, 0, 2, 0 }, { 3, 0, 1, 0 } } },
};

static bool same(const struct vz_str *a, const struct vz_str *b)
{
	return a->len == b->len && !memcmp(a->s, b->s, a->len);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vz_str was = { 0 }, want = { 0 }, got = { 0 }, twice = { 0 };
		bool differs;
		int r;

		add_image(&was, rows[i].was);
		add_image(&want, rows[i].is);
		differs = !same(&was, &want);
		r = vz_criutimer_image(was.s, was.len, &got);
		tap_is_int(r, differs, rows[i].name);
		if (differs) {
			tap_ok(same(&got, &want), "%s: the new image", rows[i].name);
			r = vz_criutimer_image(got.s, got.len, &twice);
			tap_is_int(r, 0, "which is good");
		}
		for (size_t n = 0; n < was.len; n++) {
			struct vz_str part = { 0 };

			if (vz_criutimer_image(was.s, n, &part) != -EBADMSG)
				tap_ok(false, "%s, cut at %zu", rows[i].name, n);
			vz_str_done(&part);
		}
		vz_str_done(&was);
		vz_str_done(&want);
		vz_str_done(&got);
		vz_str_done(&twice);
	}
	tap_is_int(vz_criutimer_image("no image at all", 15, NULL), -EBADMSG,
		   "other files");
	return tap_done();
}
