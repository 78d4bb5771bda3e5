/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The number parsers: what is a number, a size, a VEID, and what is not. */
#include "base/num.h"

#include <errno.h>
#include <stddef.h>

#include "tests/unit/tap.h"

static const struct {
	const char *text;
	uint64_t max;
	int r;
	uint64_t value;
} numbers[] = {
	{ "0", 10, 0, 0 },
	{ "10", 10, 0, 10 },
	{ "11", 10, -ERANGE, 0 },
	{ "007", 10, 0, 7 },
	{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
	{ "", 10, -EINVAL, 0 },
	{ "+1", 10, -EINVAL, 0 },
	{ "-1", 10, -EINVAL, 0 },
	{ " 1", 10, -EINVAL, 0 },
	{ "1 ", 10, -EINVAL, 0 },
	{ "0x1", 10, -EINVAL, 0 },
	{ "1e1", 10, -EINVAL, 0 },
};

static void test_numbers(void)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		uint64_t value = 4711;
		int r = vz_parse_u64(numbers[i].text, numbers[i].max, &value);

		tap_ok(r == numbers[i].r && value == (r ? 4711 : numbers[i].value),
		       "number '%s' up to %llu gives %d", numbers[i].text,
		       (unsigned long long)numbers[i].max, numbers[i].r);
	}
}

static const struct {
	const char *text;
	uint64_t unit, bare;
	int r;
	uint64_t value;
} sizes[] = {
	{ "256M", 4096, 4096, 0, 65536 },
	{ "256m", 4096, 4096, 0, 65536 },
	{ "1G", 1, 1, 0, 1 << 30 },
	{ "1T", 1024, 1, 0, 1 << 30 },
	{ "0.5K", 1, 1, 0, 512 },
	{ "1", 4096, 1, 0, 1 },
	{ "3P", 1, 1, 0, 12288 },
	{ "3P", 4096, 1, 0, 3 },
	{ "12b", 1, 4096, 0, 12 },
	{ "10", 1, 1 << 20, 0, 10 << 20 },
	{ "unlimited", 4096, 4096, 0, VZ_UNLIMITED },
	{ "", 1, 1, -EINVAL, 0 },
	{ "K", 1, 1, -EINVAL, 0 },
	{ "1KB", 1, 1, -EINVAL, 0 },
	{ "1.5", 1, 1, -EINVAL, 0 },
	{ "-1K", 1, 1, -EINVAL, 0 },
	{ "99999999999T", 1, 1, -ERANGE, 0 },
};

static void test_sizes(void)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint64_t value = 4711;
		int r = vz_parse_size(sizes[i].text, sizes[i].unit, sizes[i].bare,
				      &value);

		if (!tap_ok(r == sizes[i].r && value == (r ? 4711 : sizes[i].value),
			    "size '%s' in units of %llu gives %d", sizes[i].text,
			    (unsigned long long)sizes[i].unit, sizes[i].r))
			printf("# got %d, %llu\n", r, (unsigned long long)value);
	}
}

static void test_veids(void)
{
	uint32_t id = 4711;

	tap_is_int(vz_parse_veid("2147483644", &id), 0, "the greatest VEID");
	tap_is_int(id, 2147483644, "is what it says");
	tap_is_int(vz_parse_veid("2147483645", &id), -ERANGE, "one more is none");
	tap_is_int(vz_parse_veid("101x", &id), -EINVAL, "nor is a word");
	tap_is_int(id, 2147483644, "a failure leaves the result untouched");
}

int main(void)
{
	test_numbers();
	test_sizes();
	test_veids();
	return tap_done();
}
