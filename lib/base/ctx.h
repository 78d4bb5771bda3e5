/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_CTX_H
#define VZ_BASE_CTX_H

#include <stdarg.h>

/*
 * What a call of the library needs to know about the machine: where things
 * are (a test points these at a tree of its own) and where words go. There
 * are no writable globals beside it.
 */
enum vz_log_level {
	VZ_LOG_ERR,
	VZ_LOG_WARN,
	VZ_LOG_INFO,
	VZ_LOG_DEBUG,
};

typedef void (*vz_log_fn)(void *data, enum vz_log_level level, const char *fmt,
			  va_list ap);

struct vz_ctx {
	const char *confdir; /* /etc/vz, or VZ_CONFDIR of the environment */
	const char *rundir; /* /run/vz, or VZ_RUNDIR */
	/* /var/lib/vz, or VZ_STATEDIR: what a reboot must not lose */
	const char *statedir;
	const char *cgroupdir; /* /sys/fs/cgroup */
	const char *procdir; /* /proc */
	const char *libexecdir; /* where vzsuper and helpers are installed */
	/*
	 * How long a script of the suite may run in a VE, whose files it may wait
	 * for: 300 s, or VZ_SCRIPT_TIMEOUT seconds of the environment.
	 */
	int script_timeout_ms;
	vz_log_fn log; /* may be NULL */
	void *log_data;
};

/* Defaults as compiled in, then the environment. Nothing is allocated. */
void vz_ctx_init(struct vz_ctx *ctx);

/* A word on the way: never an error that is also returned. */
void vz_log(const struct vz_ctx *ctx, enum vz_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define vz_warn(ctx, ...) vz_log(ctx, VZ_LOG_WARN, __VA_ARGS__)
#define vz_info(ctx, ...) vz_log(ctx, VZ_LOG_INFO, __VA_ARGS__)
#define vz_debug(ctx, ...) vz_log(ctx, VZ_LOG_DEBUG, __VA_ARGS__)

#endif
