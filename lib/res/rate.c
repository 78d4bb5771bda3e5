/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/rate.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"

#define KBITS_MIN 8
#define KBITS_MAX 16000000 /* what fits in 2^31 bytes a second */
#define BURST_KB_MAX 65536
/* Without a burst of its own: what passes in 50 ms, and a large frame at least. */
#define BURST_PARTS 20
#define BURST_MIN (64 << 10)

/* The fields, in place; how many. */
static size_t split(char *s, char *field[5])
{
	size_t n = 0;

	for (char *word; n < 5 && (word = strsep(&s, ":"));)
		field[n++] = word;
	return n;
}

static int parse(const char *s, uint64_t *ret_kbits, uint64_t *ret_burst)
{
	vz_autofree char *copy = strdup(s);
	char *field[5];
	size_t n = copy ? split(copy, field) : 0, at = n > 2 ? 2 : 0;

	*ret_burst = 0;
	if (!n || n == 2 || n > 4 || vz_parse_u64(field[at], KBITS_MAX, ret_kbits) ||
	    *ret_kbits < KBITS_MIN)
		return -EINVAL;
	if (n > 2 && (!*field[0] || (strcmp(field[1], "1") && strcmp(field[1], "*"))))
		return -EINVAL;
	return n == 4 && vz_parse_u64(field[3], BURST_KB_MAX, ret_burst) ? -EINVAL : 0;
}

int vz_rate_parse(const char *s, struct vz_rate *ret)
{
	uint64_t kbits, burst;
	int r = parse(s, &kbits, &burst);

	if (r)
		return r;
	ret->bytes = kbits * 1000 / 8;
	burst *= 1024;
	if (!burst)
		burst = ret->bytes / BURST_PARTS;
	ret->burst = burst > BURST_MIN ? burst : BURST_MIN;
	return 0;
}

int vz_word_rate(const char *s, struct vz_str *out)
{
	uint64_t kbits, burst;
	int r = parse(s, &kbits, &burst);

	if (r)
		return r;
	vz_str_addf(out, "*:1:%llu", (unsigned long long)kbits);
	if (burst)
		vz_str_addf(out, ":%llu", (unsigned long long)burst);
	return 0;
}
