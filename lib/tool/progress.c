/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { INTERVAL_MS = 50, WIDTH_MIN = 20, WIDTH_MAX = 80, AROUND = 8, WORDS = 24 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void vz_progress_start(struct vz_progress *p, bool quiet)
{
	struct winsize w = { 0 };

	*p = (struct vz_progress){ .shown = !quiet && isatty(STDERR_FILENO),
				   .percent = -1 };
	if (!p->shown || ioctl(STDERR_FILENO, TIOCGWINSZ, &w) || !w.ws_col)
		w.ws_col = WIDTH_MAX;
	p->columns = w.ws_col < WIDTH_MAX ? w.ws_col : WIDTH_MAX;
	if (p->columns < WIDTH_MIN)
		p->shown = false;
}

void vz_progress_words(struct vz_progress *p, const char *words)
{
	snprintf(p->words, sizeof(p->words), "%s", words);
}

static void draw(const struct vz_progress *p)
{
	int beside = p->words[0] ? WORDS : 0;
	int width = p->columns - AROUND - beside, full;
	char bar[WIDTH_MAX + 1];

	if (width < WIDTH_MIN / 2) {
		width = p->columns - AROUND;
		beside = 0;
	}
	full = width * p->percent / 100;
	memset(bar, ' ', width);
	memset(bar, '=', full);
	if (full < width)
		bar[full] = '>';
	bar[width] = 0;
	fprintf(stderr, "\r[%s] %3d%%", bar, p->percent);
	if (beside)
		fprintf(stderr, " %-*.*s", WORDS - 1, WORDS - 1, p->words);
	fflush(stderr);
}

void vz_progress_update(void *data, uint64_t done, uint64_t total)
{
	struct vz_progress *p = data;
	int percent = total ? (double)done * 100 / total : 0;
	int64_t now;

	if (!p->shown || percent == p->percent)
		return;
	now = now_ms();
	if (now - p->last_ms < INTERVAL_MS)
		return;
	p->last_ms = now;
	p->percent = percent > 100 ? 100 : percent;
	draw(p);
}

void vz_progress_end(struct vz_progress *p)
{
	if (p->shown && p->percent >= 0)
		fprintf(stderr, "\r%*s\r", p->columns - 1, "");
	p->shown = false;
}
