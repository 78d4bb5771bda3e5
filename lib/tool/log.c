/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "conf/peek.h"

enum { KEY_LOGGING, KEY_LOGFILE, KEY_LOG_LEVEL, KEY_VERBOSE, KEY__COUNT };

static const char *const keys[] = {
	[KEY_LOGGING] = "LOGGING",
	[KEY_LOGFILE] = "LOGFILE",
	[KEY_LOG_LEVEL] = "LOG_LEVEL",
	[KEY_VERBOSE] = "VERBOSE",
};

/* A level may be negative ("errors only"); a bad one is vz.conf's to report. */
static int level(const char *value)
{
	return value && *value ? atoi(value) : 0;
}

void vz_logfile_open(struct vz_logfile *log, const struct vz_ctx *ctx, const char *tool)
{
	vz_autofree char *path = vz_strf("%s/vz.conf", ctx->confdir);
	struct vz_peek peek = { 0 };
	const char *v[KEY__COUNT] = { NULL };

	*log = (struct vz_logfile){ .fd = -1 };
	snprintf(log->tool, sizeof(log->tool), "%s", tool);
	if (!path || vz_peek_read(&peek, AT_FDCWD, path, keys, KEY__COUNT, v))
		goto out;
	log->level = level(v[KEY_LOG_LEVEL]);
	log->verbose = level(v[KEY_VERBOSE]);
	if (!v[KEY_LOGFILE] || !*v[KEY_LOGFILE] ||
	    (v[KEY_LOGGING] && !strcmp(v[KEY_LOGGING], "no")))
		goto out;
	log->fd = open(v[KEY_LOGFILE],
		       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	if (log->fd < 0)
		vz_warn(ctx, "can't open the log %s: %s (LOGFILE in %s)", v[KEY_LOGFILE],
			strerror(errno), path);
out:
	vz_peek_done(&peek);
}

void vz_logfile_close(struct vz_logfile *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

/* Text in any encoding to printable ASCII on one line. */
static void escape(const char *s, char *buf, size_t size)
{
	size_t n = 0;

	for (; *s && n + 5 < size; s++) {
		unsigned char c = *s;

		if (c == '\n')
			n += sprintf(buf + n, "\\n");
		else if (c == '\\')
			n += sprintf(buf + n, "\\\\");
		else if (c < ' ' || c > '~')
			n += sprintf(buf + n, "\\x%02x", c);
		else
			buf[n++] = c;
	}
	buf[n] = 0;
}

static bool wanted(const struct vz_logfile *log, enum vz_log_level level)
{
	if (log->fd < 0)
		return false;
	if (level == VZ_LOG_ERR)
		return true;
	return level == VZ_LOG_DEBUG ? log->level > 0 : log->level >= 0;
}

void vz_logfile_vwrite(const struct vz_logfile *log, enum vz_log_level level,
		       uint32_t veid, const char *fmt, va_list ap)
{
	char text[1500], safe[3000], when[40], line[3200], who[32] = "";
	struct tm tm;
	time_t now;
	int n;

	if (!wanted(log, level))
		return;
	now = time(NULL);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &tm));
	if (veid)
		snprintf(who, sizeof(who), "CT %u : ", veid);
	vsnprintf(text, sizeof(text), fmt, ap);
	escape(text, safe, sizeof(safe));
	n = snprintf(line, sizeof(line), "%s %s : %s%s\n", when, log->tool, who, safe);
	/* A full disk must not stop the command that is being logged. */
	if (write(log->fd, line, n) < 0)
		return;
}

void vz_logfile_write(const struct vz_logfile *log, enum vz_log_level level,
		      uint32_t veid, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vz_logfile_vwrite(log, level, veid, fmt, ap);
	va_end(ap);
}
