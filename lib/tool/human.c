/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/human.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "res/ubc.h"

/* What is no number of things; false: it is one. */
static bool special(int64_t n, char *buf)
{
	if (n != VZ_UBC_UNKNOWN && n != VZ_UNLIMITED)
		return false;
	strcpy(buf, n == VZ_UNLIMITED ? "unlim" : "-");
	return true;
}

/* Cut, not rounded: 9.99, 99.9, 999. */
static void three_digits(double v, char suffix, char *buf)
{
	unsigned int n = v * 100;

	if (n >= 10000)
		snprintf(buf, VZ_HUMAN_MAX, "%u%c", n / 100 % 10000, suffix);
	else if (n >= 1000)
		snprintf(buf, VZ_HUMAN_MAX, "%u.%u%c", n / 100, n / 10 % 10, suffix);
	else
		snprintf(buf, VZ_HUMAN_MAX, "%u.%02u%c", n / 100 % 10, n % 100, suffix);
}

static const char *scaled(double v, double base, const char *suffixes, char *buf)
{
	while (v >= base && suffixes[1]) {
		v /= base;
		suffixes++;
	}
	three_digits(v, *suffixes, buf);
	return buf;
}

const char *vz_human_count(int64_t n, char buf[VZ_HUMAN_MAX])
{
	if (special(n, buf))
		return buf;
	if (n >= 100000)
		return scaled(n / 1e3, 1e3, "kMGTPE", buf);
	snprintf(buf, VZ_HUMAN_MAX, "%d", (int)n);
	return buf;
}

const char *vz_human_bytes(int64_t n, unsigned int unit, char buf[VZ_HUMAN_MAX])
{
	double bytes = (double)n * unit;

	if (special(n, buf))
		return buf;
	if (bytes >= 1024)
		return scaled(bytes / 1024, 1024, "KMGTPEZ", buf);
	snprintf(buf, VZ_HUMAN_MAX, "%d", (int)bytes);
	return buf;
}

const char *vz_human_value(int64_t n, unsigned int unit, char buf[VZ_HUMAN_MAX])
{
	return unit ? vz_human_bytes(n, unit, buf) : vz_human_count(n, buf);
}

const char *vz_human_share(int64_t n, int64_t whole, char buf[VZ_HUMAN_MAX])
{
	double p;

	if (n == VZ_UBC_UNKNOWN || whole == VZ_UNLIMITED || whole <= 0) {
		strcpy(buf, "-");
		return buf;
	}
	p = (double)n / whole * 100;
	if (!n)
		strcpy(buf, "0%");
	else if (p >= 1000)
		strcpy(buf, ">999%");
	else if (p >= 10)
		snprintf(buf, VZ_HUMAN_MAX, "%d%%", (int)p);
	else if (p < 0.1)
		strcpy(buf, "<0.1%");
	else
		snprintf(buf, VZ_HUMAN_MAX, "%d.%d%%", (int)p, (int)(p * 10) % 10);
	return buf;
}
