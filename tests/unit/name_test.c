/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and addresses that go into a VE's files: which pass, which do not. */
#include "base/name.h"

#include <stddef.h>

#include "tests/unit/tap.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *(*check)(const char *);
	const char *what;
	const char *good[12];
	const char *bad[24];
} rows[] = {
	{ vz_bad_hostname,
	  "host name",
	  { "a", "web1", "web1.example.com", "1a", "3com.com", "a-b", "a_b", A63 },
	  { "",	       "-a",	"a-",	  "a..b",    ".a",  "a b",	"a\nb",
	    "a\"b",    "$(id)", "a;b",	  "1.2.3.4", "a/b", "\xc3\xa9", A63 "a",
	    A63 ".ab", "a.-b",	"a.b-.c", "'",	     "#",   "a." } },
	{ vz_bad_domain,
	  "domain",
	  { "example.com", "com", ".", A63 "." A63 "." A63 },
	  { "", "..", "a..b", "-a.com", "a b", "a,b", "a\n", A63 "a",
	    A63 "." A63 "." A63 "." A63 } },
	{ vz_bad_address,
	  "address",
	  { "1.2.3.4", "::1", "2001:db8::1", "255.255.255.255", "::ffff:1.2.3.4" },
	  { "", "1.2.3", "1.2.3.4/24", "1.2.3.256", "fe80::1%eth0", "a.b.c.d", "1.2.3.4 ",
	    "1.2.3.4\n", "inherit" } },
	{ vz_bad_user,
	  "user",
	  { "root", "_apt", "www-data", "a.b", "A1" },
	  { "", "1a", "-a", "a b", "a:b", "a/b", "a$", "a\nb", A63 } },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t j = 0; rows[i].good[j]; j++) {
			tap_is_str(rows[i].check(rows[i].good[j]), NULL, rows[i].good[j]);
		}
		for (size_t j = 0; rows[i].bad[j]; j++)
			tap_ok(rows[i].check(rows[i].bad[j]) != NULL,
			       "bad %s no. %zu is refused", rows[i].what, j);
	}
	return tap_done();
}
