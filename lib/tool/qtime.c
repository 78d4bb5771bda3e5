/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/qtime.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
#define SECONDS_MAX UINT32_MAX

/* "12w": a number and what it counts. */
static int parse_unit(const char *s, size_t len, uint64_t *ret)
{
	static const struct {
		char letter;
		uint32_t seconds;
	} units[] = { { 'h', HOUR },
		      { 'd', DAY },
		      { 'w', 7 * DAY },
		      { 'm', 30 * DAY },
		      { 'y', 365 * DAY } };
	char digits[16];
	uint64_t n;

	if (len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, s, len - 1);
	digits[len - 1] = 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (tolower((unsigned char)s[len - 1]) == units[i].letter &&
		    !vz_parse_u64(digits, SECONDS_MAX / units[i].seconds, &n)) {
			*ret = n * units[i].seconds;
			return 0;
		}
	return -EINVAL;
}

/* "20:15:11:00": the last is seconds, each before it counts more. */
static int parse_clock(const char *s, uint64_t *ret)
{
	static const uint32_t weights[] = { 1, MINUTE, HOUR, DAY };
	uint64_t part[4], sum = 0;
	char buf[64], *at = buf, *word;
	size_t n = 0;

	if (strlen(s) >= sizeof(buf))
		return -EINVAL;
	strcpy(buf, s);
	while ((word = strsep(&at, ":"))) {
		if (n == 4 || vz_parse_u64(word, SECONDS_MAX, &part[n]))
			return -EINVAL;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		sum += part[n - 1 - i] * weights[i];
	if (sum > SECONDS_MAX)
		return -EINVAL;
	*ret = sum;
	return 0;
}

int vz_qtime_parse(const char *s, uint64_t *ret_seconds)
{
	size_t len = strlen(s);

	if (!len)
		return -EINVAL;
	return isalpha((unsigned char)s[len - 1]) ? parse_unit(s, len, ret_seconds)
						  : parse_clock(s, ret_seconds);
}

const char *vz_qtime_left(uint64_t until, uint64_t now, char *buf, size_t size)
{
	uint64_t left = until > now ? until - now : 0;

	if (!until)
		return "";
	if (!left)
		return "none";
	if (left >= 2 * DAY)
		snprintf(buf, size, "%" PRIu64 "days", (left + DAY / 2) / DAY);
	else
		snprintf(buf, size, "%02" PRIu64 ":%02" PRIu64, left / HOUR,
			 left % HOUR / MINUTE);
	return buf;
}
