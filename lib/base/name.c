/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/name.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define HOSTNAME_LEN 64 /* __NEW_UTS_LEN */
#define DOMAIN_LEN 253
#define LABEL_LEN 63
#define USER_LEN 32

/*
 * Labels of letters, digits and inner hyphens, parted by single points. An
 * underscore is not RFC 1123's, but configurations that come from OpenVZ have
 * names with it, and resolvers take it.
 */
static bool good_labels(const char *s)
{
	size_t n;

	for (;; s++) {
		n = strspn(s, LETTERS DIGITS "-_");
		if (!n || n > LABEL_LEN || s[0] == '-' || s[n - 1] == '-')
			return false;
		s += n;
		if (!*s)
			return true;
		if (*s != '.')
			return false;
	}
}

const char *vz_bad_hostname(const char *s)
{
	struct in_addr a;

	if (strlen(s) > HOSTNAME_LEN)
		return "expected at most 64 characters";
	if (!good_labels(s))
		return "expected letters, digits, _ and inner hyphens, in parts of at "
		       "most "
		       "63 "
		       "characters with single points between them";
	if (inet_pton(AF_INET, s, &a) == 1)
		return "expected a name, not an address";
	return NULL;
}

const char *vz_bad_domain(const char *s)
{
	if (!strcmp(s, "."))
		return NULL;
	if (strlen(s) > DOMAIN_LEN)
		return "expected at most 253 characters";
	if (!good_labels(s))
		return "expected a domain such as example.com";
	return NULL;
}

const char *vz_bad_address(const char *s)
{
	struct in6_addr a;

	if (inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1)
		return NULL;
	return "expected an IPv4 or IPv6 address";
}

const char *vz_bad_user(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > USER_LEN)
		return "expected a user name of 1 to 32 characters";
	if (strspn(s, LETTERS DIGITS "_.-") != n || !strspn(s, LETTERS "_"))
		return "expected a user name of letters, digits and _ . -, starting with "
		       "a "
		       "letter or _";
	return NULL;
}
