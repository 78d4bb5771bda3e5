/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tool/obstacles.h"

static const struct {
	const char *name; /* in JSON and the log */
	const char *text;
} phases[PHASE__COUNT] = {
	[PHASE_CONNECT] = { "connect", "Connecting" },
	[PHASE_CHECK] = { "check", "Checking" },
	[PHASE_BEGIN] = { "begin", "Preparing the destination" },
	[PHASE_COPY] = { "copy", "Copying files" },
	[PHASE_MEMORY] = { "memory", "Copying memory" },
	[PHASE_STOP] = { "stop", "Stopping the VE" },
	[PHASE_READY] = { "ready", "Getting ready to dump it" },
	[PHASE_DUMP] = { "dump", "Dumping its processes" },
	[PHASE_COPY_LAST] = { "copy-last", "Copying what changed" },
	[PHASE_IMAGES] = { "images", "Sending the dump" },
	[PHASE_PREPARE] = { "prepare", "Writing the files to the disk there" },
	[PHASE_START] = { "start", "Handing over" },
	[PHASE_CLEAR] = { "clear", "Clearing up here" },
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void print_json(json_t *event)
{
	if (event)
		json_dumpf(event, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	fflush(stdout);
	json_decref(event);
}

void report_begin(struct report *r, uint32_t veid, const char *dest)
{
	r->veid = veid;
	r->dest = dest;
	r->now = PHASE__COUNT;
	for (int i = 0; i < PHASE__COUNT; i++)
		r->ms[i] = -1;
	vz_logfile_write(&r->log, VZ_LOG_INFO, veid, "migration to %s: begin", dest);
	if (r->json)
		print_json(json_pack("{s:s, s:I, s:s}", "event", "begin", "veid",
				     (json_int_t)veid, "destination", dest));
	else if (!r->quiet)
		printf("Starting migration of CT %u to %s\n", veid, dest);
	fflush(stdout);
}

static void end_phase(struct report *r)
{
	if (r->now == PHASE__COUNT)
		return;
	vz_progress_end(&r->bar);
	r->ms[r->now] = now_ms() - r->since;
	vz_logfile_write(&r->log, VZ_LOG_INFO, r->veid, "migration: %s: %lld ms",
			 phases[r->now].name, (long long)r->ms[r->now]);
	r->now = PHASE__COUNT;
}

void report_phase(struct report *r, enum phase phase)
{
	end_phase(r);
	r->now = phase;
	r->since = now_ms();
	if (r->json)
		print_json(json_pack("{s:s, s:s}", "event", "phase", "phase",
				     phases[phase].name));
	else if (!r->quiet)
		printf("%s\n", phases[phase].text);
	fflush(stdout);
	vz_progress_start(&r->bar, r->quiet || r->json);
}

/* What is left at the rate so far, which is what the copy has made from its start. */
static int64_t left_s(const struct report *r, uint64_t bytes)
{
	int64_t ms = now_ms() - r->since;

	if (!bytes || bytes >= r->total || ms < 1000)
		return -1;
	return (double)(r->total - bytes) / bytes * ms / 1000;
}

void report_progress(void *data, uint64_t bytes, const char *rate)
{
	struct report *r = data;
	int64_t left = left_s(r, bytes);
	char words[64];

	if (r->json) {
		print_json(json_pack("{s:s, s:I, s:I, s:s, s:I}", "event", "progress",
				     "bytes", (json_int_t)bytes, "total",
				     (json_int_t)r->total, "rate", rate, "left",
				     (json_int_t)left));
		return;
	}
	if (left < 0)
		snprintf(words, sizeof(words), "%s", rate);
	else
		snprintf(words, sizeof(words), "%s %" PRId64 ":%02d", rate, left / 60,
			 (int)(left % 60));
	vz_progress_words(&r->bar, words);
	vz_progress_update(&r->bar, bytes, r->total);
}

void report_say(struct report *r, const char *fmt, ...)
{
	char text[900];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vz_logfile_write(&r->log, VZ_LOG_INFO, r->veid, "%s", text);
	if (r->json)
		print_json(json_pack("{s:s, s:s}", "event", "note", "text", text));
	else if (!r->quiet)
		printf("%s\n", text);
	fflush(stdout);
}

void report_obstacle(struct report *r, const struct vz_obstacle *o)
{
	char line[VZ_OBSTACLE_LINE];
	json_t *event;

	vz_obstacle_line(o, line);
	if (!r->json) {
		report_say(r, "%s", line);
		return;
	}
	event = vz_obstacle_json(o);
	if (event)
		json_object_set_new(event, "event", json_string("obstacle"));
	print_json(event);
	vz_logfile_write(&r->log, VZ_LOG_INFO, r->veid, "migration: %s", line);
}

void report_plan(uint32_t veid, const char *status, const char *dest)
{
	print_json(json_pack("{s:s, s:I, s:s, s:s?}", "event", "plan", "veid",
			     (json_int_t)veid, "status", status, "destination", dest));
}

/* From the moment that it was stopped to the one that it runs there. */
static int64_t down_ms(const struct report *r)
{
	int64_t sum = 0;

	if (r->ms[PHASE_STOP] < 0 && r->ms[PHASE_DUMP] < 0)
		return -1;
	for (int i = PHASE_STOP; i <= PHASE_START; i++)
		sum += i != PHASE_READY && r->ms[i] > 0 ? r->ms[i] : 0;
	return sum;
}

static void print_times(const struct report *r)
{
	for (int i = 0; i < PHASE__COUNT; i++)
		if (r->ms[i] >= 0)
			printf("  %-38s %7.2f s\n", phases[i].text, r->ms[i] / 1000.0);
	if (down_ms(r) >= 0)
		printf("  %-38s %7.2f s\n", "The VE was down", down_ms(r) / 1000.0);
}

static json_t *json_times(const struct report *r)
{
	json_t *times = json_object();

	for (int i = 0; i < PHASE__COUNT; i++)
		if (r->ms[i] >= 0)
			json_object_set_new(times, phases[i].name,
					    json_integer(r->ms[i]));
	return times;
}

void report_end(struct report *r, int status, const struct vz_err *err)
{
	end_phase(r);
	if (status)
		vz_logfile_write(&r->log, VZ_LOG_ERR, r->veid,
				 "migration: exit status %d: %s", status, err->text);
	else
		vz_logfile_write(&r->log, VZ_LOG_INFO, r->veid, "migration: done");
	if (r->json)
		print_json(json_pack("{s:s, s:i, s:s, s:I, s:o}", "event", "end",
				     "status", status, "error", err->text, "down_ms",
				     (json_int_t)down_ms(r), "times_ms", json_times(r)));
	else if (r->times)
		print_times(r);
	fflush(stdout);
}
