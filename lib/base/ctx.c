/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/ctx.h"

#include <stdlib.h>

#include "base/num.h"

#ifndef VZ_CONFDIR
#define VZ_CONFDIR "/etc/vz"
#endif
#ifndef VZ_RUNDIR
#define VZ_RUNDIR "/run/vz"
#endif
#ifndef VZ_STATEDIR
#define VZ_STATEDIR "/var/lib/vz"
#endif
#ifndef VZ_LIBEXECDIR
#define VZ_LIBEXECDIR "/usr/libexec/vz"
#endif

static const char *from_env(const char *name, const char *fallback)
{
	const char *s = getenv(name);

	return s && *s == '/' ? s : fallback;
}

static int seconds_from_env(const char *name, int fallback)
{
	const char *s = getenv(name);
	uint64_t v;

	return 1000 * (s && !vz_parse_u64(s, 86400, &v) && v ? (int)v : fallback);
}

void vz_ctx_init(struct vz_ctx *ctx)
{
	*ctx = (struct vz_ctx){
		.confdir = from_env("VZ_CONFDIR", VZ_CONFDIR),
		.rundir = from_env("VZ_RUNDIR", VZ_RUNDIR),
		.statedir = from_env("VZ_STATEDIR", VZ_STATEDIR),
		.libexecdir = from_env("VZ_LIBEXECDIR", VZ_LIBEXECDIR),
		.cgroupdir = "/sys/fs/cgroup",
		.procdir = "/proc",
		.script_timeout_ms = seconds_from_env("VZ_SCRIPT_TIMEOUT", 300),
	};
}

void vz_log(const struct vz_ctx *ctx, enum vz_log_level level, const char *fmt, ...)
{
	va_list ap;

	if (!ctx->log)
		return;
	va_start(ap, fmt);
	ctx->log(ctx->log_data, level, fmt, ap);
	va_end(ap);
}
