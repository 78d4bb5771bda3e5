/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CRIULOG_H
#define VZ_SYS_CRIULOG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a log of criu's says went wrong, in one line: the process, the object, and
 * what to do where that is known ("process 4711 (nginx): a message queue …").
 * Parts of it are the VE's words. 0; -ENOENT: it tells of no error; -errno.
 */
int vz_criulog_explain(int dir, const char *name, bool restore, char *ret, size_t size);
/* The same of a log's text, which is taken apart. */
int vz_criulog_explain_text(char *log, bool restore, char *ret, size_t size);

#endif
