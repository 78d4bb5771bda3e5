/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/facts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

#define CPUINFO_MAX (16 << 20)
#define FLAGS_MAX 16384
/* More than this, and files, leases and tickets have times that can't be. */
#define CLOCK_OFF_S 30

/* The line of the first CPU: "flags" on x86, "Features" on ARM. */
static char *read_flags(const struct vz_ctx *ctx)
{
	vz_autofree char *path = vz_strf("%s/cpuinfo", ctx->procdir), *text = NULL;
	static const char *const keys[] = { "\nflags\t", "\nFeatures\t" };

	if (!path || vz_read_file(path, CPUINFO_MAX, &text, NULL))
		return NULL;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(keys); i++) {
		char *s = strstr(text, keys[i]);

		s = s ? strchr(s, ':') : NULL;
		if (s)
			return strndup(s + 1, strcspn(s + 1, "\n"));
	}
	return strdup("");
}

json_t *facts_read(const struct vz_ctx *ctx, struct vz_err *err)
{
	vz_autofree char *flags = read_flags(ctx);
	struct utsname u;
	json_t *facts;

	uname(&u);
	facts = json_pack("{s:s, s:s, s:I, s:s}", "machine", u.machine, "release",
			  u.release, "clock", (json_int_t)time(NULL), "flags",
			  flags ?: "");
	if (!facts)
		mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't say what this node is");
	return facts;
}

void problem_add(json_t *problems, const char *kind, enum mig_exit code, const char *fmt,
		 ...)
{
	char text[900];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Names from files may be no UTF-8: then the words alone must do. */
	if (json_array_append_new(problems, json_pack("{s:s, s:i, s:s}", "kind", kind,
						      "code", code, "text", text)))
		json_array_append_new(problems, json_pack("{s:s, s:i, s:s}", "kind", kind,
							  "code", code, "text",
							  "something has a name "
							  "that can't be shown"));
}

/* What a has that b lacks, at most a line of it. */
static char *missing(const char *a, const char *b)
{
	vz_autostrv struct vz_strv has = { 0 }, lacks = { 0 }, diff = { 0 };

	if (vz_strv_split(&has, a, " \t") || vz_strv_split(&lacks, b, " \t"))
		return NULL;
	for (size_t i = 0; i < has.n && diff.n < 20; i++)
		if (!vz_strv_has(&lacks, has.v[i]) && vz_strv_add(&diff, has.v[i]))
			return NULL;
	return diff.n ? vz_strv_join(&diff, " ") : NULL;
}

static void compare_cpu(const char *theirs, const char *ours, json_t *problems)
{
	vz_autofree char *lack = missing(theirs, ours);

	if (lack)
		problem_add(problems, "cpu", MIG_E_CPU,
			    "the CPU lacks what programs of the VE may use: %s", lack);
}

int facts_compare(const struct vz_ctx *ctx, const json_t *theirs, bool live,
		  json_t *problems, struct vz_err *err)
{
	vz_autofree char *flags = read_flags(ctx);
	const char *machine, *release, *their_flags;
	uint64_t now = time(NULL), clock;
	struct utsname u;
	int r = wire_text(theirs, "machine", 64, &machine, err);

	if (!r)
		r = wire_text(theirs, "release", 128, &release, err);
	if (!r)
		r = wire_text(theirs, "flags", FLAGS_MAX, &their_flags, err);
	if (!r)
		r = wire_num(theirs, "clock", INT64_MAX, &clock, err);
	if (r)
		return r;
	uname(&u);
	if (strcmp(machine, u.machine))
		problem_add(problems, "cpu", MIG_E_CPU, "the machine is %s, not %s",
			    u.machine, machine);
	else if (live)
		compare_cpu(their_flags, flags ?: "", problems);
	if (now > clock + CLOCK_OFF_S || clock > now + CLOCK_OFF_S)
		problem_add(problems, "clock", MIG_E_START,
			    "the clock is %lld s off the source's: set both by NTP",
			    (long long)(now - clock));
	return 0;
}
