/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_LOG_H
#define VZ_TOOL_LOG_H

/*
 * The log file of the tools (LOGGING, LOGFILE, LOG_LEVEL of vz.conf): a line
 * an event, with its time, tool and VE. Many commands write to it at once, so
 * a line is one write to a file opened for appending; what a VE or a user may
 * have named is escaped, so that a line is a line and nothing but text.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"

struct vz_logfile {
	int fd; /* -1: nothing is logged */
	int level; /* LOG_LEVEL: 0 errors, warnings and news; 1 and up: debug too */
	int verbose; /* VERBOSE, which is for the terminal */
	char tool[16];
};

/*
 * Open what vz.conf says. Nothing to log to is no error; a file that can't be
 * opened is told by vz_warn(), once, and the tool goes on without.
 */
void vz_logfile_open(struct vz_logfile *log, const struct vz_ctx *ctx, const char *tool);
void vz_logfile_close(struct vz_logfile *log);

/* veid 0: about no VE. */
void vz_logfile_write(const struct vz_logfile *log, enum vz_log_level level,
		      uint32_t veid, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void vz_logfile_vwrite(const struct vz_logfile *log, enum vz_log_level level,
		       uint32_t veid, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

#endif
