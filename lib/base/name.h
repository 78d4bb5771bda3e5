/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_NAME_H
#define VZ_BASE_NAME_H

/*
 * Names and addresses that go into a VE's files. What passes here holds no
 * space, quote or newline, so it can stand in any of them as it is.
 * Each returns NULL when s is good, else what was expected.
 */

/* RFC 1123 and underscores, at most the 64 characters that the kernel takes. */
const char *vz_bad_hostname(const char *s);
/* A domain to search: as a host name, up to 253 characters, or ".". */
const char *vz_bad_domain(const char *s);
/* An IPv4 or IPv6 address, without prefix length or scope. */
const char *vz_bad_address(const char *s);
/* A login name, as useradd(8) takes it. */
const char *vz_bad_user(const char *s);

#endif
