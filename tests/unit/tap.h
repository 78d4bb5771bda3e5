/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

/*
 * What a unit test says: one line a check, in TAP. A test program is one file,
 * its checks are rows of tables where they can be, and its main() ends with
 * `return tap_done();`.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_run, tap_bad;

__attribute__((format(printf, 2, 3))) static inline bool tap_ok(bool good,
								const char *fmt, ...)
{
	va_list ap;

	tap_bad += !good;
	printf("%sok %d - ", good ? "" : "not ", ++tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	return good;
}

static inline bool tap_is_int(long long got, long long want, const char *name)
{
	if (tap_ok(got == want, "%s", name))
		return true;
	printf("#      got %lld\n# expected %lld\n", got, want);
	return false;
}

static inline bool tap_is_str(const char *got, const char *want, const char *name)
{
	bool same = got && want ? !strcmp(got, want) : got == want;

	if (tap_ok(same, "%s", name))
		return true;
	printf("#      got %s\n# expected %s\n", got ? got : "(null)",
	       want ? want : "(null)");
	return false;
}

static inline void tap_skip(const char *name, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_run, name, why);
}

/* The plan comes last: a test that died half way has none, and fails. */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_run);
	return tap_bad != 0;
}

#endif
