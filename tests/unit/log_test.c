// SPDX-License-Identifier: GPL-2.0-or-later
// The log: which events reach it, whole lines from many writers, nothing but text.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "tests/unit/tap.h"
#include "tool/log.h"

#define WRITERS 8
#define LINES 200

static char dir[] = "/tmp/vz-log-XXXXXX";

static void vz_conf(const char *text)
{
	vz_autofree char *path = vz_strf("%s/vz.conf", dir);

	if (vz_replace_file(path, text, strlen(text), 0644))
		abort();
}

static void open_log(struct vz_logfile *log, const char *more)
{
	vz_autofree char *text = vz_strf("LOGFILE=\"%s/log\"\n%s", dir, more);
	struct vz_ctx ctx = { .confdir = dir };

	vz_conf(text);
	vz_logfile_open(log, &ctx, "vzctl");
}

static __attribute__((noinline)) char *take_log(void)
{
	vz_autofree char *path = vz_strf("%s/log", dir);
	char *text = NULL;

	vz_read_file(path, 1 << 22, &text, NULL);
	unlink(path);
	return text;
}

/* What stands behind the time. */
static const char *behind_time(const char *line)
{
	const char *s = line ? strchr(line, ' ') : NULL;

	return s ? s + 1 : "none";
}

static void levels(void)
{
	static const struct {
		const char *conf;
		int lines;
	} rows[] = {
		{ "", 3 },
		{ "LOG_LEVEL=0\n", 3 },
		{ "LOG_LEVEL=\"1\"\n", 4 },
		{ "LOG_LEVEL=-1\n", 1 },
		{ "LOGGING=no\n", 0 },
		{ "LOGGING=\"yes\"\n", 3 },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		vz_autofree char *text = NULL;
		struct vz_logfile log;
		int n = 0;

		open_log(&log, rows[i].conf);
		for (int level = VZ_LOG_ERR; level <= VZ_LOG_DEBUG; level++)
			vz_logfile_write(&log, level, 0, "level %d", level);
		vz_logfile_close(&log);
		text = take_log();
		for (const char *s = text; s && (s = strchr(s, '\n')); s++)
			n++;
		tap_is_int(n, rows[i].lines, "events that are logged");
	}
}

static void escapes(void)
{
	static const struct {
		const char *name, *in, *want;
	} rows[] = {
		{ "words", "plain", "vzctl : CT 101 : plain\n" },
		{ "a line end", "two\nlines", "vzctl : CT 101 : two\\nlines\n" },
		{ "control characters", "\x1b[2J\r\x7f",
		  "vzctl : CT 101 : \\x1b[2J\\x0d\\x7f\n" },
		{ "a backslash", "back\\slash", "vzctl : CT 101 : back\\\\slash\n" },
		{ "bytes that are no ASCII", "\xc2\x9b\xff",
		  "vzctl : CT 101 : \\xc2\\x9b\\xff\n" },
	};
	struct vz_logfile log;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		vz_autofree char *got = NULL;

		open_log(&log, "");
		vz_logfile_write(&log, VZ_LOG_INFO, 101, "%s", rows[i].in);
		vz_logfile_close(&log);
		got = take_log();
		tap_is_str(behind_time(got), rows[i].want, rows[i].name);
	}
}

/* vz.conf is there already: only open the log and write. */
static void writer(int who)
{
	struct vz_ctx ctx = { .confdir = dir };
	char fill[400];
	struct vz_logfile log;

	memset(fill, 'a' + who, sizeof(fill) - 1);
	fill[sizeof(fill) - 1] = 0;
	vz_logfile_open(&log, &ctx, "vzctl");
	for (int i = 0; i < LINES; i++)
		vz_logfile_write(&log, VZ_LOG_INFO, 100 + who, "%s", fill);
	_exit(0);
}

static void many_writers(void)
{
	vz_autofree char *text = NULL;
	int whole = 0, bad = 0;
	struct vz_logfile log;
	char *save = NULL, *line;

	open_log(&log, "");
	vz_logfile_close(&log);
	for (int i = 0; i < WRITERS; i++)
		if (!fork())
			writer(i);
	while (wait(NULL) > 0)
		;
	text = take_log();
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *fill = strrchr(line, ' ') + 1;

		if (strlen(fill) == 399 && strspn(fill, (char[]){ fill[0], 0 }) == 399)
			whole++;
		else
			bad++;
	}
	tap_is_int(whole, WRITERS * LINES, "every line of every writer is there");
	tap_is_int(bad, 0, "and none is mixed with another");
}

static void warn(void *data, enum vz_log_level level, const char *fmt, va_list ap)
{
	(void)fmt, (void)ap;
	*(int *)data += level == VZ_LOG_WARN;
}

static void no_log(void)
{
	int warnings = 0;
	struct vz_ctx ctx = { .confdir = dir, .log = warn, .log_data = &warnings };
	struct vz_logfile log;

	vz_conf("LOGFILE=/nowhere/at/all\nVERBOSE=2\n");
	vz_logfile_open(&log, &ctx, "vzctl");
	tap_is_int(warnings, 1, "a log that can't be opened is a warning");
	tap_is_int(log.verbose, 2, "VERBOSE is read");
	vz_logfile_write(&log, VZ_LOG_ERR, 0, "nobody reads this");
	vz_logfile_close(&log);
	ctx.confdir = "/nowhere";
	vz_logfile_open(&log, &ctx, "vzctl");
	tap_is_int(log.fd, -1, "no vz.conf, no log");
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	levels();
	escapes();
	many_writers();
	no_log();
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
